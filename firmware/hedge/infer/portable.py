"""The plan of a .hgm file in plain Python: the path of CPython, and of boards without viper.

Same numbers as the viper path, to the byte; allocates (struct tuples, long ints). The caller has
run plan.check() on the file.
"""

import struct

from .plan import DENSE


def requantize(acc, multiplier, shift):
    """round(acc * multiplier * 2**(shift - 31)) with the double rounding of TFLM's reference.

    acc: int32; multiplier: 0 or 2**30..2**31-1; shift: -31..30. Source: SPEC.md.
    """
    value = ((acc << max(shift, 0)) * multiplier + (1 << 30)) >> 31
    right = max(-shift, 0)
    mask = (1 << right) - 1
    half = (mask >> 1) + (1 if value < 0 else 0)
    return (value >> right) + (1 if value & mask > half else 0)


def run(data, arena, op_count):
    """Execute the plan. data: the file; arena: int8 array of arena_bytes. Blocks; allocates."""
    at = 64
    for _ in range(op_count):
        head = struct.unpack_from("<HH", data, at)
        op = struct.unpack_from("<%di" % head[1], data, at)
        at += 4 * head[1]
        if head[0] == DENSE:
            _dense(data, arena, op)
        else:
            _table(data, arena, op)


def _dense(data, arena, op):
    _, src, out, n_in, n_out, weights, bias, requant, step, zero_point, low, high = op
    inputs = [arena[src + i] + 128 for i in range(n_in)]
    common = -128 * sum(inputs)
    for j in range(n_out):
        at = weights + (j // 4) * 4 * n_in + j % 4
        acc = struct.unpack_from("<i", data, bias + 4 * j)[0] + common
        for value in inputs:
            acc += value * data[at]
            at += 4
        multiplier, shift = struct.unpack_from("<ii", data, requant + 4 * step * j)
        value = zero_point + requantize(acc, multiplier, shift)
        arena[out + j] = min(max(value, low), high)


def _table(data, arena, op):
    _, src, out, count, table, _ = op
    for i in range(count):
        value = data[table + arena[src + i] + 128]
        arena[out + i] = value - 256 if value > 127 else value
