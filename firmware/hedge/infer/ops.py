"""The ops of a plan (SPEC.md): number, words of a record, and the check of one record.

A check raises ModelError unless the kernels may run the record without looking at bounds.
"""

import struct

from ..core.errors import ModelError

DENSE = 1
TABLE = 2
CONV = 3
DEPTHWISE = 4
POOL = 5
ADD = 6
SOFTMAX = 7
MAX_IN = 1 << 15
MAX_OUT = 1 << 16
MAX_SIDE = 1 << 15  # of an image; rows * columns * channels stay within 24 bits by the arena
MAX_STEP = 255  # kernel sides, strides, dilations
MAX_DEPTH = 511  # of SOFTMAX: the reference stops where a sum of exp() may reach 512


def need(ok, what):
    if not ok:
        raise ModelError("model file: " + what)


def in_range(offset, length, limit, what):
    need(offset >= 0 and length > 0 and offset + length <= limit, what)


def _apart(a, a_bytes, b, b_bytes, what):
    need(a + a_bytes <= b or b + b_bytes <= a, what)


def _clamp(zero_point, low, high, what):
    need(-128 <= low <= high <= 127 and -128 <= zero_point <= 127, what + ": clamp")


def _pair(multiplier, shift, what):
    need(not multiplier or multiplier >= 1 << 30, what + ": multiplier")
    need(-31 <= shift <= 30, what + ": shift")


def _check_channels(data, op, per_channel, what):
    """Words 3 to 11, which DENSE, CONV and DEPTHWISE share; per_channel: weights of a channel."""
    _, _, _, n_in, n_out, weights, bias, requant, step, zero_point, low, high = op[:12]
    need(0 < n_in <= MAX_IN and 0 < n_out <= MAX_OUT, what + ": shape")
    need(not (weights | bias | requant) & 3, what + ": unaligned constants")
    need(step in (0, 2), what + ": requantisation step")
    blocks = (n_out + 3) // 4
    pairs = n_out if step else 1
    in_range(weights, 4 * blocks * per_channel, len(data), what + ": weights outside the file")
    in_range(bias, 16 * blocks, len(data), what + ": bias outside the file")
    in_range(requant, 8 * pairs, len(data), what + ": multipliers outside the file")
    _clamp(zero_point, low, high, what)
    for i in range(pairs):
        multiplier, shift = struct.unpack_from("<ii", data, requant + 8 * i)
        _pair(multiplier, shift, what)


def _dense(data, op, arena_bytes):
    src, out, n_in, n_out = op[1:5]
    _check_channels(data, op, n_in, "dense")
    in_range(src, n_in, arena_bytes, "dense: input outside the arena")
    in_range(out, n_out, arena_bytes, "dense: output outside the arena")
    _apart(src, n_in, out, n_out, "dense: output overlaps input")


def _check_window(sides, steps, pads):
    need(min(sides) > 0 and max(sides) <= MAX_SIDE, "window: image")
    need(min(steps) > 0 and max(steps) <= MAX_STEP, "window: kernel")
    need(min(pads) >= 0 and max(pads) <= MAX_STEP * MAX_STEP, "window: padding")


def _image(data, op, arena_bytes, what):
    """CONV and DEPTHWISE: ranges in the arena; the kernels themselves stay inside the image."""
    src, out, _, n_out = op[1:5]
    height, width, channels, kernel_h, kernel_w = op[12:17]
    top, left, out_h, out_w, fill, scratch, gathers = op[21:28]
    _check_window((height, width, out_h, out_w), op[15:21], (top, left))
    need(0 < channels <= MAX_OUT, what + ": channels")
    need(-128 <= fill <= 127 and gathers in (0, 1), what + ": fill")
    in_bytes = height * width * channels
    out_bytes = out_h * out_w * n_out
    in_range(src, in_bytes, arena_bytes, what + ": input outside the arena")
    in_range(out, out_bytes, arena_bytes, what + ": output outside the arena")
    _apart(src, in_bytes, out, out_bytes, what + ": output overlaps input")
    if gathers:
        size = kernel_h * kernel_w * channels
        in_range(scratch, size, arena_bytes, what + ": scratch outside the arena")
        _apart(scratch, size, src, in_bytes, what + ": scratch overlaps")
        _apart(scratch, size, out, out_bytes, what + ": scratch overlaps")


