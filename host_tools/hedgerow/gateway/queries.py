"""Reads for the HTTP API, each on a read-only connection. Row shapes are those of models.py."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from hedgerow.gateway import rows

Row = dict[str, Any]

_DAY_S = 86400.0


class NotFound(Exception):
    """No such device or series; the message says which."""


def devices(reader: sqlite3.Connection) -> list[Row]:
    """Every device with its last values, by name."""
    found = [_device(row) for row in reader.execute("SELECT * FROM device ORDER BY id")]
    last = _grouped(reader, _LAST)
    missing = dict(_pairs(reader, "SELECT device, sum(top - upto) FROM watermark GROUP BY device"))
    dropped = dict(_pairs(reader, _DROPPED))
    alerts = dict(_pairs(reader, _OPEN_ALERTS))
    for device in found:
        id_ = device["id"]
        device["last"] = last.get(id_, [])
        device["missing"], device["dropped"] = missing.get(id_, 0), dropped.get(id_, 0)
        device["open_alerts"] = alerts.get(id_, 0)
    return found


_LAST = (
    "SELECT device, name, unit, last_time_s AS time_s, last_value AS value, last_text AS text "
    "FROM series ORDER BY device, name"
)
_DROPPED = "SELECT device, sum(last_seq - first_seq + 1) FROM gap GROUP BY device"
_OPEN_ALERTS = "SELECT device, count(*) FROM alert WHERE closed_s IS NULL GROUP BY device"


def _pairs(reader: sqlite3.Connection, sql: str) -> Iterable[tuple[str, int]]:
    return [(row[0], int(row[1])) for row in reader.execute(sql)]


def _grouped(reader: sqlite3.Connection, sql: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in reader.execute(sql):
        groups.setdefault(row["device"], []).append(dict(row))
    return groups


def _device(row: Mapping[str, Any]) -> Row:
    info = json.loads(row["info"])
    device = {name: row[name] for name in row.keys()}  # noqa: SIM118  sqlite3.Row is no Mapping
    device["info"] = info
    device["name"] = str(info.get("name") or row["id"])
    device["boot"] = row["last_boot"]
    device["catching_up"] = bool(row["last_backlog"]) and row["status"] != "offline"
    return device


def device(reader: sqlite3.Connection, id_: str) -> Row:
    """One of devices(). Raises NotFound."""
    for found in devices(reader):
        if found["id"] == id_:
            return found
    raise NotFound(f"no device {id_!r}")


def require_device(reader: sqlite3.Connection, id_: str) -> Mapping[str, Any]:
    """The row of `device`. Raises NotFound."""
    row = reader.execute("SELECT * FROM device WHERE id = ?", (id_,)).fetchone()
    if row is None:
        raise NotFound(f"no device {id_!r}")
    return row


def events(
    reader: sqlite3.Connection, id_: str, from_s: float, to_s: float, kind: str, limit: int
) -> list[Row]:
    """Records of stream 0, newest first; kind: start of the first entry's name, "" for all."""
    require_device(reader, id_)
    sql = (
        "SELECT boot, seq, payload, time_s, received_s, backlog FROM record "
        "WHERE device = ? AND stream = 0 AND time_s BETWEEN ? AND ? "
        "ORDER BY time_s DESC, boot DESC, seq DESC"
    )
    found = []
    for row in reader.execute(sql, (id_, from_s, to_s)):
        event = _event(row)
        if event["kind"].startswith(kind):
            found.append(event)
        if len(found) >= limit:
            break
    return found


def _event(row: Mapping[str, Any]) -> Row:
    entries = rows.decode(row["payload"]) or []
    return {
        "time_s": row["time_s"],
        "received_s": row["received_s"],
        "boot": row["boot"],
        "seq": row["seq"],
        "backlog": bool(row["backlog"]),
        "kind": entries[0].name if entries else "",
        "entries": [
            {"name": e.name, "unit": e.unit, "value": e.value, "text": e.text} for e in entries
        ],
    }


