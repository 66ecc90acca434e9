"""The plan of a .hgm file in plain Python: the path of CPython, and of boards without viper.

Same numbers as the viper path, to the byte; allocates (struct tuples, long ints). The caller has
run plan.check() on the file.
"""

import struct

from .ops import ADD, CONV, DENSE, DEPTHWISE, POOL, SOFTMAX, TABLE


def requantize(acc, multiplier, shift):
    """round(acc * multiplier * 2**(shift - 31)) with the double rounding of TFLM's reference.

    acc: int32; multiplier: 0 or 2**30..2**31-1; shift: -31..30. Source: SPEC.md.
    """
    return _divide(_srdhm(acc << max(shift, 0), multiplier), max(-shift, 0))


def _srdhm(a, b):
    return (a * b + (1 << 30)) >> 31


def _divide(value, right):
    """value / 2**right, halves away from zero."""
    mask = (1 << right) - 1
    half = (mask >> 1) + (1 if value < 0 else 0)
    return (value >> right) + (1 if value & mask > half else 0)


def run(data, arena, op_count):
    """Execute the plan. data: the file; arena: int8 array of arena_bytes. Blocks; allocates."""
    at = 64
    for _ in range(op_count):
        number, words = struct.unpack_from("<HH", data, at)
        op = struct.unpack_from("<%di" % words, data, at)
        at += 4 * words
        _KERNELS[number](data, arena, op)


def _finish(data, arena, op, accs, out):
    """Accumulators of one pixel, without bias, to int8 at `out`."""
    _, _, _, _, n_out, _, bias, requant, step, zero_point, low, high = op[:12]
    for j in range(n_out):
        acc = accs[j] + struct.unpack_from("<i", data, bias + 4 * j)[0]
        multiplier, shift = struct.unpack_from("<ii", data, requant + 4 * step * j)
        value = zero_point + requantize(acc, multiplier, shift)
        arena[out + j] = min(max(value, low), high)


def _dot(data, op, inputs):
    """Accumulators of all channels; inputs: n_in int8."""
    n_in, n_out, weights = op[3:6]
    accs = []
    for j in range(n_out):
        at = weights + (j // 4) * 4 * n_in + j % 4
        acc = 0
        for value in inputs:
            acc += value * data[at]
            at += 4
        accs.append(acc)
    return accs


def _dense_pixel(data, arena, op, inputs, out):
    wide = [value + 128 for value in inputs]
    common = -128 * sum(wide)
    _finish(data, arena, op, [acc + common for acc in _dot(data, op, wide)], out)


def _dense(data, arena, op):
    src, out, n_in = op[1:4]
    _dense_pixel(data, arena, op, [arena[src + i] for i in range(n_in)], out)


def _view(arena, op, row, column):
    """What the kernel sees at an output pixel: kernel_h * kernel_w * channels int8."""
    src = op[1]
    height, width, channels, kernel_h, kernel_w = op[12:17]
    stride_h, stride_w, dilation_h, dilation_w, top, left = op[17:23]
    y, x = row * stride_h - top, column * stride_w - left
    view = []
    for i in range(y, y + kernel_h * dilation_h, dilation_h):
        for j in range(x, x + kernel_w * dilation_w, dilation_w):
            if 0 <= i < height and 0 <= j < width:
                at = src + (i * width + j) * channels
                view += [arena[k] for k in range(at, at + channels)]
            else:
                view += [op[25]] * channels
    return view


def _conv(data, arena, op):
    out, _, n_out = op[2:5]
    for row in range(op[23]):
        for column in range(op[24]):
            _dense_pixel(data, arena, op, _view(arena, op, row, column), out)
            out += n_out


def _depthwise(data, arena, op):
    out, taps, channels, weights = op[2:6]
    for row in range(op[23]):
        for column in range(op[24]):
            view = _view(arena, op, row, column)
            accs = []
            for j in range(channels):
                at = weights + (j // 4) * 4 * taps + j % 4
                acc = 0
                for tap in range(taps):
                    acc += (view[tap * channels + j] + 128) * (data[at + 4 * tap] - 128)
                accs.append(acc)
            _finish(data, arena, op, accs, out)
            out += channels


def _pool(data, arena, op):
    src, out, largest, channels, height, width, kernel_h, kernel_w = op[1:9]
    stride_h, stride_w, top, left, out_h, out_w, low, high = op[9:17]
    for row in range(out_h):
        rows = range(max(row * stride_h - top, 0), min(row * stride_h - top + kernel_h, height))
        for column in range(out_w):
            x = column * stride_w - left
            columns = range(max(x, 0), min(x + kernel_w, width))
            for j in range(channels):
                cells = [
                    arena[src + (y * width + x) * channels + j] for y in rows for x in columns
                ]
                value = max(cells) if largest else _mean(cells)
                arena[out] = min(max(value, low), high)
                out += 1


def _mean(cells):
    total = sum(cells)
    size = (abs(total) + len(cells) // 2) // len(cells)
    return size if total > 0 else -size


def _add(data, arena, op):
    _, a, out, b, count, table_a, table_b, multiplier, shift, zero_point, low, high = op
    for i in range(count):
        acc = struct.unpack_from("<i", data, table_a + 4 * arena[a + i] + 512)[0]
        acc += struct.unpack_from("<i", data, table_b + 4 * arena[b + i] + 512)[0]
        value = zero_point + requantize(acc, multiplier, shift)
        arena[out + i] = min(max(value, low), high)


def _softmax(data, arena, op):
    _, src, out, rows, depth, table = op
    for _ in range(rows):
        x = [arena[src + i] for i in range(depth)]
        largest = max(x)
        powers = [struct.unpack_from("<i", data, table + 4 * (largest - v))[0] for v in x]
        scale, exponent = _reciprocal(sum((p >> 12) + (p >> 11 & 1) for p in powers))
        for i in range(depth):
            value = _divide(_srdhm(scale, powers[i]), exponent)
            arena[out + i] = min(value, 255) - 128
        src += depth
        out += depth


def _reciprocal(total):
    """(scale Q0.31, right shift) for 256 / total, total Q12.19: Newton-Raphson as gemmlowp."""
    headroom = 1
    while total < 1 << 30:
        total <<= 1
        headroom += 1
    half = total  # of the denominator, Q0.31 in [1/2, 1)
    estimate = 1515870810 + _srdhm(half, -1010580540)
    for _ in range(3):
        estimate += _srdhm(estimate, (1 << 29) - _srdhm(half, estimate)) << 2
    return min(estimate << 1, (1 << 31) - 1), 35 - headroom


def _table(data, arena, op):
    _, src, out, count, table, _ = op
    for i in range(count):
        value = data[table + arena[src + i] + 128]
        arena[out + i] = value - 256 if value > 127 else value


_KERNELS = {
    DENSE: _dense,
    TABLE: _table,
    CONV: _conv,
    DEPTHWISE: _depthwise,
    POOL: _pool,
    ADD: _add,
    SOFTMAX: _softmax,
}
