"""Stretches of time in which something was missing, for shading charts and breaking lines.

outage: the node said that its link was down (its records come later, as backlog).
off: between the last record of one boot and the first of the next. sensor: failed.
dropped: the node threw records away. silent: no record at all for longer than a day.
"""

import itertools
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hedgerow.gateway import queries

_SLOT_S = 600.0  # of the table `activity`
_SILENT_S = 26 * 3600.0  # the daily summary is missing
_MAX_SPANS = 1000


@dataclass(frozen=True, slots=True)
class Span:
    kind: str
    from_s: float
    to_s: float | None
    text: str

    def overlaps(self, from_s: float, to_s: float) -> bool:
        return self.from_s < to_s and (self.to_s is None or self.to_s > from_s)


def of_device(reader: sqlite3.Connection, id_: str, from_s: float, to_s: float) -> list[Span]:
    """All spans of a device that touch [from_s, to_s], by start. Raises queries.NotFound."""
    device = queries.require_device(reader, id_)
    spans = [
        *_states(reader, id_, "link", "outage"),
        *_states(reader, id_, "health.%", "sensor"),
        *(off := _off(reader, id_, _sample_s(device))),
        *_dropped(reader, id_),
        *_offline(device),
    ]
    spans += [
        silent
        for silent in _silent(reader, id_, from_s, to_s)
        if not any(span.overlaps(silent.from_s, silent.to_s or to_s) for span in off)
    ]
    found = [span for span in spans if span.overlaps(from_s, to_s)]
    return sorted(found, key=lambda span: span.from_s)[:_MAX_SPANS]


def breaking(spans: Iterable[Span], name: str) -> list[Span]:
    """Those across which a line of values of this name must not be drawn."""
    sensor = name.split(".", 1)[0]
    kinds = ("off", "dropped", "silent")
    return [s for s in spans if s.kind in kinds or (s.kind == "sensor" and s.text == sensor)]


def _sample_s(device: Mapping[str, Any]) -> float:
    value = json.loads(device["info"]).get("sample_s")
    return float(value) if isinstance(value, int | float) and value > 0 else 900.0


def _states(reader: sqlite3.Connection, id_: str, like: str, kind: str) -> list[Span]:
    """Spans in which an on/off event series was 0."""
    spans = []
    sql = "SELECT id, name FROM series WHERE device = ? AND name LIKE ? ORDER BY name"
    for series, name in reader.execute(sql, (id_, like)).fetchall():
        text = name.removeprefix("health.") if kind == "sensor" else "link down"
        values = reader.execute(
            "SELECT time_s, value FROM value WHERE series = ? AND value IS NOT NULL "
            "ORDER BY boot, seq, entry",
            (series,),
        )
        spans += _down_spans(values, kind, text)
    return spans


def _down_spans(values: Iterable[tuple[float, float]], kind: str, text: str) -> list[Span]:
    spans, since_s = [], None
    for time_s, value in values:
        if not value:
            since_s = time_s if since_s is None else since_s
        elif since_s is not None:
            spans.append(Span(kind, since_s, time_s, text))
            since_s = None
    if since_s is not None:
        spans.append(Span(kind, since_s, None, text))
    return spans


def _off(reader: sqlite3.Connection, id_: str, sample_s: float) -> list[Span]:
    boots = _boot_times(reader, id_)
    spans = []
    for (_, before), (boot, after) in itertools.pairwise(boots):
        if after[0] - before[1] > 3 * sample_s:
            spans.append(Span("off", before[1], after[0], f"node was off before boot {boot}"))
    return spans


def _boot_times(reader: sqlite3.Connection, id_: str) -> list[tuple[int, tuple[float, float]]]:
    """(boot, (time of its first record, of its last)), oldest boot first."""
    times: dict[int, list[float]] = {}
    streams = "SELECT boot, stream FROM watermark WHERE device = ? ORDER BY boot"
    for boot, stream in reader.execute(streams, (id_,)).fetchall():
        for order in ("ASC", "DESC"):
            sql = (
                "SELECT time_s FROM record WHERE device = ? AND boot = ? AND stream = ? "
                f"ORDER BY seq {order} LIMIT 1"
            )
            row = reader.execute(sql, (id_, boot, stream)).fetchone()
            if row:
                times.setdefault(boot, []).append(row[0])
    return [(boot, (min(found), max(found))) for boot, found in sorted(times.items())]


def _dropped(reader: sqlite3.Connection, id_: str) -> list[Span]:
    spans = []
    sql = "SELECT * FROM gap WHERE device = ? ORDER BY boot, stream, first_seq LIMIT ?"
    for gap in reader.execute(sql, (id_, _MAX_SPANS)).fetchall():
        before = _neighbour(reader, gap, "seq < ?", gap["first_seq"], "DESC")
        after = _neighbour(reader, gap, "seq > ?", gap["last_seq"], "ASC")
        count = gap["last_seq"] - gap["first_seq"] + 1
        if after is not None:
            text = f"{count} records dropped by the node"
            spans.append(Span("dropped", after if before is None else before, after, text))
    return spans


def _neighbour(
    reader: sqlite3.Connection, gap: Mapping[str, Any], where: str, seq: int, order: str
) -> float | None:
    sql = (
        "SELECT time_s FROM record WHERE device = ? AND boot = ? AND stream = ? "
        f"AND {where} ORDER BY seq {order} LIMIT 1"
    )
    row = reader.execute(sql, (gap["device"], gap["boot"], gap["stream"], seq)).fetchone()
    return row[0] if row else None


def _silent(reader: sqlite3.Connection, id_: str, from_s: float, to_s: float) -> list[Span]:
    sql = "SELECT slot FROM activity WHERE device = ? AND slot BETWEEN ? AND ? ORDER BY slot"
    reach = (int((from_s - _SILENT_S) // _SLOT_S), int((to_s + _SILENT_S) // _SLOT_S))
    slots = [row[0] for row in reader.execute(sql, (id_, *reach))]
    return [
        Span("silent", (before + 1) * _SLOT_S, after * _SLOT_S, "nothing recorded")
        for before, after in itertools.pairwise(slots)
        if (after - before) * _SLOT_S > _SILENT_S
    ]


def _offline(device: Mapping[str, Any]) -> list[Span]:
    if device["status"] != "offline" or device["last_time_s"] is None:
        return []
    return [Span("outage", device["last_time_s"], None, "offline")]
