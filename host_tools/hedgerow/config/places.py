"""Where a driver is: the pin, pins or bus that its row names, as the plan's `bus` pair has it."""

from typing import Any

from hedgerow.config.claims import Claims
from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path, listed
from hedgerow.config.schema import is_known

# bus of a driver -> the keys of its row that say where it is; else only a pin
_WANTED = {
    "i2c": ("bus",),
    "spi": ("bus", "pin"),
    "uart": ("bus",),
    "echo": ("pins",),
    "pins": ("pins",),
}

Place = int | str | list[Any]


def place(
    draft: Draft,
    path: Path,
    row: dict[str, Any],
    driver: dict[str, Any],
    args: dict[str, Any] | None,
    claims: Claims,
) -> Place | None:
    """Pin, list of pins or bus (SPI: bus and pin); notes what is missing or needless."""
    wanted = _WANTED.get(driver["bus"], ("pin",))
    _note_needless(draft, path, row, wanted, driver)
    missing = [key for key in wanted if row.get(key) is None]
    for key in missing:
        example = _example(draft, driver, key)
        draft.fault(path, f"no {key} for {row['driver']}", f"{key} = {example}", key=True)
    if missing:
        return None
    if driver["bus"] == "spi":
        bus, cs = claims.spi(path, row, driver["max_hz"]), claims.pin(path, row, "chip select")
        return None if bus is None or cs is None else [bus, cs]
    if driver["bus"] == "uart":
        return claims.uart(path, row)
    if wanted == ("pins",):
        return _pins(draft, path, row, driver, claims)
    if wanted == ("pin",):
        return claims.pin(path, row, driver["bus"])
    params = driver["params"]
    addr = (args or {}).get("addr", params["addr"][1] if "addr" in params else None)
    return claims.i2c(path, row, addr, driver["max_hz"])


def _note_needless(
    draft: Draft, path: Path, row: dict[str, Any], wanted: tuple[str, ...], driver: dict[str, Any]
) -> None:
    for key in ("bus", "pin", "pins"):
        if key not in wanted and row.get(key) is not None:
            message = f"{row['driver']} has no {key}"
            expected = f"{wanted[0]} = {_example(draft, driver, wanted[0])}"
            draft.fault((*path, key), message, expected, key=True)


def _pins(
    draft: Draft, path: Path, row: dict[str, Any], driver: dict[str, Any], claims: Claims
) -> list[Any] | None:
    """`pins = { trigger = "GP2", echo = "GP3" }` in the order of the driver."""
    given = row["pins"]
    if not is_known(given):
        return None
    roles = {role: kind for role, kind, _ in driver["pins"]}
    here = (*path, "pins")
    good = True
    for role in [role for role in given if role not in roles]:
        draft.unknown((*here, role), f"pin of {row['driver']}", role, list(roles))
        good = False
    for role, _, doc in driver["pins"]:
        if role not in given:
            example = _example(draft, driver, "pins")
            draft.fault(here, f"no pin {role} for {row['driver']}: {doc}", f"pins = {example}")
            good = False
    taken = [
        claims.take((*here, role), given[role], row, kind)
        for role, kind in roles.items()
        if role in given
    ]
    return None if not good or None in taken else taken


def _example(draft: Draft, driver: dict[str, Any], key: str) -> str:
    board = draft.board
    if board is None:
        return '"..."'
    if key == "bus":
        buses = {"i2c": board.i2c_buses, "spi": board.spi_buses, "uart": board.uart_buses}
        return listed(f'"{name}"' for name in buses[driver["bus"]])
    pins = board.adc_pins if driver["bus"] == "adc" else board.output_pins
    if key == "pin":
        return listed(f'"{label}"' for label in board.labels(pins)[:6])
    roles = [role for role, _, _ in driver["pins"]]
    pairs = zip(roles, board.labels(pins), strict=False)
    return "{ " + ", ".join(f'{role} = "{label}"' for role, label in pairs) + " }"
