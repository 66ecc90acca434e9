"""Named values in segments of a volume's own stream: of each name the newest whole one counts.

A value is cut into pieces, each a record: length of the name, name, index of the piece (bit 7: the
last one), bytes. When a segment is full, what counts is copied to a new one. See SPEC.md.
"""

from ..core import log
from ..core.errors import StoreError
from . import segment as seg

STREAM = 15
SPARE_SEGMENTS = 3  # the one in use, its successor, and one more after a cut while copying
_LAST = 0x80


class Journal:
    """damaged: something in it did not pass its check, and an older value may have come back.
    is_torn: this start found a half-written value, or a damaged one, at the end."""

    def __init__(self, volume):
        self._volume = volume
        self._segments = []  # oldest first; the last one is appended to
        self._index = {}  # name -> (segment, place, bytes of its records)
        self.damaged = False
        self.is_torn = False

    def __len__(self):
        return len(self._segments)

    def open(self, segments):
        """Take over the journal's segments, oldest first. Raises OSError."""
        self._segments = segments
        for segment in segments:
            self._volume.measure(segment)
            self._scan(segment)
        if len(segments) > 1:
            self._tidy()

    def _scan(self, segment):
        file = self._volume.open_read(segment)
        try:
            scan = seg.Scan(file, segment)
            run = None  # [name, pieces, place, bytes]
            before = scan.place()
            while True:
                piece = scan.next()
                if piece is None:
                    break
                self.damaged = self.damaged or scan.gap > 0
                run = self._add(segment, run if not scan.gap else None, before, piece)
                before = scan.place()
                segment.last, segment.count = scan.seq, segment.count + 1
        finally:
            file.close()
        self.is_torn = self._volume.trim(segment, scan.offset) > 0

    def _add(self, segment, run, place, piece):
        """Put a piece to the run of pieces before it; the run that goes on, or None."""
        name, index, _ = _parse(piece)
        if index & ~_LAST == 0:
            run = [name, 0, place, 0]
        if run is None or run[0] != name or run[1] != index & ~_LAST:
            return None
        run[1] += 1
        run[3] += seg.RECORD_HEAD_BYTES + len(piece)
        if not index & _LAST:
            return run
        self._index[name] = segment, run[2], run[3]
        return None

    def get(self, name):
        """Bytes of a value, None if there is none. Raises OSError."""
        if name not in self._index:
            return None
        return b"".join([_parse(piece)[2] for piece in self._pieces(name)])

    def _pieces(self, name):
        """The records of a value, as a list."""
        segment, place, _ = self._index[name]
        found = []
        file = self._volume.open_read(segment)
        try:
            scan = seg.Scan(file, segment, *place)
            while not found or not _parse(found[-1])[1] & _LAST:
                piece = scan.next()
                if piece is None:
                    raise OSError(5, "%s: %s is gone" % (segment.name(), name))
                found.append(piece)
        finally:
            file.close()
        return found

    def put(self, name, data):
        """Replace a value, all or nothing. Raises StoreError if it does not fit, OSError."""
        pieces = _cut(name, data)
        size = sum([seg.RECORD_HEAD_BYTES + len(piece) for piece in pieces])
        others = sum([self._index[other][2] for other in self._index if other != name])
        most = self._volume.segment_bytes - seg.HEADER_BYTES
        if size + others > most:
            raise StoreError("%s: %d bytes, at most %d" % (name, size, most - others))
        if not self._fits(size):
            self._copy_to_new([other for other in self._index if other != name])
        self._write(name, pieces, size)
        self._remove_old()

    def _fits(self, size):
        if not self._segments:
            return False
        return self._segments[-1].size + size <= self._volume.segment_bytes

    def _write(self, name, pieces, size):
        segment = self._segments[-1]
        place = max(segment.size, seg.HEADER_BYTES), segment.boot, segment.last
        for piece in pieces:
            head = b"" if segment.size else seg.header(segment)
            data = head + seg.record(segment, segment.boot, segment.last + 1, piece)
            try:
                self._volume.append(segment, data)
            except OSError:
                segment.size = self._volume.segment_bytes  # nothing more into this one
                raise
            segment.add(segment.boot, segment.last + 1, len(data))
        self._index[name] = segment, place, size

    def _copy_to_new(self, names):
        serial = self._segments[-1].boot + 1 if self._segments else 1
        segment = seg.Segment(STREAM, serial, 1)
        self._volume.begin(segment)
        self._segments.append(segment)
        self._copy(names)

    def _copy(self, names):
        for name in names:
            self._write(name, self._pieces(name), self._index[name][2])

    def _tidy(self):
        """A start cut the copying short: finish it."""
        last = self._segments[-1]
        names = [name for name in self._index if self._index[name][0] is not last]
        if self._fits(sum([self._index[name][2] for name in names])):
            self._copy(names)
        else:
            self._copy_to_new(list(self._index))
        self._remove_old()

    def _remove_old(self):
        for segment in self._segments[:-1]:
            if segment not in [entry[0] for entry in self._index.values()]:
                try:
                    self._volume.remove(segment, False)
                except OSError as fault:
                    log.warn("store", "removing %s: %r", segment.name(), fault)
                    return
                self._segments.remove(segment)


def _cut(name, data):
    """Pieces of a value, as records."""
    head = bytes([len(name)]) + name.encode()
    room = seg.MAX_PAYLOAD_BYTES - len(head) - 1
    pieces = []
    at = 0
    while at < len(data) or not pieces:
        last = _LAST if at + room >= len(data) else 0
        pieces.append(head + bytes([len(pieces) | last]) + bytes(data[at : at + room]))
        at += room
    return pieces


def _parse(piece):
    """(name, index, bytes) of a record."""
    size = piece[0]
    return bytes(piece[1 : 1 + size]).decode(), piece[1 + size], piece[2 + size :]
