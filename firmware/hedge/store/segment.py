"""One segment file: consecutive records of one (boot, stream). Layout in SPEC.md.

Name: <stream>-<boot>-<first>.log, numbers in hex; .old once acknowledged and kept for audit.
"""

import binascii
import struct

HEADER_BYTES = 20
RECORD_HEAD_BYTES = 6
MAX_PAYLOAD_BYTES = 192  # as in wire/frame.py
LIVE = ".log"
KEPT = ".old"

_HEADER = "<4sBBHII"  # magic, version, stream, header bytes, boot, first; then the CRC of these
_MAGIC = b"HLOG"
_VERSION = 1
_CHUNK_BYTES = 256  # read at a time; more than the largest record, small for a crowded heap
_MIN_RECORD_BYTES = RECORD_HEAD_BYTES + 1


class Segment:
    """What the store keeps in RAM of one file; `last` is first - 1 while nothing is in it."""

    checked = 0  # damage up to this number has been counted; in the class: most files have none
    lost = 0  # records found damaged

    def __init__(self, stream, boot, first, size=0):
        self.stream = stream
        self.boot = boot
        self.first = first
        self.last = first - 1
        self.size = size

    def name(self, ending=LIVE):
        """File name."""
        return "%x-%08x-%08x%s" % (self.stream, self.boot, self.first, ending)


def parse_name(name):
    """(Segment, ending) of a file name, None for other files."""
    ending = name[-4:]
    parts = name[:-4].split("-")
    if ending not in (LIVE, KEPT) or [len(p) for p in parts] != [1, 8, 8]:
        return None
    try:
        stream, boot, first = [int(p, 16) for p in parts]
    except ValueError:
        return None
    segment = Segment(stream, boot, first)
    return (segment, ending) if segment.name(ending) == name and boot and first else None


def sort_key(segment):
    """Order of reading: most important stream, then oldest."""
    return (segment.stream, segment.boot, segment.first)


def header(segment):
    """The HEADER_BYTES that start the file."""
    fixed = struct.pack(
        _HEADER, _MAGIC, _VERSION, segment.stream, HEADER_BYTES, segment.boot, segment.first
    )
    return fixed + struct.pack("<I", binascii.crc32(fixed))


def record(segment, seq, payload):
    """One record as bytes: length, low byte of seq, CRC, payload."""
    crc = _crc(_seed(segment), seq, len(payload), payload)
    return struct.pack("<BBI", len(payload), seq & 0xFF, crc) + bytes(payload)


def _seed(segment):
    # Ties a record to its file: bytes that drift into another one do not pass.
    return binascii.crc32(struct.pack("<BII", segment.stream, segment.boot, segment.first))


def _crc(seed, seq, size, payload):
    return binascii.crc32(payload, binascii.crc32(struct.pack("<IB", seq, size), seed))


class Scan:
    """Walks the records of an open segment file, over damage to the next sound record.

    `seq` is the number of the record that next() returned last, `gap` how many were damaged before
    it, `offset` the position after it. Reads _CHUNK_BYTES at a time; the caller closes the file.
    """

    def __init__(self, file, segment, offset=HEADER_BYTES, next_seq=0):
        self.offset = offset
        self.seq = (next_seq or segment.first) - 1
        self.gap = 0
        self._file = file
        self._seed = _seed(segment)
        self._chunk = b""
        self._chunk_at = 0

    def next(self):
        """Payload (bytes) of the next sound record, None at the end. Raises OSError."""
        start = self.offset
        at = start
        while True:
            seq = self._match(at, self.seq + 1 + (at - start) // _MIN_RECORD_BYTES)
            if seq:
                return self._take(at, seq)
            at += 1
            if self._have(at, _MIN_RECORD_BYTES) < _MIN_RECORD_BYTES:
                return None

    def _take(self, at, seq):
        i = at - self._chunk_at
        size = self._chunk[i]
        self.gap = seq - self.seq - 1
        self.seq = seq
        self.offset = at + RECORD_HEAD_BYTES + size
        return self._chunk[i + RECORD_HEAD_BYTES : i + RECORD_HEAD_BYTES + size]

    def _match(self, at, highest):
        """Sequence number of the sound record at this offset, 0 if there is none."""
        if self._have(at, _MIN_RECORD_BYTES) < _MIN_RECORD_BYTES:
            return 0
        i = at - self._chunk_at
        size, low = self._chunk[i], self._chunk[i + 1]
        whole = RECORD_HEAD_BYTES + size
        if not 0 < size <= MAX_PAYLOAD_BYTES or self._have(at, whole) < whole:
            return 0
        i = at - self._chunk_at
        crc = struct.unpack_from("<I", self._chunk, i + 2)[0]
        payload = self._chunk[i + RECORD_HEAD_BYTES : i + whole]
        seq = self.seq + 1
        seq += (low - seq) & 0xFF
        while seq <= highest:  # more than one turn only past 256 damaged records
            if _crc(self._seed, seq, size, payload) == crc:
                return seq
            seq += 256
        return 0

    def _have(self, at, size):
        """Bytes at hand from offset `at`, reading on if they are fewer than size."""
        left = self._chunk_at + len(self._chunk) - at
        if at < self._chunk_at or left < size:
            self._file.seek(at)
            self._chunk = self._file.read(_CHUNK_BYTES)
            self._chunk_at = at
            left = len(self._chunk)
        return left
