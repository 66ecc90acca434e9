"""Checks of CONV, DEPTHWISE and POOL records; see ops.py."""

from .fields import i8, image, u8, u16, window
from .ops import CONV, DEPTHWISE, POOL, apart, clamp, fail, flags, need

_WIDE, _DIRECT, _SCRATCH = 1, 2, 4
MAX_TAPS = 65534


def _check_table(op, bounds, has):
    """Channel table, and the clamp of word 10. Looks at bytes: words of 2**30 would be boxed."""
    out_c, base = u16(op[6], 1), has >> 8 & 31
    blocks = (out_c + 3) // 4
    wide = has & _WIDE
    bounds.in_file(op[4], blocks * (48 if wide else 28), "channel table")
    for i in range(4 * blocks if wide or base > 28 else 0):
        if wide:
            _check_wide(bounds.data, op[4] + 48 * (i // 4) + 16 + 4 * (i % 4))
        else:
            shift = base + (bounds.data[op[4] + 28 * (i // 4) + 4 * (i % 4)] & 3)
            if shift > 31:
                fail("shift -%d, expected -31 .. 0" % shift)
    clamp(i8(op[10], 1), i8(op[10], 2))


def _check_wide(data, at):
    """As ops.pair(): multiplier at byte `at`, shift 16 bytes on."""
    top = data[at + 3]
    zero = not (top | data[at] | data[at + 1] | data[at + 2])
    need(zero or top >> 6 == 1, "multiplier, expected 0 or 2**30 .. 2**31 - 1")
    shift = i8(data[at + 16], 0)
    sign = 0xFF if shift < 0 else 0
    whole = data[at + 17] == sign and data[at + 18] == sign and data[at + 19] == sign
    need(whole and -31 <= shift <= 30, "shift of a channel, expected -31 .. 30")


def _ranges(op, bounds):
    """Input and output as (first byte, byte after), all sides and steps being at least 1."""
    sides, steps = image(op), window(op, 8)
    need(min(sides) > 0, "an image side or channel count of 0")
    need(min(steps[:6]) > 0, "a kernel side, stride or dilation of 0")
    in_h, in_w, in_c, out_c, out_h, out_w = sides
    source = bounds.in_arena(op[1], in_h * in_w * in_c, "input")
    return source, bounds.in_arena(op[2], out_h * out_w * out_c, "output")


def _scratch(op, bounds, count, source, out):
    span = bounds.in_arena(op[11], count, "scratch")
    apart(span, source, "scratch overlaps the input")
    apart(span, out, "scratch overlaps the output")


def _step_gap(count, step, pad, read, written):
    """The least of max(0, k * step - pad) * read - k * written for k = 0 .. count - 1.

    Falls, then changes its slope once: the ends and the places beside the bend are enough.
    """
    bend = pad // step
    least = 0  # of k = 0, pad being 0 or more
    for k in (bend, bend + 1, count - 1):
        if k < count:
            least = min(least, max(0, k * step - pad) * read - k * written)
    return least


def _check_overlap(op, source, out, may):
    """Disjoint, or no output pixel begins behind the first byte that it or a later one reads."""
    if out[1] <= source[0] or source[1] <= out[0]:
        return
    need(may, "output overlaps the input, no scratch")
    need(out[0] <= source[0], "output overlaps the input from behind")
    _, in_w, in_c, out_c, out_h, out_w = image(op)
    steps = window(op, 8)
    gap = source[0] - out[0]
    gap += _step_gap(out_h, steps[2], steps[6], in_w * in_c, out_w * out_c)
    gap += _step_gap(out_w, steps[3], steps[7], in_c, out_c)
    if gap < 0:
        fail("output runs %d bytes into input still to be read" % -gap)


def _conv(op, bounds):
    has = flags(op, 0x1F07)
    source, out = _ranges(op, bounds)
    in_h, in_w, in_c, out_c, out_h, out_w = image(op)
    steps = window(op, 8)
    taps = steps[0] * steps[1] * in_c
    if taps > MAX_TAPS:
        fail("%d taps, expected at most %d" % (taps, MAX_TAPS))
    even = taps + (taps & 1)
    bounds.in_file(op[3], (out_c + 3) // 4 * 4 * even, "weights")
    _check_table(op, bounds, has)
    if has & _DIRECT:
        plain = max(steps[:6]) == 1 and steps[6:] == (0, 0) and (in_h, in_w) == (out_h, out_w)
        need(plain, "direct, but not 1x1 on an image of the same sides")
    if has & _SCRATCH:
        _scratch(op, bounds, 4 * even, source, out)
    else:
        need(has & _DIRECT and out_h * out_w == 1, "needs scratch")
        need(op[11] == 0, "scratch without its flag")
    _check_overlap(op, source, out, has & _SCRATCH)


def _depthwise(op, bounds):
    has = flags(op, 0x1F05)
    source, out = _ranges(op, bounds)
    in_h, in_w, in_c, out_c, out_h, out_w = image(op)
    kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left = window(op, 8)
    if in_c != out_c:
        fail("%d channels in, %d out" % (in_c, out_c))
    bounds.in_file(op[3], kernel_h * kernel_w * out_c, "weights")
    _check_table(op, bounds, has)
    if has & _SCRATCH:
        _scratch(op, bounds, (kernel_h * kernel_w * in_c + 3) & ~3, source, out)
    else:
        reach_h = (out_h - 1) * stride_h + (kernel_h - 1) * dilation_h
        reach_w = (out_w - 1) * stride_w + (kernel_w - 1) * dilation_w
        inside = top == left == 0 and reach_h < in_h and reach_w < in_w
        need(inside, "sees past a border, needs scratch")
        need(op[11] == 0, "scratch without its flag")
    _check_overlap(op, source, out, True)


def _pool(op, bounds):
    flags(op, 1)
    (in_h, in_w), (out_h, out_w) = ((u16(op[at], 0), u16(op[at], 1)) for at in (3, 5))
    channels = u16(op[4], 0)
    kernel_h, kernel_w, stride_h, stride_w, _, _, top, left = window(op, 6)
    sides = (in_h, in_w, out_h, out_w, channels, kernel_h, kernel_w, stride_h, stride_w)
    need(min(sides) > 0, "a side or step of 0")
    filled = top < kernel_h and left < kernel_w
    filled = filled and (out_h - 1) * stride_h - top < in_h
    filled = filled and (out_w - 1) * stride_w - left < in_w
    need(filled, "an output pixel sees only padding")
    reserved = u16(op[4], 1) | u16(op[7], 0) | u8(op[8], 0) | u8(op[8], 3)
    need(not reserved, "reserved bytes, expected 0")
    clamp(i8(op[8], 1), i8(op[8], 2))
    source = bounds.in_arena(op[1], in_h * in_w * channels, "input")
    out = bounds.in_arena(op[2], out_h * out_w * channels, "output")
    apart(source, out, "output overlaps the input")


CHECKS = {CONV: _conv, DEPTHWISE: _depthwise, POOL: _pool}
