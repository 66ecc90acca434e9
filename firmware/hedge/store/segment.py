"""One segment: consecutive records of one stream, of one start or of several. Layout in SPEC.md.

A segment is a file (files.py) or some erase blocks of a flash (region.py); the bytes are the same.
"""

import binascii
import struct

HEADER_BYTES = 32
RECORD_HEAD_BYTES = 6
MARK_BYTES = 10
MAX_PAYLOAD_BYTES = 192  # as in wire/frame.py
MIN_RECORD_BYTES = RECORD_HEAD_BYTES + 1

_HEADER = "<4sBBHIIIII"  # magic, version, stream, header bytes, boot, first, before[3]; then CRC
_MAGIC = b"HLOG"
_VERSION = 2
_U32_MAX = 0xFFFFFFFF
_CHUNK_BYTES = 200  # read at a time: the largest record, 198, and no more in a crowded heap


class Segment:
    """What the store keeps in RAM of one segment.

    It begins with record `first` of `boot`, ends with `last` of `last_boot`, which is first - 1 of
    the same boot while nothing is in it. where: the volume's.
    """

    lost = 0  # records found damaged; in the class: most segments have none
    checked = (0, 0)  # damage up to this (boot, seq) has been counted
    where = None
    is_closed = False  # a write to it failed or was torn: nothing may be added

    def __init__(self, stream, boot, first, size=0):
        self.stream = stream
        self.boot = boot
        self.first = first
        self.last_boot = boot
        self.last = first - 1
        self.count = 0
        self.size = size

    def name(self):
        """Text that no other segment of the log has."""
        return "%x-%08x-%08x" % (self.stream, self.boot, self.first)

    def end(self):
        """(boot, seq) of the last record."""
        return self.last_boot, self.last

    def add(self, boot, seq, size):
        """Record (boot, seq) and what came with it took so many bytes more."""
        self.last_boot = boot
        self.last = seq
        self.count += 1
        self.size += size


def sort_key(segment):
    """Order of reading: most important stream, then oldest."""
    return (segment.stream, segment.boot, segment.first)


def put_in_order(segments, segment):
    """Insert into a list in order of reading. (sort() is quadratic where all is in order.)"""
    key = sort_key(segment)
    low, high = 0, len(segments)
    if not high or sort_key(segments[-1]) < key:
        low = high
    while low < high:
        middle = (low + high) // 2
        if sort_key(segments[middle]) < key:
            low = middle + 1
        else:
            high = middle
    segments.insert(low, segment)


def header(segment, before=(0, 0, 0)):
    """The HEADER_BYTES that it starts with.

    before: (boot, seq, count) of the segment that it follows in its stream: its last record and
    how many it holds.
    """
    fixed = struct.pack(
        _HEADER,
        _MAGIC,
        _VERSION,
        segment.stream,
        HEADER_BYTES,
        segment.boot,
        segment.first,
        *before,
    )
    return fixed + struct.pack("<I", binascii.crc32(fixed))


def parse_header(data):
    """(Segment, before) of a header, None if it does not check. data: HEADER_BYTES or not."""
    if len(data) < HEADER_BYTES:
        return None
    fixed = bytes(data[: HEADER_BYTES - 4])
    magic, version, stream, size, boot, first, b0, b1, b2 = struct.unpack(_HEADER, fixed)
    crc = struct.unpack("<I", bytes(data[HEADER_BYTES - 4 : HEADER_BYTES]))[0]
    if magic != _MAGIC or version != _VERSION or size != HEADER_BYTES:
        return None
    if crc != binascii.crc32(fixed) or not boot or not first:
        return None
    return Segment(stream, boot, first), (b0, b1, b2)


def record(segment, boot, seq, payload):
    """One record as bytes: length, low byte of seq, CRC, payload."""
    crc = _crc(_run_seed(segment, boot), seq, len(payload), payload)
    return struct.pack("<BBI", len(payload), seq & 0xFF, crc) + bytes(payload)


def mark(segment, boot):
    """MARK_BYTES that say: the records from here on are of this boot, from number 1."""
    crc = _crc(_seed(segment), boot, 0, b"")
    return struct.pack("<BBII", 0, boot & 0xFF, crc, boot)


