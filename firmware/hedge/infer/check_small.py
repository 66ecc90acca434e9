"""Checks of ADD, MUL, SOFTMAX, TABLE, COPY, FILL, MEAN and REQUANTIZE records; see ops.py."""

from .fields import i8, u8, u16
from .ops import (
    ADD,
    COPY,
    FILL,
    MEAN,
    MUL,
    REQUANTIZE,
    SOFTMAX,
    TABLE,
    apart,
    clamp,
    fail,
    flags,
    need,
    pair,
)

MAX_DEPTH = 511  # of SOFTMAX: the reference stops where a sum of exp() may reach 512


def _same_or_apart(a, b):
    if a != b:
        apart(a, b, "output overlaps the input")


def _operands(op, bounds, is_constant):
    """Words 1 to 6 of ADD and MUL."""
    count, b_count, b_run = op[4:7]
    need(min(count, b_count, b_run) > 0, "a count of 0")
    a = bounds.in_arena(op[1], count, "input")
    out = bounds.in_arena(op[2], count, "output")
    _same_or_apart(a, out)
    if is_constant:
        bounds.in_file(op[3], b_count, "constant", 1)
        return
    b = bounds.in_arena(op[3], b_count, "second input")
    if b_run == 1:
        _same_or_apart(b, out)
    else:
        apart(b, out, "output overlaps the second input")


def _add(op, bounds):
    _operands(op, bounds, flags(op, 7) & 1)
    for i, most in ((0, 0), (1, 0), (2, 30)):
        pair(op[7 + i], i8(op[10], i), most)
    need(not u8(op[10], 3) | u8(op[11], 3) | u16(op[12], 1), "reserved bytes, expected 0")
    clamp(i8(op[12], 0), i8(op[12], 1))


def _mul(op, bounds):
    _operands(op, bounds, flags(op, 1) & 1)
    pair(op[7], i8(op[8], 0))
    need(not u8(op[8], 3) | u8(op[9], 3), "reserved bytes, expected 0")
    clamp(i8(op[8], 1), i8(op[8], 2))


def _softmax(op, bounds):
    wide = flags(op, 1)
    rows, depth = op[3:5]
    need(rows > 0, "no rows")
    if not 0 < depth <= MAX_DEPTH:
        fail("depth %d, expected 1 .. %d" % (depth, MAX_DEPTH))
    shift, radius = i8(op[6], 0), u16(op[6], 1)
    pair(op[5], shift)
    # So that the scaled difference, and with it every power and the sum, stays in int32.
    fits = shift >= 0 and radius < 256 and radius << shift < 1 << 31 and not u8(op[6], 1)
    if not fits:
        fail("shift %d with radius %d" % (shift, radius))
    source = bounds.in_arena(op[1], rows * depth, "input")
    out = bounds.in_arena(op[2], rows * depth * (1 + wide), "output")
    if wide:
        apart(source, out, "output overlaps the input")
    else:
        _same_or_apart(source, out)


def _table(op, bounds):
    flags(op, 0)
    source = bounds.in_arena(op[1], op[3], "input")
    _same_or_apart(source, bounds.in_arena(op[2], op[3], "output"))
    bounds.in_file(op[4], 256, "values", 1)


def _reach(at, counts, strides):
    """(first byte, byte after) of all that a COPY touches from `at` on."""
    spans = [(n - 1) * stride for n, stride in zip(counts, strides)]
    low = sum(span for span in spans if span < 0)
    return at + low, at + sum(spans) - low + 1


def _copy(op, bounds):
    is_constant = flags(op, 1)
    counts = op[3:7]
    need(min(counts) > 0, "a count of 0")
    total = counts[0] * counts[1] * counts[2] * counts[3]
    if total > bounds.arena_bytes:
        fail("%d bytes, more than the arena" % total)
    source, out = _reach(op[1], counts, op[7:11]), _reach(op[2], counts, op[11:15])
    bounds.in_arena(out[0], out[1] - out[0], "output", 1)
    if is_constant:
        bounds.in_file(source[0], source[1] - source[0], "constant", 1)
        return
    bounds.in_arena(source[0], source[1] - source[0], "input", 1)
    if op[1] != op[2] or op[7:11] != op[11:15]:
        apart(source, out, "output overlaps the input")


def _fill(op, bounds):
    flags(op, 0)
    need(op[1] == 0 and not (op[4] >> 8), "reserved words, expected 0")
    bounds.in_arena(op[2], op[3], "output", 1)


def _mean(op, bounds):
    flags(op, 0)
    outer, n, inner, multiplier = op[3:7]
    need(min(outer, n, inner) > 0, "a count of 0")
    source = bounds.in_arena(op[1], outer * n * inner, "input")
    out = bounds.in_arena(op[2], outer * inner, "output")
    apart(source, out, "output overlaps the input")
    if multiplier < 0:
        fail("multiplier %d, expected 0 .. 2**31 - 1" % multiplier)
    pair(0, i8(op[8], 0))
    need(not u16(op[8], 1), "reserved bytes, expected 0")


def _requantize(op, bounds):
    sizes = flags(op, 0xFF)
    size_in, size_out = sizes & 15, sizes >> 4
    known = size_in in (1, 2) and size_out in (1, 2, 4)
    if not known:
        fail("from %d to %d bytes" % (size_in, size_out))
    pair(op[4], i8(op[5], 0))
    source = bounds.in_arena(op[1], op[3] * size_in, "input")
    out = bounds.in_arena(op[2], op[3] * size_out, "output")
    apart(source, out, "output overlaps the input")


CHECKS = {
    ADD: _add,
    MUL: _mul,
    SOFTMAX: _softmax,
    TABLE: _table,
    COPY: _copy,
    FILL: _fill,
    MEAN: _mean,
    REQUANTIZE: _requantize,
}
