"""One sentence: what a node will do, and how much it will send."""

from collections.abc import Mapping
from typing import Any

from hedgerow.config.uplink_kinds import links_of

_DAY_S = 86400
_RECORD_BYTES = 18  # SenML-CBOR of one value without its name and unit, and its place in a frame
_CHANGES_A_DAY = 6  # how often a well chosen deadband lets a value through


def sensed_bytes_a_day(plan: dict[str, Any]) -> int:
    """Raw bytes that the sensors deliver."""
    samples = _DAY_S // plan["node"]["sample_s"]
    return samples * sum(sensor["raw_bytes"] for sensor in plan["sensors"])


def kept_bytes_a_day(plan: dict[str, Any]) -> int:
    """Estimate of what is kept and sent; changes are assumed to come _CHANGES_A_DAY times."""
    names = channel_names(plan)
    total = 0.0
    for record in plan["records"]:
        size = _RECORD_BYTES + len(names[record["i"]])
        total += size * _reports_a_day(record, plan["node"]["sample_s"])
        if record["summary_s"]:
            values = 1 if record["mean_only"] else 2  # three names share one beginning
            total += values * size * max(_DAY_S // record["summary_s"], 1)
    if plan["model"]:
        total += 60 * _runs_a_day(plan["model"])
    return int(total)


def records_a_day(plan: Mapping[str, Any]) -> float:
    """Estimate of how many records are written, with the assumption of kept_bytes_a_day."""
    total = _runs_a_day(plan["model"]) * 2 if plan["model"] else 0.0
    for record in plan["records"]:
        total += _reports_a_day(record, plan["node"]["sample_s"])
        total += _DAY_S / record["summary_s"] if record["summary_s"] else 0
    return total


def _reports_a_day(record: dict[str, Any], sample_s: int) -> float:
    least = _DAY_S / record["max_s"] if record["max_s"] else 0
    changes = _CHANGES_A_DAY if record["deadband"] >= 0 else 0
    return min(max(least, changes), _DAY_S / sample_s)


def _runs_a_day(model: dict[str, Any]) -> float:
    return len(model["at_s"]) or _DAY_S / model["every_s"]


def channel_names(plan: dict[str, Any]) -> list[str]:
    """Names of the value vector."""
    names = [channel[0] for sensor in plan["sensors"] for channel in sensor["channels"]]
    outputs = plan["model"]["outputs"] if plan["model"] else []
    return names + [f"model.{name}" for name in outputs]


def summary(plan: dict[str, Any]) -> str:
    """For the last line of `hedgerow check`."""
    return "; ".join([_senses(plan), *_decides(plan), _keeps(plan)])


def _senses(plan: dict[str, Any]) -> str:
    node, sensors = plan["node"], plan["sensors"]
    count = sum(len(sensor["channels"]) for sensor in sensors)
    names = ", ".join(sensor["name"] for sensor in sensors)
    return (
        f"{node['name']} on {plan['board']['name']} reads {names} "
        f"({_many(count, 'channel')}) every {duration(node['sample_s'])}"
    )


def _decides(plan: dict[str, Any]) -> list[str]:
    parts = []
    power = plan.get("power")
    if power and power["sleep"] != "none":
        every = duration(power["uplink_every_s"])
        also = " and after events" if power["on_events"] else ""
        link = f", connecting every {every}{also}" if plan["uplink"] else ""
        parts.append(f"sleeps between ({power['sleep']}){link}")
    model = plan["model"]
    if model:
        at = ", ".join(f"{s // 3600:02d}:{s % 3600 // 60:02d}" for s in model["at_s"])
        when = f"at {at}" if at else f"every {duration(model['every_s'])}"
        parts.append(f"runs {model['file'].rpartition('/')[2]} {when}")
    for index, actuator in enumerate(plan["actuators"]):
        names = [rule["name"] for rule in plan["rules"] if rule["actuator"] == index]
        most = f"at most {duration(actuator['max_on_s'])} at a time"
        if actuator["max_s_per_day"]:
            most += f", {duration(actuator['max_s_per_day'])} a day"
        if names:
            parts.append(f"{_many(len(names), 'rule')} switch {actuator['name']} ({most})")
    return parts


def _keeps(plan: dict[str, Any]) -> str:
    kept, sensed = kept_bytes_a_day(plan), sensed_bytes_a_day(plan)
    uplink = plan["uplink"]
    where = _uplink(uplink) if uplink else "in its store only"
    days = plan["store"]["max_bytes"] // max(kept, 1)
    return (
        f"about {size(kept)} a day {where}, of {size(sensed)} sensed; "
        f"offline, the store holds about {_many(days, 'day')}"
    )


def _uplink(uplink: dict[str, Any]) -> str:
    return ", else ".join(_link(link) for link in links_of(uplink))


def _link(uplink: Mapping[str, Any]) -> str:
    to = f"to {uplink['host']} " if "host" in uplink else ""
    return f"{to}by {uplink['kind']}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def duration(seconds: int) -> str:
    """900 -> "15 min"."""
    for unit, length in (("day", _DAY_S), ("h", 3600), ("min", 60)):
        if seconds % length == 0 and seconds >= length:
            count = seconds // length
            return _many(count, unit) if unit == "day" else f"{count} {unit}"
    return f"{seconds} s"


def size(count: int) -> str:
    """1600 -> "1.6 kB"."""
    return f"{count / 1000:.1f} kB" if count >= 1000 else f"{count} bytes"
