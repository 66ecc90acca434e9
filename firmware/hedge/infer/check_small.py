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
    flags,
    need,
    pair,
)

_MAX_DEPTH = 511  # of SOFTMAX: the reference stops where a sum of exp() may reach 512


def _same_or_apart(a, b, what):
    if a != b:
        apart(a, b, what + ": output overlaps the input")


def _operands(op, bounds, is_constant, what):
    """Words 1 to 6 of ADD and MUL."""
    count, b_count, b_run = op[4:7]
    need(min(count, b_count, b_run) > 0, what + ": a count of 0")
    a = bounds.in_arena(op[1], count, what + ": input")
    out = bounds.in_arena(op[2], count, what + ": output")
    _same_or_apart(a, out, what)
    if is_constant:
        bounds.in_file(op[3], b_count, what + ": constant", 1)
        return
    b = bounds.in_arena(op[3], b_count, what + ": second input")
    if b_run == 1:
        _same_or_apart(b, out, what)
    else:
        apart(b, out, what + ": output overlaps the second input")


def _add(op, bounds):
    _operands(op, bounds, flags(op, 7, "add") & 1, "add")
    for i, most in ((0, 0), (1, 0), (2, 30)):
        pair(op[7 + i], i8(op[10], i), "add", most)
    need(not u8(op[10], 3) | u8(op[11], 3) | u16(op[12], 1), "add: reserved bytes, expected 0")
    clamp(i8(op[12], 0), i8(op[12], 1), "add")


def _mul(op, bounds):
    _operands(op, bounds, flags(op, 1, "mul") & 1, "mul")
    pair(op[7], i8(op[8], 0), "mul")
    need(not u8(op[8], 3) | u8(op[9], 3), "mul: reserved bytes, expected 0")
    clamp(i8(op[8], 1), i8(op[8], 2), "mul")


def _softmax(op, bounds):
    wide = flags(op, 1, "softmax")
    rows, depth = op[3:5]
    need(rows > 0, "softmax: no rows")
    need(0 < depth <= _MAX_DEPTH, "softmax: depth %d, expected 1 .. %d" % (depth, _MAX_DEPTH))
    shift, radius = i8(op[6], 0), u16(op[6], 1)
    pair(op[5], shift, "softmax")
    # So that the scaled difference, and with it every power and the sum, stays in int32.
    fits = shift >= 0 and radius < 256 and radius << shift < 1 << 31 and not u8(op[6], 1)
    need(fits, "softmax: shift %d with radius %d" % (shift, radius))
    source = bounds.in_arena(op[1], rows * depth, "softmax: input")
    out = bounds.in_arena(op[2], rows * depth * (1 + wide), "softmax: output")
    if wide:
        apart(source, out, "softmax: output overlaps the input")
    else:
        _same_or_apart(source, out, "softmax")


def _table(op, bounds):
    flags(op, 0, "table")
    source = bounds.in_arena(op[1], op[3], "table: input")
    _same_or_apart(source, bounds.in_arena(op[2], op[3], "table: output"), "table")
    bounds.in_file(op[4], 256, "table: values", 1)


def _reach(at, counts, strides):
    """(first byte, byte after) of all that a COPY touches from `at` on."""
    spans = [(n - 1) * stride for n, stride in zip(counts, strides)]
    low = sum(span for span in spans if span < 0)
    return at + low, at + sum(spans) - low + 1


def _copy(op, bounds):
    is_constant = flags(op, 1, "copy")
    counts = op[3:7]
    need(min(counts) > 0, "copy: a count of 0")
    total = counts[0] * counts[1] * counts[2] * counts[3]
    need(total <= bounds.arena_bytes, "copy: %d bytes, more than the arena" % total)
    source, out = _reach(op[1], counts, op[7:11]), _reach(op[2], counts, op[11:15])
    bounds.in_arena(out[0], out[1] - out[0], "copy: output", 1)
    if is_constant:
        bounds.in_file(source[0], source[1] - source[0], "copy: constant", 1)
        return
    bounds.in_arena(source[0], source[1] - source[0], "copy: input", 1)
    if op[1] != op[2] or op[7:11] != op[11:15]:
        apart(source, out, "copy: output overlaps the input")


def _fill(op, bounds):
    flags(op, 0, "fill")
    need(op[1] == 0 and not (op[4] >> 8), "fill: reserved words, expected 0")
    bounds.in_arena(op[2], op[3], "fill: output", 1)


def _mean(op, bounds):
    flags(op, 0, "mean")
    outer, n, inner, multiplier = op[3:7]
    need(min(outer, n, inner) > 0, "mean: a count of 0")
    source = bounds.in_arena(op[1], outer * n * inner, "mean: input")
    out = bounds.in_arena(op[2], outer * inner, "mean: output")
    apart(source, out, "mean: output overlaps the input")
    need(multiplier >= 0, "mean: multiplier %d, expected 0 .. 2**31 - 1" % multiplier)
    pair(0, i8(op[8], 0), "mean")
    need(not u16(op[8], 1), "mean: reserved bytes, expected 0")


def _requantize(op, bounds):
    sizes = flags(op, 0xFF, "requantize")
    size_in, size_out = sizes & 15, sizes >> 4
    known = size_in in (1, 2) and size_out in (1, 2, 4)
    need(known, "requantize: from %d to %d bytes" % (size_in, size_out))
    pair(op[4], i8(op[5], 0), "requantize")
    source = bounds.in_arena(op[1], op[3] * size_in, "requantize: input")
    out = bounds.in_arena(op[2], op[3] * size_out, "requantize: output")
    apart(source, out, "requantize: output overlaps the input")


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
