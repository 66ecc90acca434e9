"""The acknowledgement watermark of one (device, boot, stream), kept in SQLite.

upto is the highest n such that every seq <= n is stored, or was below the `oldest` of some
frame: the node no longer held it, so it will never come; such holes become rows of `gap`.
Call inside the transaction that inserts the records.
"""

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple


class StreamKey(NamedTuple):
    device: str
    boot: int
    stream: int


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of `watermark`."""

    upto: int = 0
    floor: int = 0
    top: int = 0
    stored: int = 0


_OF = "device = ? AND boot = ? AND stream = ?"


def read_mark(connection: sqlite3.Connection, key: StreamKey) -> Mark:
    sql = f"SELECT upto, floor, top, stored FROM watermark WHERE {_OF}"
    row = connection.execute(sql, key).fetchone()
    return Mark(*row) if row else Mark()


def write_mark(connection: sqlite3.Connection, key: StreamKey, mark: Mark) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO watermark VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*key, mark.upto, mark.floor, mark.top, mark.stored),
    )


def advance(
    connection: sqlite3.Connection,
    key: StreamKey,
    oldest: int,
    last: int,
    new_seqs: list[int],
    now_s: float,
) -> tuple[Mark, list[range]]:
    """Take one frame into account whose new records are inserted already.

    oldest, last: the frame's lowest held and its highest seq; new_seqs: the ones that were not
    stored before, ascending. Returns the new mark and the holes found (dropped by the node).
    """
    old = read_mark(connection, key)
    for seq in new_seqs:
        if seq <= old.upto:
            _fill_gap(connection, key, seq)
    floor = max(old.floor, oldest - 1)
    holes = _holes(connection, key, old.upto, floor) if floor > old.upto else []
    for hole in holes:
        _insert_gap(connection, key, hole, now_s)
    upto = _contiguous(connection, key, max(old.upto, floor))
    mark = Mark(upto, floor, max(old.top, last), old.stored + len(new_seqs))
    write_mark(connection, key, mark)
    return mark, holes


def _holes(connection: sqlite3.Connection, key: StreamKey, after: int, upto: int) -> list[range]:
    """Ranges of seqs in (after, upto] that are not stored."""
    sql = f"SELECT seq FROM record WHERE {_OF} AND seq > ? AND seq <= ? ORDER BY seq"
    holes, expected = [], after + 1
    for (seq,) in connection.execute(sql, (*key, after, upto)):
        if seq > expected:
            holes.append(range(expected, seq))
        expected = seq + 1
    if expected <= upto:
        holes.append(range(expected, upto + 1))
    return holes


def _contiguous(connection: sqlite3.Connection, key: StreamKey, upto: int) -> int:
    sql = f"SELECT seq FROM record WHERE {_OF} AND seq > ? ORDER BY seq"
    cursor = connection.execute(sql, (*key, upto))
    for (seq,) in cursor:
        if seq != upto + 1:
            break
        upto = seq
    cursor.close()
    return upto


def _insert_gap(
    connection: sqlite3.Connection, key: StreamKey, hole: range, noticed_s: float
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?, ?, ?)",
        (*key, hole.start, hole.stop - 1, noticed_s),
    )


def _fill_gap(connection: sqlite3.Connection, key: StreamKey, seq: int) -> None:
    """A record that was given up came after all (a delayed frame): shrink or split its gap."""
    sql = f"SELECT first_seq, last_seq, noticed_s FROM gap WHERE {_OF} AND first_seq <= ?"
    row = connection.execute(sql + " ORDER BY first_seq DESC LIMIT 1", (*key, seq)).fetchone()
    if row is None or row[1] < seq:
        return
    first, last, noticed_s = row
    connection.execute(f"DELETE FROM gap WHERE {_OF} AND first_seq = ?", (*key, first))
    for hole in (range(first, seq), range(seq + 1, last + 1)):
        if hole:
            _insert_gap(connection, key, hole, noticed_s)