def _conv(data, op, arena_bytes):
    n_in = op[3]
    _check_channels(data, op, n_in, "conv")
    _image(data, op, arena_bytes, "conv")
    need(n_in == op[14] * op[15] * op[16], "conv: kernel")
    if not op[27]:
        need(op[15:19] == (1, 1, 1, 1) and op[21:23] == (0, 0), "conv: needs scratch")
        need(op[12:14] == op[23:25], "conv: shape")


def _depthwise(data, op, arena_bytes):
    taps, channels = op[3:5]
    _check_channels(data, op, taps, "depthwise")
    _image(data, op, arena_bytes, "depthwise")
    need(taps == op[15] * op[16] and channels == op[14], "depthwise: kernel")
    if not op[27]:
        reach_h = (op[23] - 1) * op[17] + (op[15] - 1) * op[19] + 1
        reach_w = (op[24] - 1) * op[18] + (op[16] - 1) * op[20] + 1
        inside = reach_h <= op[12] and reach_w <= op[13] and op[21:23] == (0, 0)
        need(inside, "depthwise: needs scratch")


def _pool(data, op, arena_bytes):
    src, out, largest, channels, height, width = op[1:7]
    out_h, out_w, low, high, reserved = op[13:18]
    _check_window((height, width, out_h, out_w), op[7:11], op[11:13])
    need(0 < channels <= MAX_OUT and largest in (0, 1) and reserved == 0, "pool: shape")
    need(-128 <= low <= high <= 127, "pool: clamp")
    top, left = op[11:13]
    filled = top < op[7] and left < op[8]
    filled = filled and (out_h - 1) * op[9] - top < height and (out_w - 1) * op[10] - left < width
    need(filled, "pool: nothing under the kernel")
    in_bytes = height * width * channels
    out_bytes = out_h * out_w * channels
    in_range(src, in_bytes, arena_bytes, "pool: input outside the arena")
    in_range(out, out_bytes, arena_bytes, "pool: output outside the arena")
    _apart(src, in_bytes, out, out_bytes, "pool: output overlaps input")


def _add(data, op, arena_bytes):
    _, a, out, b, count, table_a, table_b, multiplier, shift, zero_point, low, high = op
    need(0 < count, "add: shape")
    for src in (a, b):
        in_range(src, count, arena_bytes, "add: input outside the arena")
        if src != out:
            _apart(src, count, out, count, "add: output overlaps")
    in_range(out, count, arena_bytes, "add: output outside the arena")
    need(not (table_a | table_b) & 3, "add: unaligned constants")
    in_range(table_a, 1024, len(data), "add: table outside the file")
    in_range(table_b, 1024, len(data), "add: table outside the file")
    _clamp(zero_point, low, high, "add")
    _pair(multiplier, shift, "add")


def _softmax(data, op, arena_bytes):
    _, src, out, rows, depth, table = op
    need(0 < rows <= MAX_OUT and 0 < depth <= MAX_DEPTH, "softmax: shape")
    size = rows * depth
    in_range(src, size, arena_bytes, "softmax: input outside the arena")
    in_range(out, size, arena_bytes, "softmax: output outside the arena")
    if src != out:
        _apart(src, size, out, size, "softmax: output overlaps")
    need(not table & 3, "softmax: unaligned constants")
    in_range(table, 1024, len(data), "softmax: table outside the file")
    values = struct.unpack_from("<256i", data, table)
    # The first power is 1, so that no sum is 0 (the kernel normalises the sum).
    need(min(values) >= 0 and values[0] == 0x7FFFFFFF, "softmax: table")


def _table(data, op, arena_bytes):
    _, src, out, count, table, reserved = op
    need(0 < count and reserved == 0, "table: shape")
    in_range(src, count, arena_bytes, "table: input outside the arena")
    in_range(out, count, arena_bytes, "table: output outside the arena")
    if src != out:
        _apart(src, count, out, count, "table: output overlaps")
    in_range(table, 256, len(data), "table: outside the file")


# number -> (words, check)
OPS = {
    DENSE: (12, _dense),
    TABLE: (6, _table),
    CONV: (28, _conv),
    DEPTHWISE: (28, _depthwise),
    POOL: (18, _pool),
    ADD: (12, _add),
    SOFTMAX: (6, _softmax),
}
