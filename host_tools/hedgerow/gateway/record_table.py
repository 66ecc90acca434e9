"""Insert-or-ignore of a frame's records, and their values for charts.

The key is (device, boot, stream, seq). A key that is stored with the same payload is a
duplicate; with another payload it is a conflict, kept aside and never overwriting.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from hedgerow.gateway import rows
from hedgerow.gateway.watermark import StreamKey

_MAX_SERIES_PER_DEVICE = 256  # a node that invents names must not fill the database
_SLOT_S = 600.0  # of the table `activity`


@dataclass(frozen=True, slots=True)
class Stored:
    """One record that was new. entries is None if its payload is not a readable pack."""

    seq: int
    payload: bytes
    entries: list[rows.Entry] | None
    device_time_s: float | None
    time_s: float


@dataclass(slots=True)
class Inserted:
    """What became of one frame's records."""

    new: list[Stored] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    duplicates: int = 0
    refused_series: set[str] = field(default_factory=set)

    @property
    def undecodable(self) -> int:
        return sum(record.entries is None for record in self.new)


class RecordTable:
    """Writes `record`, `value`, `series`, `activity`, `conflict` in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection
        self._series: dict[str, dict[tuple[str, str], int]] = {}

    def forget(self) -> None:
        """Drop cached series ids; a transaction that made some was rolled back."""
        self._series.clear()

    def insert(
        self,
        key: StreamKey,
        first_seq: int,
        payloads: Sequence[bytes],
        *,
        received_s: float,
        backlog: bool,
    ) -> Inserted:
        """Store what is new of consecutive records first_seq, first_seq + 1, ..."""
        result = Inserted()
        known = self._known(key, first_seq, first_seq + len(payloads) - 1)
        for seq, payload in enumerate(payloads, start=first_seq):
            if seq not in known:
                result.new.append(_stored(seq, bytes(payload), received_s))
            elif known[seq] == payload:
                result.duplicates += 1
            else:
                self._keep_conflict(key, seq, bytes(payload), received_s)
                result.conflicts.append(seq)
        self._insert_records(key, result.new, received_s, backlog)
        self._insert_values(key, result, backlog)
        return result

    def _known(self, key: StreamKey, first: int, last: int) -> dict[int, bytes]:
        sql = (
            "SELECT seq, payload FROM record "
            "WHERE device = ? AND boot = ? AND stream = ? AND seq BETWEEN ? AND ?"
        )
        return dict(self._connection.execute(sql, (*key, first, last)).fetchall())

    def _keep_conflict(self, key: StreamKey, seq: int, payload: bytes, received_s: float) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO conflict VALUES (?, ?, ?, ?, ?, ?)",
            (*key, seq, payload, received_s),
        )

    def _insert_records(
        self, key: StreamKey, new: list[Stored], received_s: float, backlog: bool
    ) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (*key, r.seq, r.payload, r.device_time_s, received_s, r.time_s, int(backlog))
                for r in new
            ],
        )
        slots = {(key.device, int(r.time_s // _SLOT_S)) for r in new}
        self._connection.executemany("INSERT OR IGNORE INTO activity VALUES (?, ?)", slots)

    def _insert_values(self, key: StreamKey, result: Inserted, backlog: bool) -> None:
        values, last = [], {}
        for record in result.new:
            for position, entry in enumerate(record.entries or ()):
                series = self._series_id(key, record, entry)
                if series is None:
                    result.refused_series.add(entry.name)
                    continue
                time_s = _entry_time(entry, record)
                origin = (key.boot, key.stream, record.seq, position)
                values.append((series, time_s, *origin, entry.value, entry.text, int(backlog)))
                last[series] = (time_s, entry.value, entry.text, record.seq)
        self._connection.executemany(
            "INSERT OR IGNORE INTO value VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values
        )
        self._renew_last(key.boot, last)

    def _renew_last(
        self, boot: int, last: dict[int, tuple[float, float | None, str | None, int]]
    ) -> None:
        # Order is (boot, seq): a device clock that jumped must not freeze the last value.
        self._connection.executemany(
            "UPDATE series SET last_boot = ?, last_seq = ?, last_time_s = ?, last_value = ?, "
            "last_text = ? WHERE id = ? AND (last_boot, last_seq) <= (?, ?)",
            [
                (boot, seq, time_s, value, text, series, boot, seq)
                for series, (time_s, value, text, seq) in last.items()
            ],
        )

    def _series_id(self, key: StreamKey, record: Stored, entry: rows.Entry) -> int | None:
        """Id of the entry's series, made if new; None if the device has too many."""
        known = self._series.get(key.device)
        if known is None:
            known = self._series[key.device] = self._load_series(key.device)
        name_unit = (entry.name, entry.unit)
        if name_unit not in known:
            if len(known) >= _MAX_SERIES_PER_DEVICE:
                return None
            known[name_unit] = self._new_series(key, record, entry)
        return known[name_unit]

    def _load_series(self, device: str) -> dict[tuple[str, str], int]:
        sql = "SELECT name, unit, id FROM series WHERE device = ?"
        return {(name, unit): id_ for name, unit, id_ in self._connection.execute(sql, (device,))}

    def _new_series(self, key: StreamKey, record: Stored, entry: rows.Entry) -> int:
        cursor = self._connection.execute(
            "INSERT INTO series (device, name, unit, last_boot, last_seq, last_time_s) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (key.device, entry.name, entry.unit, key.boot, record.seq, record.time_s),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def _stored(seq: int, payload: bytes, received_s: float) -> Stored:
    entries = rows.decode(payload)
    device_time_s = rows.pack_time(entries)
    return Stored(seq, payload, entries, device_time_s, rows.chart_time(device_time_s, received_s))


def _entry_time(entry: rows.Entry, record: Stored) -> float:
    """Entries of one pack may carry their own times; without a set clock all get the record's."""
    return rows.chart_time(entry.time_s, record.time_s)
