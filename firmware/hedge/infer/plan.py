"""Checks a .hgm file (SPEC.md) so completely that the kernels may run it without bounds checks.

    header = check(data)  # tuple, see below; ModelError if anything at all is wrong

Runs once per load and allocates. A valid CRC proves nothing about intent, so every number counts.
"""

import binascii
import struct

from ..core.errors import ModelError

MAGIC = b"HGM1"
VERSION = 1
HEADER_BYTES = 64
DENSE = 1
TABLE = 2
MAX_ARENA_BYTES = 1 << 24
MAX_OPS = 1024
MAX_IN = 1 << 15
MAX_OUT = 1 << 16

_HEADER = "<4sIIIIIIIIfiIIfiI"
_WORDS = {DENSE: 12, TABLE: 6}

# Indices of what check() returns.
ARENA_BYTES = 4
OP_COUNT = 5
INPUT = 7  # offset, bytes, scale, zero_point
OUTPUT = 11


def _need(ok, what):
    if not ok:
        raise ModelError("model file: " + what)


def _range(offset, length, limit, what):
    _need(offset >= 0 and length > 0 and offset + length <= limit, what)


def check(data):
    """Header fields as a tuple; raises ModelError naming the first fault.

    data: bytes or memoryview of the whole file.
    """
    _need(len(data) >= HEADER_BYTES, "shorter than its header")
    header = struct.unpack_from(_HEADER, data, 0)
    _need(header[0] == MAGIC, "not a .hgm file")
    _need(header[1] == VERSION, "version %d, this firmware reads %d" % (header[1], VERSION))
    _need(header[2] == len(data), "truncated or padded: %d of %d bytes" % (len(data), header[2]))
    crc = binascii.crc32(memoryview(data)[16:]) & 0xFFFFFFFF
    _need(header[3] == crc, "damaged (CRC differs)")
    _check_sizes(header)
    _check_ops(data, header)
    return header


def _check_sizes(header):
    arena_bytes = header[ARENA_BYTES]
    _need(0 < arena_bytes <= MAX_ARENA_BYTES, "arena of %d bytes" % arena_bytes)
    _need(0 < header[OP_COUNT] <= MAX_OPS, "%d ops" % header[OP_COUNT])
    _need(header[6] == HEADER_BYTES and header[15] == 0, "unknown layout")
    for at in (INPUT, OUTPUT):
        _range(header[at], header[at + 1], arena_bytes, "input or output outside the arena")
        _need(0.0 < header[at + 2] < 1e30, "scale of input or output")
        _need(-128 <= header[at + 3] <= 127, "zero point of input or output")


def _check_ops(data, header):
    at = HEADER_BYTES
    for _ in range(header[OP_COUNT]):
        _range(at, 4, len(data), "plan is cut off")
        word = struct.unpack_from("<I", data, at)[0]
        words = _WORDS.get(word & 0xFFFF, 0)
        _need(words, "unknown op %d" % (word & 0xFFFF))
        _need(word >> 16 == words, "op record of %d words" % (word >> 16))
        _range(at, 4 * words, len(data), "plan is cut off")
        op = struct.unpack_from("<%di" % words, data, at)
        at += 4 * words
        if op[0] & 0xFFFF == DENSE:
            _check_dense(data, op, header[ARENA_BYTES])
        else:
            _check_table(data, op, header[ARENA_BYTES])


def _check_dense(data, op, arena_bytes):
    _, src, out, n_in, n_out, weights, bias, requant, step, zero_point, low, high = op
    _need(0 < n_in <= MAX_IN and 0 < n_out <= MAX_OUT, "dense: shape")
    _range(src, n_in, arena_bytes, "dense: input outside the arena")
    _range(out, n_out, arena_bytes, "dense: output outside the arena")
    _need(src + n_in <= out or out + n_out <= src, "dense: output overlaps input")
    _need(not (weights | bias | requant) & 3, "dense: unaligned constants")
    _need(step in (0, 2), "dense: requantisation step")
    blocks = (n_out + 3) // 4
    pairs = n_out if step else 1
    _range(weights, 4 * blocks * n_in, len(data), "dense: weights outside the file")
    _range(bias, 16 * blocks, len(data), "dense: bias outside the file")
    _range(requant, 8 * pairs, len(data), "dense: multipliers outside the file")
    _need(-128 <= low <= high <= 127 and -128 <= zero_point <= 127, "dense: clamp")
    for i in range(pairs):
        multiplier, shift = struct.unpack_from("<ii", data, requant + 8 * i)
        _need(not multiplier or multiplier >= 1 << 30, "dense: multiplier")
        _need(-31 <= shift <= 30, "dense: shift")


def _check_table(data, op, arena_bytes):
    _, src, out, count, table, reserved = op
    _need(0 < count <= MAX_OUT and reserved == 0, "table: shape")
    _range(src, count, arena_bytes, "table: input outside the arena")
    _range(out, count, arena_bytes, "table: output outside the arena")
    _need(src == out or src + count <= out or out + count <= src, "table: output overlaps")
    _range(table, 256, len(data), "table: outside the file")
