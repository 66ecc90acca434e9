"""ADD, MUL, SOFTMAX, TABLE, COPY, FILL, MEAN and REQUANTIZE in plain Python; see portable.py."""

import struct

from .fields import i8, i16, u16
from .fixed import clamp, divide, exp_on_negative_values, reciprocal, requantize, srdhm

_FORMATS = {1: "<b", 2: "<h", 4: "<i"}


def _second(data, arena, op, i):
    """Element i of the second operand of ADD and MUL."""
    at = op[3] + i // op[6] % op[5]
    return i8(data[at], 0) if u16(op[0], 1) & 1 else arena[at]


def _add(data, arena, op):
    flags = u16(op[0], 1)
    signs = (-1 if flags & 2 else 1, -1 if flags & 4 else 1)
    for i in range(op[4]):
        acc = 0
        for k, x in enumerate((arena[op[1] + i], _second(data, arena, op, i))):
            share = requantize((x - i8(op[11], k)) << 20, op[7 + k], i8(op[10], k))
            acc += signs[k] * share
        value = i8(op[11], 2) + requantize(acc, op[9], i8(op[10], 2))
        arena[op[2] + i] = clamp(value, i8(op[12], 0), i8(op[12], 1))


def _mul(data, arena, op):
    for i in range(op[4]):
        acc = (arena[op[1] + i] - i8(op[9], 0)) * (_second(data, arena, op, i) - i8(op[9], 1))
        value = i8(op[9], 2) + requantize(acc, op[7], i8(op[8], 0))
        arena[op[2] + i] = clamp(value, i8(op[8], 1), i8(op[8], 2))


def _softmax(_data, arena, op):
    bits = 16 if u16(op[0], 1) & 1 else 8
    depth, most = op[4], 1 << bits
    for row in range(op[3]):
        at = op[1] + row * depth
        x = [arena[at + i] for i in range(depth)]
        powers = [_power(op, max(x) - v) for v in x]
        scale, zeros = reciprocal(sum(divide(p, 12) for p in powers))
        for i in range(depth):
            value = min(most - 1, divide(srdhm(scale, powers[i]), 43 - bits - zeros)) - most // 2
            place = op[2] + (row * depth + i) * (bits // 8)
            struct.pack_into(_FORMATS[bits // 8], arena, place, value)


def _power(op, below):
    """exp of an element that lies `below` the row's maximum, Q0.31."""
    if below > u16(op[6], 1):
        return 0
    return exp_on_negative_values(srdhm(-below << i8(op[6], 0), op[5]))


def _table(data, arena, op):
    for i in range(op[3]):
        arena[op[2] + i] = i8(data[op[4] + arena[op[1] + i] + 128], 0)


def _steps(counts, strides):
    """Yields the offset of each element, the last axis fastest."""
    for a in range(counts[0]):
        for b in range(counts[1]):
            for c in range(counts[2]):
                at = a * strides[0] + b * strides[1] + c * strides[2]
                for d in range(counts[3]):
                    yield at + d * strides[3]


def _copy(data, arena, op):
    source = data if u16(op[0], 1) & 1 else arena
    pairs = zip(_steps(op[3:7], op[7:11]), _steps(op[3:7], op[11:15]))
    for take, put in pairs:
        arena[op[2] + put] = i8(source[op[1] + take], 0)


def _fill(_data, arena, op):
    for i in range(op[2], op[2] + op[3]):
        arena[i] = i8(op[4], 0)


def _mean(_data, arena, op):
    outer, n, inner = op[3:6]
    for o in range(outer):
        for i in range(inner):
            at = op[1] + o * n * inner + i
            acc = sum(arena[k] for k in range(at, at + n * inner, inner)) - op[7]
            value = i8(op[8], 1) + requantize(acc, op[6], i8(op[8], 0))
            arena[op[2] + o * inner + i] = clamp(value, -128, 127)


def _requantize(_data, arena, op):
    size_in, size_out = u16(op[0], 1) & 15, u16(op[0], 1) >> 4
    most = 1 << (8 * size_out - 1)
    for i in range(op[3]):
        x = struct.unpack_from(_FORMATS[size_in], arena, op[1] + i * size_in)[0]
        value = i8(op[5], 1) + requantize(x - i16(op[5], 1), op[4], i8(op[5], 0))
        value = clamp(value, -most, most - 1)
        struct.pack_into(_FORMATS[size_out], arena, op[2] + i * size_out, value)


KERNELS = {
    4: _add,
    5: _mul,
    6: _softmax,
    7: _table,
    8: _copy,
    9: _fill,
    10: _mean,
    11: _requantize,
}
