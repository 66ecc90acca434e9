"""CONV, DEPTHWISE and POOL in plain Python; see portable.py.

A pixel is computed before any byte of it is written: the output may lie over the input.
"""

import struct

from .fields import i8, image, u8, u16, window
from .fixed import clamp, requantize


def _channels(data, op):
    """[(bias, multiplier, shift)] of the output channels."""
    rows, out_c, table = [], u16(op[6], 1), op[4]
    for j in range(out_c):
        lane = j & 3
        if u16(op[0], 1) & 1:
            at = table + (j >> 2) * 48 + 4 * lane
            rows.append(tuple(struct.unpack_from("<i", data, at + k)[0] for k in (0, 16, 32)))
            continue
        at = table + (j >> 2) * 28
        word = struct.unpack_from("<I", data, at + 4 * lane)[0]
        low = struct.unpack_from("<H", data, at + 16 + 2 * lane)[0]
        high = i8(data[at + 24 + lane], 0)
        shift = -((u16(op[0], 1) >> 8 & 31) + (word & 3))
        rows.append((high * 65536 + low, (word >> 2) + (1 << 30), shift))
    return rows


def _finish(arena, op, accs, table, out):
    """Accumulators of one pixel, without bias, to int8 at `out`."""
    zero_point, low, high = (i8(op[10], i) for i in range(3))
    for acc, (bias, multiplier, shift) in zip(accs, table):
        value = zero_point + requantize(acc + bias, multiplier, shift)
        arena[out] = clamp(value, low, high)
        out += 1


def _view(arena, op, row, column):
    """What the kernel sees at an output pixel: kernel_h * kernel_w * in_c of x + 128."""
    height, width, channels = image(op)[:3]
    kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left = window(op, 8)
    y, x = row * stride_h - top, column * stride_w - left
    fill = [i8(op[10], 3) + 128] * channels
    view = []
    for i in range(y, y + kernel_h * dilation_h, dilation_h):
        for j in range(x, x + kernel_w * dilation_w, dilation_w):
            if 0 <= i < height and 0 <= j < width:
                at = op[1] + (i * width + j) * channels
                view += [arena[k] + 128 for k in range(at, at + channels)]
            else:
                view += fill
    return view


def _dot(data, op, view):
    """Accumulators of all channels of a CONV."""
    size = (len(view) + 1) & ~1
    common = -128 * sum(view)
    accs = []
    for c in range(u16(op[6], 1)):
        at = op[3] + (c >> 2) * 4 * size + (c & 2) * 2 + (c & 1)
        acc = common
        for t, x in enumerate(view):
            acc += x * data[at + (t >> 1) * 8 + (t & 1) * 2]
        accs.append(acc)
    return accs


def _conv(data, arena, op, rows):
    _pixels(data, arena, op, rows, _dot)


def _depthwise(data, arena, op, rows):
    _pixels(data, arena, op, rows, _dot_each)


def _dot_each(data, op, view):
    """Accumulators of all channels of a DEPTHWISE."""
    channels, weights = u16(op[6], 1), op[3]
    accs = [0] * channels
    for i, x in enumerate(view):
        accs[i % channels] += x * i8(data[weights + i], 0)
    return accs


def _pixels(data, arena, op, rows, dot):
    out_c, out_w = u16(op[6], 1), u16(op[7], 1)
    table = _channels(data, op)
    for row in rows:
        out = op[2] + row * out_w * out_c
        for column in range(out_w):
            _finish(arena, op, dot(data, op, _view(arena, op, row, column)), table, out)
            out += out_c


def _span(at, stride, pad, kernel, side):
    """Cells of one axis under the kernel at output place `at`."""
    first = at * stride - pad
    return range(max(first, 0), min(first + kernel, side))


def _pool(_data, arena, op, rows):
    height, width, channels = u16(op[3], 0), u16(op[3], 1), u16(op[4], 0)
    kernel_h, kernel_w, stride_h, stride_w = (u8(op[6], i) for i in range(4))
    out_w, low, high = u16(op[5], 1), i8(op[8], 1), i8(op[8], 2)
    summary = max if u16(op[0], 1) & 1 else _mean
    for row in rows:
        out = op[2] + row * out_w * channels
        ys = _span(row, stride_h, u8(op[7], 2), kernel_h, height)
        for column in range(out_w):
            xs = _span(column, stride_w, u8(op[7], 3), kernel_w, width)
            places = [op[1] + (y * width + x) * channels for y in ys for x in xs]
            for j in range(channels):
                arena[out] = clamp(summary([arena[at + j] for at in places]), low, high)
                out += 1


def _mean(cells):
    total = sum(cells)
    size = (abs(total) + len(cells) // 2) // len(cells)
    return size if total > 0 else -size


# opcode -> (kernel, the word whose low half is the number of output rows)
KERNELS = {1: (_conv, 7), 2: (_depthwise, 7), 3: (_pool, 5)}
