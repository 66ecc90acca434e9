"""What is mirrored: every device with its last values, from the last commit."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from hedgerow.gateway import queries

GONE_S = 30 * 86400.0  # a node that was not heard for so long is no longer there


@dataclass(frozen=True, slots=True)
class Value:
    """kind: "number", "switch" (an actuator), "problem" (a sensor that failed: 1), "text"."""

    name: str
    unit: str
    kind: str
    value: float | int | str
    time_s: float


@dataclass(frozen=True, slots=True)
class Device:
    """values in the order of their names; a name stands once."""

    id: str
    name: str
    online: bool
    firmware: str
    board: str
    values: tuple[Value, ...]


def read(reader: sqlite3.Connection, wall_s: float) -> list[Device]:
    """Devices heard within GONE_S before wall_s, by id."""
    sql = "SELECT device FROM alert WHERE kind = 'silent' AND closed_s IS NULL"
    silent = {row[0] for row in reader.execute(sql)}
    found = [row for row in queries.devices(reader) if _heard_s(row) > wall_s - GONE_S]
    return [_device(row, row["id"] not in silent) for row in found]


def _heard_s(row: queries.Row) -> float:
    times = (row["first_seen_s"], row["last_seen_s"], row["status_s"], row["info_s"])
    return max(float(time_s or 0) for time_s in times)


def _device(row: queries.Row, speaks: bool) -> Device:
    info = row["info"]
    newest: dict[str, Any] = {}
    for last in row["last"]:
        held = newest.get(last["name"])
        if held is None or held["time_s"] <= last["time_s"]:  # a name may have changed its unit
            newest[last["name"]] = last
    actuators = info.get("actuators")
    named = actuators if isinstance(actuators, list) else []
    switches = {name for name in named if isinstance(name, str)}
    for name in switches - newest.keys():  # never switched: it is off
        off = {"name": name, "unit": "", "value": 0, "text": None, "time_s": row["info_s"] or 0.0}
        newest[name] = off
    values = [_value(newest[name], switches) for name in sorted(newest)]
    return Device(
        row["id"],
        row["name"],
        speaks and row["status"] != "offline",
        str(info.get("firmware") or ""),
        str(info.get("board") or ""),
        tuple(value for value in values if value is not None),
    )


def _value(last: dict[str, Any], switches: set[str]) -> Value | None:
    name, number, text = last["name"], last["value"], last["text"]
    if number is None:
        kind, shown = "text", text
    elif name in switches:
        kind, shown = "switch", int(bool(number))
    elif name.startswith("health."):
        kind, shown = "problem", int(not number)
    else:
        kind, shown = "number", number
    return None if shown is None else Value(name, last["unit"], kind, shown, last["time_s"])
