"""Reads what is not acknowledged yet, most important and oldest first.

Store -> uplink: oldest unacknowledged records; ack() once the server has committed them.
"""

from ..core import log
from .segment import HEADER_BYTES, RECORD_HEAD_BYTES, Scan

_TRAIL = 16  # positions remembered for rewind: as many batches as an uplink may have in flight


class Batch:
    """Consecutive records of one (boot, stream): `records` (list of bytes) from number `seq`.

    oldest: lowest number of this (boot, stream) that the log still holds unacknowledged.
    """

    def __init__(self, boot, stream, seq, oldest, records):
        self.boot = boot
        self.stream = stream
        self.seq = seq
        self.oldest = oldest
        self.records = records


# A place where reading goes on is a tuple (boot, seq, first, offset): record `seq` of the segment
# (boot, first) is at `offset`. Dozens may be remembered, and an object takes twice the memory.
_BOOT, _SEQ, _FIRST, _OFFSET = 0, 1, 2, 3


class Reader:
    """Made by Store.reader(). Opens one file per call and closes it again."""

    def __init__(self, store):
        self._store = store
        self._places = {}  # stream -> place
        self._trails = {}  # stream -> list of places, oldest first
        self._floors = {}  # stream -> (boot, lowest number seen since rewind)

    def next(self, max_bytes):
        """Batch whose records cost at most max_bytes (each its length + 1), None if all is read.

        One record alone may cost more. Each record is given once until rewind(); appended ones
        show up by themselves. Damaged records are skipped and counted in store.corrupt.
        """
        for stream in sorted(self._store.segments):
            i = 0
            segments = self._store.segments[stream]
            while i < len(segments):
                segment = segments[i]
                batch = self._read(segment, max_bytes)
                if batch:
                    return batch
                if i < len(segments) and segments[i] is segment:
                    i += 1  # else it was found damaged and let go
        return None

    def rewind(self):
        """Go back to the oldest unacknowledged record."""
        self._floors = {}
        for stream in list(self._places):
            place = self._last_place_before_unacked(stream)
            if place:
                self._places[stream] = place
            else:
                del self._places[stream]
            self._trails[stream] = []

    def _last_place_before_unacked(self, stream):
        boot, seq = self._store.first_unacked(stream)
        found = None
        for place in self._trails[stream]:
            if place[_BOOT] == boot and place[_SEQ] <= seq:
                found = place
        return found

    def _read(self, segment, max_bytes):
        place = self._places.get(segment.stream)
        wanted = max(segment.first, self._store.mark(segment.boot, segment.stream) + 1)
        offset, next_seq = HEADER_BYTES, segment.first
        if place and place[_BOOT] >= segment.boot:
            if place[_BOOT] > segment.boot or place[_SEQ] > segment.last:
                return None
            wanted = max(wanted, place[_SEQ])
            if place[_FIRST] == segment.first:
                offset, next_seq = place[_OFFSET], place[_SEQ]
        if wanted > segment.last:
            return None
        return self._read_from(segment, offset, next_seq, wanted, max_bytes)

    def _read_from(self, segment, offset, next_seq, wanted, max_bytes):
        try:
            file = open(self._store.file_path(segment), "rb")
            try:
                scan = Scan(file, segment, offset, next_seq)
                return self._collect(segment, scan, wanted, max_bytes)
            finally:
                file.close()
        except OSError as fault:
            log.warn("store", "%s: %r", segment.name(), fault)
            self._pass_by(segment)
            return None

    def _collect(self, segment, scan, wanted, max_bytes):
        start = None
        records = []
        while scan.seq < segment.last:
            before = (segment.boot, scan.seq + 1, segment.first, scan.offset)
            payload = scan.next()
            if payload is None:
                self._end_early(segment, before[_SEQ] - 1)
                break
            if scan.gap:
                self._store.count_damage(segment, before[_SEQ], scan.seq - 1)
            if scan.seq < wanted:
                continue
            max_bytes -= len(payload) + 1
            if records and (scan.gap or max_bytes < 0):
                self._places[segment.stream] = before
                return self._batch(segment, start, records)
            if not records:
                start = (segment.boot, scan.seq, segment.first, _start_of(scan, payload))
            records.append(payload)
            self._note(segment, scan.seq + 1, scan.offset)
        return self._batch(segment, start, records) if records else None

    def _end_early(self, segment, last):
        if not self._store.is_active(segment):
            self._store.count_damage(segment, last + 1, segment.last)
            self._store.shorten(segment, last)

    def _note(self, segment, seq, offset):
        self._places[segment.stream] = (segment.boot, seq, segment.first, offset)

    def _pass_by(self, segment):
        self._note(segment, segment.last + 1, HEADER_BYTES)

    def _batch(self, segment, start, records):
        stream = segment.stream
        self._remember(stream, start)
        seq = start[_SEQ]
        return Batch(segment.boot, stream, seq, self._oldest(segment, seq), records)

    def _remember(self, stream, place):
        """Add to the trail; forget what is of no use: all is acknowledged up to there."""
        trail = self._trails.setdefault(stream, [])
        trail.append(place)
        unacked = self._store.first_unacked(stream)
        while len(trail) > 1 and (trail[1][:_FIRST] <= unacked or len(trail) > _TRAIL):
            trail.pop(0)

    def _oldest(self, segment, seq):
        floor = self._floors.get(segment.stream)
        if not floor or floor[0] != segment.boot:
            floor = (segment.boot, seq)
            self._floors[segment.stream] = floor
        held = self._store.first_unacked(segment.stream, segment.boot)[1]
        return min(seq, max(floor[1], held))


def _start_of(scan, payload):
    return scan.offset - len(payload) - RECORD_HEAD_BYTES
