"""Reader of front-end files (.hfe, SPEC.md): checks all of one once, hands out its tables."""

import array
import binascii
import struct

from ..core import mapped
from ..core.errors import ModelError

_HEADER = "<4sHHIIHHHHHHHHHhiBBhifHHHH8H"
_HEADER_BYTES = 76
POWER = 1
EMPHASIS = 2
MATRIX = 4
NORMALISE = 8


class FrontEnd:
    """The fields of the header by the names of SPEC.md, and the sections as tables.

    source: path, or bytes/memoryview of a file, kept. takes_bytes: tables may be views of it (zero
    copy), else int16 arrays are made. is_aligned: tells whether it lies at a multiple of 4.
    Raises ModelError naming what is wrong; OSError if the file cannot be read.
    """

    def __init__(self, source, takes_bytes=False, is_aligned=None):
        data = mapped.contents(source)
        if is_aligned is not None and not is_aligned(data):
            data = bytes(data)
        at = _check(data)
        (
            *_,
            self.n_fft,
            self.window,
            self.hop,
            self.frames,
            self.bands,
            self.features,
            self.first_bin,
            self.bin_count,
            self.flags,
            self.floor,
            self.base,
            self.matrix_shift,
            self.quant_shift,
            self.zero,
            self.factor,
            self.feature_scale,
            low,
            high,
            self.weight_count,
            _,
        ) = struct.unpack_from(_HEADER, data, 0)[:-8]
        self.fs_hz = low | high << 16
        self._check_fields()
        tables = [_table(data, at, i, *kind) for i, kind in enumerate(self._sizes())]
        self._check_tables(tables)
        if takes_bytes:
            view = memoryview(data)
            sizes = self._sizes()
            tables = [view[4 * at[i] : 4 * at[i] + 2 * sizes[i][1]] for i in range(8)]
        self.tables = tables  # in the order of SPEC.md

    def _sizes(self):
        """(type, entries) of each section."""
        matrix = self.features * self.bands if self.flags & MATRIX else 0
        return (
            ("h", self.n_fft),
            ("H", 225),
            ("H", 65),
            ("h", self.window),
            ("h", 3 * self.bands),
            ("H", self.weight_count),
            ("h", matrix),
            ("h", self.features),
        )

    def _check_fields(self):
        n = self.n_fft
        _need(16 <= n <= 4096 and not n & (n - 1), "n_fft")
        _need(2 <= self.window <= n and 1 <= self.hop <= self.window, "window or hop")
        _need(1 <= self.frames <= 1024 and 1 <= self.bands <= 256, "frames or bands")
        _need(1 <= self.features <= 256, "features")
        _need(self.flags & MATRIX or self.features == self.bands, "features without a matrix")
        _need(self.bin_count >= 1 and self.first_bin + self.bin_count <= n // 2 + 1, "bins")
        _need(self.matrix_shift <= 24 and self.quant_shift <= 24, "shift")
        _need(0 <= self.factor <= 32767 and abs(self.base) <= 1 << 20, "factor or base")

    def _check_tables(self, tables):
        """What viper would not survive: bins outside, sums that leave 32 bits."""
        roots, logs, bands, weights, rows = (tables[i] for i in (1, 2, 4, 5, 6))
        _need(max(roots) <= 46341 and max(logs) <= 16384, "root or log table")
        at = 0
        for band in range(self.bands):
            first, count = bands[3 * band], bands[3 * band + 1]
            _need(first >= 0 and count >= 0 and first + count <= self.bin_count, "band")
            _need(sum(weights[at : at + count]) <= 65535, "weights of a band")
            at += count
        _need(at == self.weight_count, "number of weights")
        for at in range(0, len(rows), self.bands):
            _need(sum(abs(v) for v in rows[at : at + self.bands]) <= 65000, "matrix row")


def _need(condition, what):
    if not condition:
        raise ModelError("front end: bad %s" % what)


def _check(data):
    """Offsets of the sections, after magic, length and check sum."""
    if len(data) < _HEADER_BYTES or bytes(data[:4]) != b"HFE1":
        raise ModelError("front end: not a .hfe file")
    version, header, size, crc = struct.unpack_from("<HHII", data, 4)
    if version != 1 or header != _HEADER_BYTES:
        raise ModelError("front end: version %d, this firmware reads 1" % version)
    if size != len(data):
        raise ModelError("front end: %d bytes, its header says %d" % (len(data), size))
    if binascii.crc32(memoryview(data)[16:]) & 0xFFFFFFFF != crc:
        raise ModelError("front end: damaged, its check sum is wrong")
    return struct.unpack_from("<8H", data, 60)


def _table(data, at, i, kind, entries):
    start = 4 * at[i]
    _need(_HEADER_BYTES <= start and start + 2 * entries <= len(data), "section %d" % i)
    return array.array(kind, bytes(data[start : start + 2 * entries]))
