"""Read a CSV recording for `--replay`: columns to channels, times to seconds, faults by line.

    data = load_recording(path, time_column="date", columns={"soil.vwc": "E1_s1_vwc_pct"},
                          utc_offset_s=0)
    Recording(data)      # emulate/replay.py, on the device side

Times are seconds since 1970, or ISO 8601 dates and times; without an offset they are local time of
the node. An empty cell is a gap. Values are taken as they are: the columns must have the units of
their channels.
"""

import csv
import math
from collections import Counter
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

from hedgerow.errors import ConfigError

_EMPTY = {"", "nan", "na", "null"}


def load_recording(
    path: Path, *, time_column: str, columns: dict[str, str], utc_offset_s: int
) -> dict[str, Any]:
    """{"times": [s], "hold_s": s, "columns": {channel: [float or None]}}, sorted by time.

    Raises ConfigError naming file:line for a missing file or column, a bad number, a bad date, or
    rows out of order.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _load(path, csv.reader(file), time_column, columns, utc_offset_s)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot read the recording: {error}") from error


def _load(
    path: Path, reader: Any, time_column: str, columns: dict[str, str], offset_s: int
) -> dict:
    header = next(reader, None)
    if header is None:
        raise ConfigError(
            f"{path}:1: the recording is empty; its first line must name the columns"
        )
    time_at = _find(path, header, time_column, "time")
    places = {channel: _find(path, header, name, channel) for channel, name in columns.items()}
    times: list[int] = []
    values: dict[str, list[float | None]] = {channel: [] for channel in columns}
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        place = f"{path}:{reader.line_num}"
        times.append(_next_time(place, row, time_at, times, offset_s))
        for channel, at in places.items():
            values[channel].append(_number(place, header[at], row, at))
    if not times:
        raise ConfigError(f"{path}:2: the recording has no rows")
    return {"times": times, "hold_s": _usual_step_s(times), "columns": values}


def _find(path: Path, header: list[str], name: str, use: str) -> int:
    if name in header:
        return header.index(name)
    close = get_close_matches(name, header, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(header)}"
    raise ConfigError(f"{path}:1: no column {name!r} (for {use}); {hint}")


def _next_time(place: str, row: list[str], at: int, times: list[int], offset_s: int) -> int:
    time_s = _time_s(place, row[at] if at < len(row) else "", offset_s)
    if times and time_s <= times[-1]:
        raise ConfigError(
            f"{place}: time {row[at]!r} is not later than the row before; sort the file"
        )
    return time_s


def _time_s(place: str, text: str, offset_s: int) -> int:
    text = text.strip().replace("/", "-")
    try:
        if text.replace(".", "", 1).isdigit():
            return int(float(text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"{place}: {text!r} is not a time; write 2018-07-01, 2018-07-01T12:30 or epoch seconds"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(seconds=offset_s)))
    return int(moment.timestamp())


def _number(place: str, column: str, row: list[str], at: int) -> float | None:
    text = row[at].strip() if at < len(row) else ""
    if text.lower() in _EMPTY:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise ConfigError(
            f"{place}: column {column!r}: {text!r} is not a number; leave a gap empty"
        )
    return value


def _usual_step_s(times: list[int]) -> int:
    """The most frequent distance between rows: a value holds that long."""
    steps = Counter(b - a for a, b in pairwise(times))
    return steps.most_common(1)[0][0] if steps else 86400
