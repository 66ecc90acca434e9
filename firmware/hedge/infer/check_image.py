"""Checks of CONV, DEPTHWISE and POOL records; see ops.py."""

import struct

from .fields import i8, image, u8, u16, window
from .ops import CONV, DEPTHWISE, POOL, apart, clamp, flags, need, pair

_WIDE, _DIRECT, _SCRATCH = 1, 2, 4
_MAX_TAPS = 65534


def _check_table(op, bounds, has, what):
    """Channel table, and the clamp of word 10."""
    out_c, base = u16(op[6], 1), has >> 8 & 31
    blocks = (out_c + 3) // 4
    wide = has & _WIDE
    bounds.in_file(op[4], blocks * (48 if wide else 28), what + ": channel table")
    for block in range(blocks if wide or base > 28 else 0):
        if wide:
            row = struct.unpack_from("<8i", bounds.data, op[4] + 48 * block + 16)
            for lane in range(4):
                pair(row[lane], row[4 + lane], what)
        else:
            row = struct.unpack_from("<4I", bounds.data, op[4] + 28 * block)
            most = max(word & 3 for word in row)
            need(base + most <= 31, "%s: shift -%d, expected -31 .. 0" % (what, base + most))
    clamp(i8(op[10], 1), i8(op[10], 2), what)


def _ranges(op, bounds, what):
    """Input and output as (first byte, byte after), all sides and steps being at least 1."""
    sides, steps = image(op), window(op, 8)
    need(min(sides) > 0, what + ": an image side or channel count of 0")
    need(min(steps[:6]) > 0, what + ": a kernel side, stride or dilation of 0")
    in_h, in_w, in_c, out_c, out_h, out_w = sides
    source = bounds.in_arena(op[1], in_h * in_w * in_c, what + ": input")
    return source, bounds.in_arena(op[2], out_h * out_w * out_c, what + ": output")


def _scratch(op, bounds, count, source, out, what):
    span = bounds.in_arena(op[11], count, what + ": scratch")
    apart(span, source, what + ": scratch overlaps the input")
    apart(span, out, what + ": scratch overlaps the output")


def _step_gap(count, step, pad, read, written):
    """The least of max(0, k * step - pad) * read - k * written for k = 0 .. count - 1.

    Falls, then changes its slope once: the ends and the places beside the bend are enough.
    """
    bend = pad // step
    places = [k for k in (0, bend, bend + 1, count - 1) if k < count]
    return min(max(0, k * step - pad) * read - k * written for k in places)


def _check_overlap(op, source, out, may, what):
    """Disjoint, or no output pixel begins behind the first byte that it or a later one reads."""
    if out[1] <= source[0] or source[1] <= out[0]:
        return
    need(may, what + ": output overlaps the input, no scratch")
    need(out[0] <= source[0], what + ": output overlaps the input from behind")
    _, in_w, in_c, out_c, out_h, out_w = image(op)
    steps = window(op, 8)
    gap = source[0] - out[0]
    gap += _step_gap(out_h, steps[2], steps[6], in_w * in_c, out_w * out_c)
    gap += _step_gap(out_w, steps[3], steps[7], in_c, out_c)
    need(gap >= 0, "%s: output runs %d bytes into input still to be read" % (what, -gap))


def _conv(op, bounds):
    has = flags(op, 0x1F07, "conv")
    source, out = _ranges(op, bounds, "conv")
    in_h, in_w, in_c, out_c, out_h, out_w = image(op)
    steps = window(op, 8)
    taps = steps[0] * steps[1] * in_c
    need(taps <= _MAX_TAPS, "conv: %d taps, expected at most %d" % (taps, _MAX_TAPS))
    even = taps + (taps & 1)
    bounds.in_file(op[3], (out_c + 3) // 4 * 4 * even, "conv: weights")
    _check_table(op, bounds, has, "conv")
    if has & _DIRECT:
        plain = max(steps[:6]) == 1 and steps[6:] == (0, 0) and (in_h, in_w) == (out_h, out_w)
        need(plain, "conv: direct, but not 1x1 on an image of the same sides")
    if has & _SCRATCH:
        _scratch(op, bounds, 4 * even, source, out, "conv")
    else:
        need(has & _DIRECT and out_h * out_w == 1, "conv: needs scratch")
        need(op[11] == 0, "conv: scratch without its flag")
    _check_overlap(op, source, out, has & _SCRATCH, "conv")


def _depthwise(op, bounds):
    has = flags(op, 0x1F05, "depthwise")
    source, out = _ranges(op, bounds, "depthwise")
    in_h, in_w, in_c, out_c, out_h, out_w = image(op)
    kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left = window(op, 8)
    need(in_c == out_c, "depthwise: %d channels in, %d out" % (in_c, out_c))
    bounds.in_file(op[3], kernel_h * kernel_w * out_c, "depthwise: weights")
    _check_table(op, bounds, has, "depthwise")
    if has & _SCRATCH:
        _scratch(op, bounds, (kernel_h * kernel_w * in_c + 3) & ~3, source, out, "depthwise")
    else:
        reach_h = (out_h - 1) * stride_h + (kernel_h - 1) * dilation_h
        reach_w = (out_w - 1) * stride_w + (kernel_w - 1) * dilation_w
        inside = top == left == 0 and reach_h < in_h and reach_w < in_w
        need(inside, "depthwise: sees past a border, needs scratch")
        need(op[11] == 0, "depthwise: scratch without its flag")
    _check_overlap(op, source, out, True, "depthwise")


def _pool(op, bounds):
    flags(op, 1, "pool")
    (in_h, in_w), (out_h, out_w) = ((u16(op[at], 0), u16(op[at], 1)) for at in (3, 5))
    channels = u16(op[4], 0)
    kernel_h, kernel_w, stride_h, stride_w, _, _, top, left = window(op, 6)
    sides = (in_h, in_w, out_h, out_w, channels, kernel_h, kernel_w, stride_h, stride_w)
    need(min(sides) > 0, "pool: a side or step of 0")
    filled = top < kernel_h and left < kernel_w
    filled = filled and (out_h - 1) * stride_h - top < in_h
    filled = filled and (out_w - 1) * stride_w - left < in_w
    need(filled, "pool: an output pixel sees only padding")
    reserved = u16(op[4], 1) | u16(op[7], 0) | u8(op[8], 0) | u8(op[8], 3)
    need(not reserved, "pool: reserved bytes, expected 0")
    clamp(i8(op[8], 1), i8(op[8], 2), "pool")
    source = bounds.in_arena(op[1], in_h * in_w * channels, "pool: input")
    out = bounds.in_arena(op[2], out_h * out_w * channels, "pool: output")
    apart(source, out, "pool: output overlaps the input")


CHECKS = {CONV: _conv, DEPTHWISE: _depthwise, POOL: _pool}
