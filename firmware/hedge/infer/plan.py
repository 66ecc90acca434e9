"""Checks a .hgm file (SPEC.md) so completely that the kernels may run it without bounds checks.

    header = check(data)  # tuple, see below; ModelError if anything at all is wrong

Runs once per load and allocates. A valid CRC proves nothing about intent, so every number counts.
"""

import binascii
import struct

from .ops import OPS, in_range, need

MAGIC = b"HGM1"
VERSION = 1
HEADER_BYTES = 64
MAX_ARENA_BYTES = 1 << 24
MAX_OPS = 1024

_HEADER = "<4sIIIIIIIIfiIIfiI"

# Indices of what check() returns.
ARENA_BYTES = 4
OP_COUNT = 5
INPUT = 7  # offset, bytes, scale, zero_point
OUTPUT = 11


def check(data):
    """Header fields as a tuple; raises ModelError naming the first fault.

    data: bytes or memoryview of the whole file.
    """
    need(len(data) >= HEADER_BYTES, "shorter than its header")
    header = struct.unpack_from(_HEADER, data, 0)
    need(header[0] == MAGIC, "not a .hgm file")
    need(header[1] == VERSION, "version %d, this firmware reads %d" % (header[1], VERSION))
    need(header[2] == len(data), "truncated or padded: %d of %d bytes" % (len(data), header[2]))
    crc = binascii.crc32(memoryview(data)[16:]) & 0xFFFFFFFF
    need(header[3] == crc, "damaged (CRC differs)")
    _check_sizes(header)
    _check_ops(data, header)
    return header


def _check_sizes(header):
    arena_bytes = header[ARENA_BYTES]
    need(0 < arena_bytes <= MAX_ARENA_BYTES, "arena of %d bytes" % arena_bytes)
    need(0 < header[OP_COUNT] <= MAX_OPS, "%d ops" % header[OP_COUNT])
    need(header[6] == HEADER_BYTES and header[15] == 0, "unknown layout")
    for at in (INPUT, OUTPUT):
        in_range(header[at], header[at + 1], arena_bytes, "input or output outside the arena")
        need(0.0 < header[at + 2] < 1e30, "scale of input or output")
        need(-128 <= header[at + 3] <= 127, "zero point of input or output")


def _check_ops(data, header):
    at = HEADER_BYTES
    for _ in range(header[OP_COUNT]):
        in_range(at, 4, len(data), "plan is cut off")
        word = struct.unpack_from("<I", data, at)[0]
        words, check_op = OPS.get(word & 0xFFFF, (0, None))
        need(words, "unknown op %d" % (word & 0xFFFF))
        need(word >> 16 == words, "op record of %d words" % (word >> 16))
        in_range(at, 4 * words, len(data), "plan is cut off")
        op = struct.unpack_from("<%di" % words, data, at)
        at += 4 * words
        check_op(data, op, header[ARENA_BYTES])


def numbers(data, op_count):
    """The op numbers of a checked file, a set."""
    found, at = set(), HEADER_BYTES
    for _ in range(op_count):
        number, words = struct.unpack_from("<HH", data, at)
        found.add(number)
        at += 4 * words
    return found
