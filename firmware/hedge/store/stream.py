"""One stream of the log: its segments, and how far they are acknowledged.

Starts may be many (a node that restarts in a loop), so nothing is kept per start: everything up to
`floor` is acknowledged or given up, and of later starts a few marks.
"""

from ..core import log
from .segment import Scan

_MOST_MARKS = 16  # above the floor; a mark that is forgotten only sends its records again
_NONE = (0, 0)


class Stream:
    """segments: oldest first. head: (boot, seq) of the oldest record that is not acknowledged,
    (0, 0) if all are. Damage that was not read yet counts as records."""

    # In the class what often stays so: an object's own values cost heap.
    next_seq = 1  # of this start
    active = None  # segment that is appended to
    above = {}  # boot -> upto, of boots later than the head's; this one stays empty
    floor = _NONE
    head = _NONE
    _head_at = 0  # index of the head's segment
    _done = 0  # records of that segment before the head
    _cursor = None  # (segment, place, records before) of an earlier look for the head

    def __init__(self, volume, number):
        self.number = number
        self.segments = []
        self._volume = volume

    def holds(self, boot):
        """True if records of that boot may be here."""
        segments = self.segments
        return bool(segments) and segments[0].boot <= boot <= segments[-1].last_boot

    def first_of(self, boot):
        """Lowest number of that boot that is held."""
        first = self.segments[0]
        return first.first if first.boot == boot else 1

    def end(self):
        """(boot, seq, count) of the last segment: its last record, and how many it holds."""
        if not self.segments:
            return 0, 0, 0
        last = self.segments[-1]
        return last.last_boot, last.last, last.count

    def pending(self):
        """Records not acknowledged."""
        total = -self._done
        for i in range(self._head_at, len(self.segments)):
            total += self.segments[i].count
        return max(total - self._acked_above(), 0)

    def unacked(self, segment):
        """Records of a segment that are not acknowledged."""
        i = self.segments.index(segment)
        if i < self._head_at:
            return 0
        left = segment.count - (self._done if i == self._head_at else 0)
        return max(left - self._acked_above(segment.last_boot), 0)

    def _acked_above(self, boot=None):
        total = 0
        for other in self.above:
            if boot is None or other <= boot:
                total += self.above[other]
        return total

    def is_acked(self, boot, seq):
        """True if nobody waits for this record any more."""
        return (boot, seq) <= self.floor or self.above.get(boot, 0) >= seq

    def acked_upto(self, boot):
        """Highest number of that boot that is known to be acknowledged; 0 if none is."""
        if boot == self.floor[0]:
            return self.floor[1]
        return self.above.get(boot, 0)

    def mark(self, boot, upto):
        """Records of boot up to this number are acknowledged."""
        if upto <= self.above.get(boot, 0) or (boot, upto) <= self.floor:
            return
        if not self.above:
            self.above = {}
        self.above[boot] = upto
        self.settle()
        if len(self.above) > _MOST_MARKS:
            del self.above[max(self.above)]

    def forget_acks(self):
        """All that is held is to be sent again."""
        self.floor = _NONE
        self.above = {}
        self.settle()

    def give_up(self, segment):
        """Its records will never be sent."""
        self.floor = max(self.floor, segment.end())
        self.settle()

    def added(self):
        """A record was added to the last segment."""
        if not self.head[0]:
            segment = self.segments[-1]
            self.head = segment.end()
            self._head_at = len(self.segments) - 1
            self._done = segment.count - 1

    def take_out(self, segment):
        """It is gone."""
        if segment is self.active:
            self.active = None
        self.segments.remove(segment)
        self.settle()

    def settle(self):
        """Find the head, and move the floor to it over all that is acknowledged."""
        self._find_head()
        while self.head[0] and self.above.get(self.head[0], 0) >= self.head[1]:
            boot = self.head[0]
            self.floor = (boot, self.above.pop(boot))
            self._find_head()
        for boot in list(self.above):
            if (boot, self.above[boot]) <= self.floor:
                del self.above[boot]

    def _find_head(self):
        for i, segment in enumerate(self.segments):
            if segment.end() > self.floor and self._head_in(segment):
                self._head_at = i
                return
        self.head = _NONE
        self._head_at = len(self.segments)
        self._done = 0

    def _head_in(self, segment):
        """Find the head in this segment; False if its rest cannot be read."""
        boot, seq = self.floor
        if (segment.boot, segment.first) > self.floor:
            self.head = segment.boot, segment.first
            self._done = 0
        elif segment.boot == segment.last_boot:
            self.head = boot, seq + 1
            self._done = seq + 1 - segment.first
        else:
            return self._scan_for_head(segment)
        return True

    def _scan_for_head(self, segment):
        """Several starts in it: only reading tells where each one ends."""
        try:
            file = self._volume.open_read(segment)
            try:
                return self._scan(segment, file)
            finally:
                file.close()
        except OSError as fault:
            log.warn("store", "%s: %r", segment.name(), fault)
            self.head = self.floor[0], self.floor[1] + 1
            return True

    def _scan(self, segment, file):
        known, place, done = self._cursor or (None, None, 0)
        if known is not segment or place[1:] > self.floor:
            place, done = (), 0
        scan = Scan(file, segment, *place)
        place = scan.place()
        while scan.next() is not None:
            if (scan.boot, scan.seq) > self.floor:
                self.head = scan.boot, scan.seq - scan.gap
                self._done = done
                self._cursor = segment, place, done
                return True
            place = scan.place()
            done += 1
        return False