def sequences(reader: sqlite3.Connection, id_: str) -> list[Row]:
    """Watermark, count and gaps of each (boot, stream) of a device."""
    require_device(reader, id_)
    gaps: dict[tuple[int, int], list[Row]] = {}
    for gap in reader.execute("SELECT * FROM gap WHERE device = ?", (id_,)):
        gaps.setdefault((gap["boot"], gap["stream"]), []).append(dict(gap))
    sql = "SELECT * FROM watermark WHERE device = ? ORDER BY boot, stream"
    return [
        {
            "boot": row["boot"],
            "stream": row["stream"],
            "watermark": row["upto"],
            "top": row["top"],
            "count": row["stored"],
            "gaps": gaps.get((row["boot"], row["stream"]), []),
        }
        for row in reader.execute(sql, (id_,))
    ]


def records(
    reader: sqlite3.Connection, id_: str, origin: tuple[int, int], after: int, limit: int
) -> list[tuple[int, str]]:
    """(seq, payload in hex) of one (boot, stream), the first `limit` past seq `after`."""
    require_device(reader, id_)
    sql = (
        "SELECT seq, payload FROM record WHERE device = ? AND boot = ? AND stream = ? "
        "AND seq > ? ORDER BY seq LIMIT ?"
    )
    found = reader.execute(sql, (id_, *origin, after, limit))
    return [(row["seq"], bytes(row["payload"]).hex()) for row in found]


def alerts(reader: sqlite3.Connection, *, open_only: bool, limit: int) -> list[Row]:
    """Open ones first, then the latest closed."""
    where = "WHERE closed_s IS NULL" if open_only else ""
    sql = f"SELECT * FROM alert {where} ORDER BY closed_s IS NOT NULL, opened_s DESC LIMIT ?"
    return [dict(row) for row in reader.execute(sql, (limit,))]


def stats(reader: sqlite3.Connection, wall_s: float) -> Row:
    """Totals of the whole database, without what only the running gateway knows."""
    total = reader.execute(
        "SELECT count(*) AS devices, coalesce(sum(records), 0) AS records, "
        "coalesce(sum(duplicates), 0) AS duplicates, "
        "coalesce(sum(undecodable), 0) AS undecodable, "
        "coalesce(sum(frames), 0) AS frames, coalesce(sum(frame_bytes), 0) AS frame_bytes, "
        "max(last_time_s) AS newest_s FROM device"
    ).fetchone()
    result = dict(total)
    result["now_s"] = data_now_s(result.pop("newest_s"), wall_s)
    result["wall_s"] = wall_s
    result["conflicts"] = _number(reader, "SELECT count(*) FROM conflict")
    result["dropped"] = _number(reader, "SELECT sum(last_seq - first_seq + 1) FROM gap")
    result["rejects"] = [dict(row) for row in reader.execute("SELECT * FROM reject")]
    result["generation"] = _number(reader, "SELECT value FROM meta WHERE key = 'generation'")
    result["schema_version"] = _number(reader, "PRAGMA user_version")
    pages = _number(reader, "PRAGMA page_count")
    result["database_bytes"] = pages * _number(reader, "PRAGMA page_size")
    result["raw_bytes"] = _counter(reader, "raw_bytes")
    result["sent_bytes"] = _counter(reader, "sent_bytes")
    return result


def data_now_s(newest_s: float | None, wall_s: float) -> float:
    """Where charts end: the wall clock, or the newest record where that is a day away from it.

    Simulations and replays run in their own time; a farm whose nodes all died yesterday
    must still see "now".
    """
    if newest_s is None or abs(newest_s - wall_s) < _DAY_S:
        return wall_s
    return newest_s


def _number(reader: sqlite3.Connection, sql: str) -> int:
    row = reader.execute(sql).fetchone()
    return int(row[0] or 0) if row else 0


def _counter(reader: sqlite3.Connection, suffix: str) -> float | None:
    """Sum over all devices and boots of a counter that restarts at 0 with each boot."""
    ids = [
        r[0] for r in reader.execute("SELECT id FROM series WHERE name LIKE ?", ("%" + suffix,))
    ]
    sql = (
        "SELECT sum(top) FROM (SELECT max(value) AS top FROM value WHERE series = ? GROUP BY boot)"
    )
    totals = [reader.execute(sql, (id_,)).fetchone()[0] for id_ in ids]
    return sum(total or 0 for total in totals) if totals else None