def _seed(segment):
    # Ties a record to its segment: bytes that drift into another one do not pass.
    return binascii.crc32(struct.pack("<BII", segment.stream, segment.boot, segment.first))


def _run_seed(segment, boot):
    seed = _seed(segment)
    return seed if boot == segment.boot else binascii.crc32(struct.pack("<I", boot), seed)


def _crc(seed, seq, size, payload):
    return binascii.crc32(payload, binascii.crc32(struct.pack("<IB", seq, size), seed))


class Scan:
    """Walks the records of an open segment, over damage to the next sound one.

    (boot, seq) is the record that next() returned last, `at` where it starts, `offset` the place
    after it, `gap` how many of its boot were damaged before it. A scan may start at a place
    (offset, boot, seq) where another one stood. Reads _CHUNK_BYTES at a time, nothing behind
    offset `end`; the caller closes the file.
    """

    def __init__(self, file, segment, offset=HEADER_BYTES, boot=0, seq=0, end=_U32_MAX):
        self.offset = offset
        self.boot = boot or segment.boot
        self.seq = seq if boot else segment.first - 1
        self.at = offset
        self.gap = 0
        self._file = file
        self._end = end
        self._segment = segment
        self._seed = _run_seed(segment, self.boot)
        self._chunk = b""
        self._chunk_at = 0

    def place(self):
        """(offset, boot, seq) to go on from."""
        return self.offset, self.boot, self.seq

    def next(self):
        """Payload (bytes) of the next sound record, None at the end. Raises OSError."""
        start = at = self.offset
        while self._have(at, MIN_RECORD_BYTES) >= MIN_RECORD_BYTES:
            size = self._chunk[at - self._chunk_at]
            if 0 < size <= MAX_PAYLOAD_BYTES:
                seq = self._match(at, size, self.seq + 1 + (at - start) // MIN_RECORD_BYTES)
                if seq:
                    return self._take(at, size, seq)
            elif size == 0 and self._take_mark(at):
                start = at = self.offset
                continue
            at += 1
        return None

    def _take(self, at, size, seq):
        i = at - self._chunk_at + RECORD_HEAD_BYTES
        self.gap = seq - self.seq - 1
        self.seq = seq
        self.at = at
        self.offset = at + RECORD_HEAD_BYTES + size
        return self._chunk[i : i + size]

    def _match(self, at, size, highest):
        """Sequence number of the sound record at this offset, 0 if there is none."""
        whole = RECORD_HEAD_BYTES + size
        if self._have(at, whole) < whole:
            return 0
        i = at - self._chunk_at
        low, crc = struct.unpack_from("<BI", self._chunk, i + 1)
        payload = self._chunk[i + RECORD_HEAD_BYTES : i + whole]
        seq = self.seq + 1
        seq += (low - seq) & 0xFF
        while seq <= highest:  # more than one turn only past 256 damaged records
            if _crc(self._seed, seq, size, payload) == crc:
                return seq
            seq += 256
        return 0

    def _take_mark(self, at):
        """Go behind the mark at this offset; False if there is none."""
        if self._have(at, MARK_BYTES) < MARK_BYTES:
            return False
        i = at - self._chunk_at
        low, crc, boot = struct.unpack_from("<BII", self._chunk, i + 1)
        if low != boot & 0xFF or boot <= self.boot:
            return False
        if _crc(_seed(self._segment), boot, 0, b"") != crc:
            return False
        self.boot = boot
        self.seq = 0
        self.offset = at + MARK_BYTES
        self._seed = _run_seed(self._segment, boot)
        return True

    def _have(self, at, size):
        """Bytes at hand from offset `at`, reading on if they are fewer than size."""
        left = self._chunk_at + len(self._chunk) - at
        if at < self._chunk_at or left < size:
            self._file.seek(at)
            # read() sets aside what it is asked for, and mostly one record is left
            self._chunk = self._file.read(max(min(self._end - at, _CHUNK_BYTES), 0))
            self._chunk_at = at
            left = len(self._chunk)
        return left
