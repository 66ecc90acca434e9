"""Parameters of a driver against its DRIVER table, one by one and against each other."""

from typing import Any

from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path, listed, nearest
from hedgerow.config.keys import Key
from hedgerow.config.schema import section
from hedgerow.config.shape import check_value
from hedgerow.config.source import BROKEN

# Parameters that the node sets itself, from a key with another name.
_SET_BY_NODE = {"max_on_ms"}
_KINDS = {"int": "int", "bool": "bool", "str": "text"}


def driver_args(
    draft: Draft, path: Path, row: dict[str, Any], driver: dict[str, Any], kind: str
) -> dict[str, Any] | None:
    """Keyword arguments of the driver: only those that differ from its defaults."""
    known = {name: p for name, p in driver["params"].items() if name not in _SET_BY_NODE}
    common = [key.name for key in section(kind).keys]
    args: dict[str, Any] = {}
    good = True
    for name in [key for key in row if key not in common]:
        if row[name] == BROKEN:
            good = False
        elif name not in known:
            _unknown_param(draft, path, row["driver"], name, [*known, *common])
        elif not _param(draft, (*path, name), name, known[name], row[name]):
            row[name] = BROKEN
            good = False
        elif row[name] != known[name][1]:
            args[name] = row[name]
    for name, param in known.items():
        if param[1] is None and name not in row:
            draft.fault(path, f"no {name} for {row['driver']}", f"{name}: {param[4]}", key=True)
            good = False
    if good:
        good = _PAIRS.get(row["driver"], _any)(draft, path, row, known)
    return args if good else None


def _unknown_param(draft: Draft, path: Path, driver: str, name: str, known: list[str]) -> None:
    message = f"{driver} has no parameter {name!r}"
    draft.fault((*path, name), message, listed(known), nearest(name, known), key=True)


def _param(draft: Draft, path: Path, name: str, param: tuple[Any, ...], value: Any) -> bool:
    kind, _, low, high, doc = param
    if kind == "str":
        if isinstance(value, str) and low <= len(value) <= high:
            return True
        draft.fault(path, f"{name} = {value!r}", f"text of {low} to {high} characters: {doc}")
        return False
    if kind == "bool":
        return check_value(draft, path, Key(name, "bool", doc), value)
    return check_value(draft, path, Key(name, _KINDS[kind], doc, None, low, high), value)


def _any(draft: Draft, path: Path, row: dict[str, Any], known: dict[str, Any]) -> bool:
    return True


def _soil_probe(draft: Draft, path: Path, row: dict[str, Any], known: dict[str, Any]) -> bool:
    """The points of the calibration as SoilProbe wants them: from dry to wet, no two alike."""
    at = {name: row.get(name, param[1]) for name, param in known.items()}
    if at["dry_mv"] == at["wet_mv"]:
        return _refuse(draft, path, row, "wet_mv", f"dry_mv and wet_mv are both {at['dry_mv']}")
    if at["dry_pct"] >= at["wet_pct"]:
        return _refuse(draft, path, row, "dry_pct", "dry_pct must be below wet_pct")
    if not at["mid_mv"]:
        return True
    for unit in ("mv", "pct"):
        ends = sorted((at[f"dry_{unit}"], at[f"wet_{unit}"]))
        if not ends[0] < at[f"mid_{unit}"] < ends[1]:
            message = f"mid_{unit} must lie between dry_{unit} and wet_{unit}"
            return _refuse(draft, path, row, f"mid_{unit}", message, f"{ends[0]} to {ends[1]}")
    return True


def _refuse(
    draft: Draft, path: Path, row: dict[str, Any], key: str, message: str, expected: str = ""
) -> bool:
    here = (*path, key) if key in row else path
    draft.fault(here, message, expected or "two different points", key=key not in row)
    return False


def _ds18b20(draft: Draft, path: Path, row: dict[str, Any], known: dict[str, Any]) -> bool:
    rom = row.get("rom", "")
    if rom and (len(rom) != 16 or any(c not in "0123456789abcdefABCDEF" for c in rom)):
        draft.fault((*path, "rom"), f'rom = "{rom}"', "16 hex digits, family code first")
        return False
    return True


# Checks of parameters against each other, by driver.
_PAIRS = {"soil_probe": _soil_probe, "ds18b20": _ds18b20}
