"""Check and compile a node file: one pass gives the faults and the plan.

report = examine(path)         # never raises for what is wrong in the file
check_file(path)               # list of Fault, errors and warnings
compile_file(path)             # the plan of PLAN.md, or ConfigError with all errors
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hedgerow.config import schema
from hedgerow.config.draft import Draft
from hedgerow.config.fault import Fault
from hedgerow.config.hardware import actuator_parts, board_part, sensor_parts
from hedgerow.config.model import model_part
from hedgerow.config.outside import store_part, uplink_part
from hedgerow.config.power import power_part
from hedgerow.config.rules import rule_parts
from hedgerow.config.shape import apply_schema
from hedgerow.config.signals import filter_parts, record_parts, replay_part
from hedgerow.config.source import read_source
from hedgerow.config.wifi import wifi_part
from hedgerow.errors import ConfigError

VERSION = 1


@dataclass
class Report:
    """plan is None while there are errors."""

    file: str
    errors: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    plan: dict[str, Any] | None = None


def examine(path: Path | str) -> Report:
    """Everything that can be said about a node file. Raises ConfigError if it cannot be read."""
    try:
        return _examine(Path(path))
    except RecursionError as error:
        raise ConfigError(
            f"{path}: brackets or names nest too deep; is this a node file?"
        ) from error


def _examine(path: Path) -> Report:
    source = read_source(path, schema.ARRAYS, schema.PLAIN)
    draft = Draft(source)
    apply_schema(draft)
    plan = _plan(draft)
    errors = sorted(source.faults + [fault for fault in draft.faults if not fault.warning])
    warnings = sorted(fault for fault in draft.faults if fault.warning)
    if not errors:
        plan["node"]["hash"] = _hash(plan)
    return Report(str(path), errors, warnings, None if errors else plan)


def check_file(path: Path | str) -> list[Fault]:
    """All faults, errors before warnings, each in the order of the lines."""
    report = examine(path)
    return report.errors + report.warnings


def compile_file(path: Path | str) -> dict[str, Any]:
    """The plan. Raises ConfigError whose message is all errors, one a line."""
    report = examine(path)
    if report.plan is None:
        raise ConfigError("\n".join(str(fault) for fault in report.errors))
    return report.plan


def _plan(draft: Draft) -> dict[str, Any]:
    """The parts in the order in which they need each other."""
    board = board_part(draft)
    sensors = sensor_parts(draft, board)
    model = model_part(draft)
    actuators = actuator_parts(draft)
    return {
        "v": VERSION,
        "node": _node_part(draft),
        "board": board,
        "sensors": sensors,
        "filters": filter_parts(draft),
        "model": model,
        "actuators": actuators,
        "rules": rule_parts(draft),
        "records": record_parts(draft),
        "store": store_part(draft),
        "thresholds": dict((draft.table("model") or {}).get("site") or {}),
        "uplink": uplink_part(draft),
        **wifi_part(draft),
        "power": power_part(draft, sensors, actuators),
        "replay": replay_part(draft),
    }


def _node_part(draft: Draft) -> dict[str, Any]:
    node = draft.table("node") or {}
    watchdog_s = node.get("watchdog_s")
    is_rp2 = draft.board is not None and draft.board.port == "rp2"
    if is_rp2 and schema.is_known(watchdog_s) and watchdog_s > 8:
        message = f"watchdog_s = {watchdog_s} is out of range"
        draft.fault(
            ("node", "watchdog_s"), message, "0 to 8 on RP2040, whose timer ends at 8.388 s"
        )
    offset_min = node.get("utc_offset_min")
    return {
        "name": node.get("name"),
        "sample_s": node.get("sample_s"),
        "offset_s": offset_min * 60 if schema.is_known(offset_min) else 0,
        "lat": node.get("lat"),
        "lon": node.get("lon"),
        "watchdog_s": watchdog_s,
        "unhealthy_after": node.get("unhealthy_after"),
    }


def _hash(plan: dict[str, Any]) -> str:
    """Says which settings ran; secrets are part of it only as part of the SHA-256."""
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]
