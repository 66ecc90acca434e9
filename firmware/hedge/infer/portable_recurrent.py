"""SVDF and LSTM in plain Python; see portable.py. Their state lies in the arena."""

import struct

from .fields import i8, i16, u16
from .fixed import clamp, requantize


def _clamp16(value):
    return clamp(value, -32768, 32767)


def _numbers(buffer, form, at, count):
    return struct.unpack_from("<%d%s" % (count, form), buffer, at)


def _dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def _svdf(data, arena, op):
    form, size = ("h", 2) if u16(op[0], 1) & 1 else ("b", 1)
    (n_in, filters), (memory, rank) = ((u16(op[at], 0), u16(op[at], 1)) for at in (4, 5))
    x = _numbers(arena, "b", op[1], n_in)
    zero, low = i8(op[12], 1), -128 if size == 1 else -32768
    for unit in range(filters // rank):
        acc = _numbers(data, "i", op[8] + 4 * unit, 1)[0]
        for f in range(unit * rank, unit * rank + rank):
            newest = _numbers(data, "i", op[13] + 4 * f, 1)[0]
            newest += _dot(x, _numbers(data, "b", op[6] + f * n_in, n_in))
            newest = clamp(zero + requantize(newest, op[9], i8(op[11], 0)), low, -1 - low)
            at = f * memory * size
            state = _numbers(arena, form, op[3] + at + size, memory - 1) + (newest,)
            struct.pack_into("<%d%s" % (memory, form), arena, op[3] + at, *state)
            acc += _dot([s - zero for s in state], _numbers(data, form, op[7] + at, memory))
        value = i8(op[12], 2) + requantize(acc, op[10], i8(op[11], 1))
        arena[op[2] + unit] = clamp(value, i8(op[11], 2), i8(op[11], 3))


def _interpolate(table, size, bits):
    place = size >> bits
    low, high = table[place], table[place + 1]
    return (low << bits) + (size & ((1 << bits) - 1)) * (high - low)


def _sigmoid16(table, x):
    """x: 3 * Q3.12; to Q0.15 (integer_ops/logistic.h)."""
    size = abs(x)
    value = 0x7FFF << 10 if size >> 9 >= 255 else _interpolate(table, size, 9)
    return (value + (1 << 9) if x >= 0 else (1 << 25) - value + (1 << 9) - 1) >> 10


def _tanh16(table, x):
    """x: 3 * Q3.12; to Q0.15 (integer_ops/tanh.h): 2 * sigmoid(2 * x) - 1."""
    size = abs(x)
    value = 0xFFFF << 8 if size >> 8 >= 255 else _interpolate(table, size, 8)
    half = 1 << 23
    return (value - half + (1 << 7) if x >= 0 else half - value + (1 << 7) - 1) >> 8


def _part(data, op, x, i, at, shift):
    """One product of a gate; `at`: word of its weights (12 to 19); bias and multiplier follow."""
    n = len(x)
    acc = _numbers(data, "i", op[at + 8] + 4 * i, 1)[0]
    acc += _dot(x, _numbers(data, "b", op[at] + n * i, n))
    return _clamp16(requantize(acc, op[at + 16], shift))


def _gate(data, op, table, x, hidden, gate):
    activation = _tanh16 if gate == 2 else _sigmoid16
    values = []
    for i in range(len(hidden)):
        acc = _part(data, op, x, i, 12 + gate, i8(op[36], gate))
        acc += _part(data, op, hidden, i, 16 + gate, i8(op[37], gate))
        values.append(activation(table, 3 * _clamp16(acc)))
    return values


def _cell(op, gates, old):
    """The new cell from int16 gates, before the output."""
    forget = requantize(gates[1] * old, op[38], i8(op[41], 0))
    new = requantize(gates[0] * gates[2], op[39], i8(op[41], 1))
    clip = u16(op[11], 0)
    cell = _clamp16(_clamp16(forget) + _clamp16(new))
    return cell if clip == 32767 else clamp(cell, -clip, clip)


def _lstm(data, arena, op):
    n_in, n, power = u16(op[5], 0), u16(op[5], 1), i16(op[6], 1)
    table = _numbers(data, "H", op[10], 256)
    for step in range(u16(op[6], 0)):
        x = _numbers(arena, "b", op[1] + step * op[7], n_in)
        hidden = _numbers(arena, "b", op[3], n)
        gates = [_gate(data, op, table, x, hidden, gate) for gate in range(4)]
        for i in range(n):
            at = op[4] + 2 * i
            cell = _cell(op, [gate[i] for gate in gates], _numbers(arena, "h", at, 1)[0])
            struct.pack_into("<h", arena, at, cell)
            scaled = 3 * cell << power if power >= 0 else (3 * cell + (1 << -power >> 1)) >> -power
            acc = gates[3][i] * _tanh16(table, scaled)
            value = i8(op[11], 2) + requantize(acc, op[40], i8(op[41], 2))
            arena[op[3] + i] = arena[op[2] + step * op[8] + i] = clamp(value, -128, 127)


KERNELS = {12: _svdf, 13: _lstm}
