"""Checks a .hgm file (SPEC.md) so completely that the kernels may run it without bounds checks.

    header = check(data)  # tuple, see below; ModelError if anything at all is wrong

Runs once per load; what it allocates stays below a hundred bytes a record on a board, so that a
large model finds its heap in one piece. A valid CRC proves nothing about intent, so every number
counts.
"""

import binascii
import struct

from ..core.errors import ModelError
from . import ops
from .ops import Bounds, apart, fail, need

MAGIC = b"HGM2"
VERSION = 2
HEADER_BYTES = 60
MAX_ARENA_BYTES = 1 << 24
MAX_OPS = 1024
MAX_RESETS = 64

_HEADER = "<4sHHIIIHHIIfIIfbbBBII"

# Indices of what check() returns.
ARENA_BYTES = 5
OP_COUNT = 6
RESET_COUNT = 7
INPUT = 8  # offset, bytes, scale
OUTPUT = 11
INPUT_ZERO_POINT = 14  # then that of the output
INPUT_TYPE = 16  # bytes of an element; then that of the output
STATE = 18  # offset, bytes


def check(data):
    """Header fields as a tuple; raises ModelError naming the first fault.

    data: bytes or memoryview of the whole file.
    """
    header = check_header(data)
    check_records(data, header)
    return header


def check_header(data):
    """The first part of check(): all but the plan."""
    try:
        return _header(data)
    except ModelError as error:
        raise ModelError("model file: %s" % error)


def check_records(data, header):
    """The second part of check(). header: what check_header() returned."""
    state = (header[STATE], header[STATE] + header[STATE + 1])
    bounds = Bounds(data, header[ARENA_BYTES], state)
    at = HEADER_BYTES
    for _ in range(header[RESET_COUNT] + header[OP_COUNT]):
        opcode = data[at] if at < len(data) else 0
        try:
            at = _check_record(data, at, bounds)
        except ModelError as error:
            name = ops.NAMES[opcode] + ": " if 0 < opcode < len(ops.NAMES) else ""
            raise ModelError("model file: %s%s" % (name, error))


def _header(data):
    if len(data) < HEADER_BYTES:
        fail("%d bytes, shorter than its header" % len(data))
    header = struct.unpack_from(_HEADER, data, 0)
    need(header[0][:3] == MAGIC[:3], "not a .hgm file")
    _check_version(header)
    if header[3] != len(data):
        fail("truncated or padded: %d bytes, its header says %d" % (len(data), header[3]))
    crc = binascii.crc32(memoryview(data)[16:]) & 0xFFFFFFFF
    need(header[4] == crc, "damaged (CRC differs): copy it again")
    _check_sizes(header)
    return header


def _check_version(header):
    version = header[1]
    if header[0] == b"HGM1":  # its u32 version follows the magic
        version = 1
    if header[0] != MAGIC or version != VERSION or header[2] != HEADER_BYTES:
        words = (version, VERSION)
        fail("version %d, this firmware reads %d: make it with `hedgerow convert`" % words)


def _check_sizes(header):
    arena_bytes = header[ARENA_BYTES]
    if not 4 <= arena_bytes <= MAX_ARENA_BYTES or arena_bytes % 4:
        fail("arena of %d bytes, expected a multiple of 4 up to 2**24" % arena_bytes)
    if not 0 < header[OP_COUNT] <= MAX_OPS:
        fail("%d ops, expected 1 .. %d" % (header[OP_COUNT], MAX_OPS))
    if header[RESET_COUNT] > MAX_RESETS:
        fail("%d resets, expected 0 .. %d" % (header[RESET_COUNT], MAX_RESETS))
    bounds = Bounds(b"", arena_bytes, None)
    state = (header[STATE], header[STATE] + header[STATE + 1])
    if header[STATE + 1]:
        bounds.in_arena(header[STATE], header[STATE + 1], "state")
    for name, at, i, sizes in (("input", INPUT, 0, (1, 2)), ("output", OUTPUT, 1, (1, 2, 4))):
        span = bounds.in_arena(header[at], header[at + 1], name)
        if header[STATE + 1]:
            apart(span, state, name + " lies in the state")
        need(0.0 < header[at + 2] < 1e30, "scale of the " + name)
        size = header[INPUT_TYPE + i]
        if size not in sizes or header[at + 1] % size:
            fail("%s type of %d bytes in %d bytes" % (name, size, header[at + 1]))


def _check_record(data, at, bounds):
    """The place of the next record."""
    need(at + 4 <= len(data), "plan is cut off")
    opcode, words = data[at], data[at + 1]
    if not 0 < opcode < len(ops.WORDS):
        fail("unknown op %d, this firmware knows 1 .. %d" % (opcode, len(ops.WORDS) - 1))
    if words != ops.WORDS[opcode]:
        fail("record of %d words, expected %d" % (words, ops.WORDS[opcode]))
    need(at + 4 * words <= len(data), "plan is cut off")
    ops.check(struct.unpack_from("<%di" % words, data, at), bounds)
    return at + 4 * words


def records(data, count, at=HEADER_BYTES):
    """Yields (opcode, byte offset, words) of `count` records of a checked file."""
    for _ in range(count):
        yield data[at], at, data[at + 1]
        at += 4 * data[at + 1]


def opcodes(data, count):
    """The opcodes of the first `count` records, a set; 0 for a CONV or DEPTHWISE of an image."""
    found = set()
    for opcode, at, _ in records(data, count):
        found.add(opcode)
        if opcode == ops.DEPTHWISE or (opcode == ops.CONV and data[at + 2] & 4):
            found.add(0)
    return found
