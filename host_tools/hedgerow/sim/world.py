"""The world of a simulated node as plain data: what run_node.py gets in sim.json.

A world is {"kind": "field", ...} with soil, site and daily weather, or {"kind": "replay", ...}
with a recording. Values are real units; the device side turns them into what chips answer.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hedgerow.emulate.field import SITE, SOIL
from hedgerow.emulate.weather import Weather
from hedgerow.errors import ConfigError
from hedgerow.sim.recording import load_recording

DAY_S = 86400
_SPARE_DAYS = 2  # the field looks one day ahead, and a local day may begin before the UTC day


@dataclass(frozen=True)
class Span:
    """Virtual time of a run, seconds since 1970 UTC."""

    start_s: int
    end_s: int

    @property
    def days(self) -> float:
        return (self.end_s - self.start_s) / DAY_S


def local_midnight_s(day: date, utc_offset_s: int) -> int:
    """Seconds since 1970 at which this day begins for the node."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(seconds=utc_offset_s)
    return int(begin.timestamp())


def field_world(
    plan: dict[str, Any],
    weather: Weather,
    *,
    seed: int,
    soil: dict[str, float] | None = None,
    area_m2: float | None = None,
    dry_pct: float | None = None,
) -> dict[str, Any]:
    """A bed of soil under this weather for the node of the plan; missing soil keys as in SOIL.

    dry_pct: below it a day counts as dry; the caller passes what the node file calls dry, so that
    the score uses the owner's word. None takes FAO-56's limit (depletion beyond RAW).
    """
    node = plan["node"]
    site = {"lat": node.get("lat") or SITE["lat"], "utc_offset_s": node["offset_s"]}
    if area_m2 is not None:
        site["area_m2"] = area_m2
    return {
        "kind": "field",
        "soil": dict(SOIL, **(soil or {})),
        "site": dict(SITE, **site),
        "days": weather.days,
        "seed": seed,
        "dry_pct": dry_pct,
    }


def replay_world(plan: dict[str, Any], path: Path, overrides: dict[str, str]) -> dict[str, Any]:
    """A recording; its columns from the [replay] section, changed by `--map`.

    Raises ConfigError if nothing is mapped, a channel is unknown or the file is bad.
    """
    section = plan.get("replay") or {}
    columns = {**(section.get("columns") or {}), **overrides}
    known = [channel[0] for sensor in plan["sensors"] for channel in sensor["channels"]]
    if not columns:
        raise ConfigError("no column is mapped; add [replay.columns] or --map soil.vwc=COLUMN")
    for channel in columns:
        if channel not in known:
            raise ConfigError(f"--map: no channel {channel!r}; the node has {', '.join(known)}")
    data = load_recording(
        path,
        time_column=section.get("time") or "date",
        columns=columns,
        utc_offset_s=plan["node"]["offset_s"],
    )
    return {"kind": "replay", **data}


def replay_span(
    world: dict[str, Any], start: date | None, days: float | None, offset_s: int
) -> Span:
    """All of the recording, or `days` of it from `start`."""
    times = world["times"]
    start_s = times[0] if start is None else local_midnight_s(start, offset_s)
    end_s = times[-1] + world["hold_s"]
    if not times[0] <= start_s < end_s:
        raise ConfigError(f"--start {start} is outside the recording")
    return Span(start_s, end_s if days is None else min(end_s, start_s + int(days * DAY_S)))


def field_span(start: date, days: float, offset_s: int) -> Span:
    """`days` days from local midnight of `start`."""
    start_s = local_midnight_s(start, offset_s)
    return Span(start_s, start_s + int(days * DAY_S))


def weather_days(days: float) -> int:
    """Days of weather that a field needs for a run of this length."""
    return int(days) + 1 + _SPARE_DAYS
