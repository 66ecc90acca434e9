"""Currents of a whole node by phase, from board data, the drivers' data and the node file.

    found = node_currents(board, plan_sensors, plan_actuators, table)
    found.ua["sense"], found.unknown    # microamperes; what no source says, in words

What is not known counts as nothing and is named: a sum of known parts is a least, never a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hedgerow.boards import Board
from hedgerow.drivers import drivers

_MEASURED = {"idle": ("active_ma", 1000), "link": ("radio_ma", 1000), "sleep": ("sleep_ua", 1)}
_CELL_MV = 3700  # a lithium cell in the middle of its discharge, over a divider


@dataclass(frozen=True)
class NodeCurrents:
    """ua: phase -> microamperes or None, "standby" is of the resting sensors. loads_ua: of each
    actuator. unknown: phase -> what is missing there, in words."""

    ua: Mapping[str, float | None]
    loads_ua: tuple[float | None, ...]
    wake_ms: int | None
    unknown: Mapping[str, tuple[str, ...]]
    rest_ua: Mapping[str, float]  # sensor -> what it draws between reads, where known


def node_currents(
    board: Board | None,
    sensors: Sequence[Mapping[str, Any]],
    actuators: Sequence[Mapping[str, Any]],
    table: Mapping[str, Any],
) -> NodeCurrents:
    """sensors, actuators: of the plan. table: [power] of the node file, checked."""
    unknown: dict[str, list[str]] = {}
    name = board.name if board else "?"
    extra_ua = table["extra_ua"]
    chip = board.currents if board else None

    def known(phase: str, key: str, what: str) -> float | None:
        measured, factor = _MEASURED[phase]
        ua = getattr(chip, key, None)
        if table[measured] is not None:
            ua = table[measured] * factor
        if ua is None:
            unknown.setdefault(phase, []).append(f"{what} of {name} ({measured})")
        return None if ua is None else ua + extra_ua

    active = known("idle", "active_ua", "current at work")
    ua: dict[str, float | None] = dict.fromkeys(("infer", "store", "idle"), active)
    ua["sense"] = None if active is None else active + _sensing_ua(sensors, unknown)
    ua["link"] = known("link", "radio_ua", "current of the radio")
    ua["sleep"] = None
    if table["sleep"] != "none":
        ua["sleep"] = known(
            "sleep", f"{table['sleep']}_sleep_ua", f"{table['sleep']} sleep current"
        )
    rest = _rest_ua(sensors, unknown)
    ua["standby"] = sum(rest.values())
    loads = tuple(_load_ua(row, unknown) for row in actuators)
    wake_ms = table["wake_ms"] if table["wake_ms"] is not None else getattr(chip, "wake_ms", None)
    if table["sleep"] == "deep" and wake_ms is None:
        unknown.setdefault("wake", []).append(f"time that {name} takes to wake (wake_ms)")
    named = {key: tuple(rows) for key, rows in unknown.items()}
    return NodeCurrents(ua, loads, wake_ms, named, rest)


def read_ms(sensor: Mapping[str, Any], sleep: str) -> int:
    """How long a reading takes: after a deep sleep each one is the first."""
    entry = drivers()[sensor["driver"]]
    return int(
        max(entry["first_ms"], entry["convert_ms"]) if sleep == "deep" else entry["convert_ms"]
    )


def _sensing_ua(sensors: Sequence[Mapping[str, Any]], unknown: dict[str, list[str]]) -> float:
    """Mean over the time of sensing of what the converting sensor draws beyond its rest."""
    charge = total_ms = 0.0
    for sensor in sensors:
        entry = drivers()[sensor["driver"]]
        ms = entry["convert_ms"]
        total_ms += ms
        if not ms:
            continue
        if entry.get("active_ua") is None:
            unknown.setdefault("sense", []).append(
                f"current of {sensor['name']} while it converts"
            )
        else:
            charge += ms * max(entry["active_ua"] - (entry.get("standby_ua") or 0), 0)
    return charge / total_ms if total_ms else 0.0


def _rest_ua(
    sensors: Sequence[Mapping[str, Any]], unknown: dict[str, list[str]]
) -> dict[str, float]:
    found = {}
    for sensor in sensors:
        ua = _divider_ua(sensor)
        if ua is None:
            ua = drivers()[sensor["driver"]].get("standby_ua")
        if ua is None:
            unknown.setdefault("standby", []).append(f"current of {sensor['name']} at rest")
        else:
            found[sensor["name"]] = float(ua)
    return found


def _divider_ua(sensor: Mapping[str, Any]) -> float | None:
    """A divider on the battery draws all the time; its resistors are parameters of the driver."""
    params = drivers()[sensor["driver"]]["params"]
    if not {"r_top_ohm", "r_bottom_ohm"} <= set(params):
        return None
    ohms = sum(sensor["args"].get(key, params[key][1]) for key in ("r_top_ohm", "r_bottom_ohm"))
    return _CELL_MV * 1000 / ohms


def _load_ua(actuator: Mapping[str, Any], unknown: dict[str, list[str]]) -> float | None:
    ma = actuator.get("current_ma")
    if ma is None:
        unknown.setdefault("actuator", []).append(f"current of {actuator['name']} (current_ma)")
    return None if ma is None else ma * 1000
