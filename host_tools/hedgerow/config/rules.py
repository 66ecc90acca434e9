"""[[rule]] -> plan["rules"]."""

from typing import Any

from hedgerow.config.conditions import compile_when
from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path, listed, nearest
from hedgerow.config.keys import Key
from hedgerow.config.schema import is_known
from hedgerow.config.shape import check_value
from hedgerow.config.source import BROKEN

_DO_KEYS = ("actuator", "on_s")


def rule_parts(draft: Draft) -> list[dict[str, Any]]:
    parts = []
    names: set[str] = set()
    used: set[Any] = set()
    for path, row in draft.rows("rule"):
        if row["name"] in names and row["name"] != BROKEN:
            message = f"the name {row['name']!r} is taken by another rule"
            draft.fault((*path, "name"), message, "a name of its own")
        names.add(row["name"])
        parts.append(_rule(draft, path, row))
        used.add(row["do"].get("actuator") if isinstance(row["do"], dict) else BROKEN)
    _warn_idle(draft, used)
    return [part for part in parts if part]


def _warn_idle(draft: Draft, used: set[str]) -> None:
    for path, row in draft.rows("actuator"):
        if BROKEN not in used and is_known(row["name"]) and row["name"] not in used:
            draft.warn(path, f"no rule uses {row['name']}", "a [[rule]] with it in `do`", key=True)


def _rule(draft: Draft, path: Path, row: dict[str, Any]) -> dict[str, Any] | None:
    when = compile_when(draft, (*path, "when"), row["when"])
    do = _do(draft, (*path, "do"), row["do"])
    if when is None or do is None or not is_known(row["name"]):
        return None
    actuator, on_s = do
    _warn_restless(draft, path, row, actuator)
    return {
        "name": row["name"],
        "actuator": actuator,
        "on_s": on_s,
        "hold_off_s": row["hold_off_s"],
        "max_per_day": row["max_per_day"],
        "when": when,
    }


def _do(draft: Draft, path: Path, do: Any) -> tuple[int, int] | None:
    """(index of the actuator, longest on-time in s; 0 = as long as the actuator may)."""
    if not is_known(do):
        return None
    good = True
    for name in do:
        if name not in _DO_KEYS:
            good = False
            near = nearest(name, _DO_KEYS)
            draft.fault(
                (*path, name), f"unknown key {name!r} in do", listed(_DO_KEYS), near, key=True
            )
    index = _actuator(draft, path, do)
    if "on_s" in do:
        key = Key("on_s", "int", "longest run", None, 1, 86400)
        good = check_value(draft, (*path, "on_s"), key, do["on_s"]) and good
    if index is None or not good:
        return None
    on_s, most = do.get("on_s", 0), draft.tables["actuator"][index]["max_on_s"]
    if is_known(most) and on_s > most:
        name = do["actuator"]
        draft.fault(
            (*path, "on_s"), f"on_s = {on_s} is more than max_on_s of {name}", f"{most} or less"
        )
        return None
    return index, on_s


def _actuator(draft: Draft, path: Path, do: dict[str, Any]) -> int | None:
    if "actuator" not in do:
        draft.fault(path, "do names no actuator", '{ actuator = "pump", on_s = 600 }')
        return None
    names = [row["name"] for row in draft.tables.get("actuator") or []]
    name = do["actuator"]
    if name in names and name != BROKEN:
        return names.index(name)
    if BROKEN not in (*names, name):
        draft.unknown((*path, "actuator"), "actuator", name, names)
    return None


def _warn_restless(draft: Draft, path: Path, row: dict[str, Any], actuator: int) -> None:
    """Nothing in the file keeps this rule from starting again at each sample."""
    table = draft.tables["actuator"][actuator]
    limits = [row["hold_off_s"], row["max_per_day"]]
    limits += [table[name] for name in ("min_off_s", "max_on_s_per_day", "max_litres_per_day")]
    if not any(limits):
        message = f"rule {row['name']} may start {table['name']} again at every sample"
        draft.warn(path, message, "hold_off_s, max_per_day or a limit of the actuator", key=True)
