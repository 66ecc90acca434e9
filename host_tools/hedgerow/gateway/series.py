"""One value series between two times, light enough for a phone: at most `points` rows.

Past that number the range is cut into equal buckets of mean, min and max, so that a spike of one
sample in a season still shows.
"""

import sqlite3
from typing import Any

from hedgerow.gateway import queries, spans

Columns = dict[str, list[Any]]


def read_within(
    reader: sqlite3.Connection, device: str, name: str, within: tuple[float, float], points: int
) -> dict[str, Any]:
    """Shape of models.Series. within: (from_s, to_s), cut down to where there are values.

    Raises queries.NotFound for an unknown device or name.
    """
    queries.require_device(reader, device)
    sql = "SELECT id, unit FROM series WHERE device = ? AND name = ? ORDER BY last_time_s DESC"
    found = reader.execute(sql, (device, name)).fetchone()
    if found is None:
        raise queries.NotFound(f"device {device!r} has no values {name!r}")
    series, unit = found
    from_s, to_s = _cut(reader, series, *within)
    count = _count(reader, series, from_s, to_s)
    bucket_s = 0.0 if count <= points else (to_s - from_s) / points
    rows = _buckets(reader, series, from_s, to_s, bucket_s) if bucket_s else None
    rows = rows if rows is not None else _all(reader, series, from_s, to_s)
    device_spans = spans.of_device(reader, device, from_s, to_s)
    columns = _with_breaks(rows, spans.breaking(device_spans, name))
    head = {"device": device, "name": name, "unit": unit, "from_s": from_s, "to_s": to_s}
    return {**head, "bucket_s": bucket_s, **columns}


_RANGE = "FROM value WHERE series = ? AND time_s >= ? AND time_s <= ? AND value IS NOT NULL"


def _cut(
    reader: sqlite3.Connection, series: int, from_s: float, to_s: float
) -> tuple[float, float]:
    """Buckets over all time would put a whole season into one of them."""
    sql = "SELECT {} FROM value WHERE series = ?"  # two seeks; one SELECT of both would scan
    first = reader.execute(sql.format("min(time_s)"), (series,)).fetchone()[0]
    last = reader.execute(sql.format("max(time_s)"), (series,)).fetchone()[0]
    if first is None:
        return from_s, to_s
    return max(from_s, first), min(to_s, last)


def _count(reader: sqlite3.Connection, series: int, from_s: float, to_s: float) -> int:
    return int(reader.execute(f"SELECT count(*) {_RANGE}", (series, from_s, to_s)).fetchone()[0])


def _all(
    reader: sqlite3.Connection, series: int, from_s: float, to_s: float
) -> list[tuple[Any, ...]]:
    sql = f"SELECT time_s, value, value, value, backlog {_RANGE} ORDER BY time_s"
    return [tuple(row) for row in reader.execute(sql, (series, from_s, to_s))]


def _buckets(
    reader: sqlite3.Connection, series: int, from_s: float, to_s: float, bucket_s: float
) -> list[tuple[Any, ...]]:
    # The mean time of a bucket, not its middle: half-filled buckets stay where their data are.
    sql = (
        "SELECT avg(time_s), avg(value), min(value), max(value), max(backlog) "
        f"{_RANGE} GROUP BY CAST((time_s - ?) / ? AS INTEGER) ORDER BY 1"
    )
    rows = reader.execute(sql, (series, from_s, to_s, from_s, bucket_s))
    return [tuple(row) for row in rows]


def _with_breaks(rows: list[tuple[Any, ...]], gaps: list[spans.Span]) -> Columns:
    """Columns of the rows, with a row of nulls wherever a gap lies between two points."""
    names = ("t", "mean", "min", "max", "backlog")
    out: list[tuple[Any, ...]] = []
    for row in rows:
        if out and _is_broken(gaps, out[-1][0], row[0]):
            out.append(((out[-1][0] + row[0]) / 2, None, None, None, None))
        out.append(row)
    return {name: [row[i] for row in out] for i, name in enumerate(names)}


def _is_broken(gaps: list[spans.Span], before_s: float, after_s: float) -> bool:
    return any(gap.overlaps(before_s, after_s) for gap in gaps)
