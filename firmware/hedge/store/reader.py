"""Reads what is not acknowledged yet, most important and oldest first.

Store -> uplink: oldest unacknowledged records; ack() once the server has committed them.
"""

from ..core import log
from .segment import HEADER_BYTES, Scan

_START = (None, 0, 0, 0)
_TRAIL = 16  # places remembered for rewind: as many batches as an uplink may have in flight


class Batch:
    """Consecutive records of one (boot, stream): `records` (list of bytes) from number `seq`.

    oldest: what is below it of this (boot, stream) will never come: the log no longer holds it.
    """

    def __init__(self, boot, stream, seq, oldest, records):
        self.boot = boot
        self.stream = stream
        self.seq = seq
        self.oldest = oldest
        self.records = records


class Reader:
    """Made by Store.reader(). Opens one file per call and closes it again.

    A place is (segment, offset, boot, seq): what is behind record (boot, seq). Dozens may be
    remembered, hence plain tuples.
    """

    def __init__(self, store):
        self._store = store
        self._places = {}  # stream -> place
        self._trails = {}  # stream -> list of places before batches
        self._starts = {}  # stream -> (boot, seq): after damage nothing before it will come

    def next(self, max_bytes):
        """Batch whose records cost at most max_bytes (each its length + 1), None if all is read.

        One record alone may cost more. Each record is given once until rewind(); appended ones
        show up by themselves. Damaged records are skipped and counted in store.corrupt.
        """
        for stream in self._store.streams():
            i = 0
            while stream.head[0] and i < len(stream.segments):
                segment = stream.segments[i]
                batch = self._read(stream, segment, max_bytes)
                if batch:
                    return batch
                if i < len(stream.segments) and stream.segments[i] is segment:
                    i += 1  # else it was found damaged and let go
        return None

    def rewind(self):
        """Go back to the oldest unacknowledged record."""
        self._starts = {}
        for stream in self._store.streams():
            found = None
            for place in self._trails.pop(stream.number, ()):
                if place[2:] < stream.head:
                    found = place
            self._places.pop(stream.number, None)
            if found:
                self._places[stream.number] = found

    def _read(self, stream, segment, max_bytes):
        place = self._places.get(stream.number, _START)
        if segment.end() <= max(place[2:], stream.floor):
            return None
        try:
            file = self._store.volume.open_read(segment)
            try:
                at = place[1:] if place[0] is segment else (HEADER_BYTES, 0, 0)
                scan = Scan(file, segment, *at, segment.size)
                return self._collect(stream, segment, scan, max_bytes)
            finally:
                file.close()
        except OSError as fault:
            log.warn("store", "%s: %r", segment.name(), fault)
            self._places[stream.number] = segment, 0, segment.last_boot, segment.last
            self._starts[stream.number] = None  # where it goes on after this is not known yet
            return None

    def _collect(self, stream, segment, scan, max_bytes):
        number = stream.number
        batch = None
        while (scan.boot, scan.seq) < segment.end():
            before = self._places.get(number)
            here = _place(segment, scan)
            payload = scan.next()
            if payload is None:
                self._end_early(stream, segment, here)
                break
            if scan.gap:
                from .trouble import count_damage

                count_damage(stream, segment, scan.boot, scan.seq - scan.gap, scan.seq - 1)
            self._note_jump(number, scan, before)
            self._places[number] = _place(segment, scan)
            if stream.is_acked(scan.boot, scan.seq):
                continue
            max_bytes -= len(payload) + 1
            if batch and (max_bytes < 0 or not _follows(batch, scan)):
                self._places[number] = here
                break
            if not batch:
                batch = self._begin(stream, segment, scan, here)
            batch.records.append(payload)
        return batch

    def _note_jump(self, number, scan, before):
        """Remember where the records go on after some that are missing."""
        last = before[2:] if before else (0, 0)
        key = scan.boot, scan.seq
        unreadable = self._starts.get(number, last) is None
        missing = last[0] == scan.boot and scan.seq > last[1] + 1
        if unreadable or missing or (scan.gap and key > last):
            self._starts[number] = key

    def _begin(self, stream, segment, scan, here):
        number = stream.number
        oldest = stream.first_of(scan.boot)
        start = self._starts.get(number)
        if start and start[0] == scan.boot:
            oldest = max(oldest, start[1])
        self._remember(stream, here)
        return Batch(scan.boot, number, scan.seq, oldest, [])

    def _remember(self, stream, place):
        """Add to the trail; forget what is of no use: all is acknowledged up to there."""
        trail = self._trails.setdefault(stream.number, [])
        trail.append(place)
        while len(trail) > 1 and (trail[1][2:] < stream.head or len(trail) > _TRAIL):
            trail.pop(0)

    def _end_early(self, stream, segment, here):
        """Nothing sound is left behind this place, though there were records."""
        if segment is not stream.active:
            from .trouble import shorten

            shorten(self._store, stream, segment, here[2], here[3])


def _place(segment, scan):
    return segment, scan.offset, scan.boot, scan.seq


def _follows(batch, scan):
    return scan.boot == batch.boot and scan.seq == batch.seq + len(batch.records)
