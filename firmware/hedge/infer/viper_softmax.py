"""SOFTMAX in viper; loaded by kernels.py for the models that need it.

Twelve elements at a time pass through gemmlowp's exp_on_negative_values: WORK holds five numbers
of each, from 0, 12, 24, 36 and 48 on. Its constants stand from 68 on.
"""

import micropython

from .viper import WORK
from .viper_fixed import requantize

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper

# gemmlowp's fixedpoint.h: exp of -1/8 and 1/3, exp(-2**k) for k = -2 .. 4, 48/17, -32/17.
_CONSTANTS = (
    1895147668,
    715827883,
    1672461947,
    1302514674,
    790015084,
    290630308,
    39332535,
    720401,
    242,
    1515870810,
    -1010580540,
)
for _i, _constant in enumerate(_CONSTANTS):
    WORK[68 + _i] = _constant  # nothing else writes there
del _CONSTANTS


@micropython.viper
def powers(record: ptr8, arena: ptr8, at: int, x: int, count: int, largest: int):
    """WORK[i] = exp(x[i] - largest) in Q0.31, 0 beyond the radius, i < count <= 12.

    record: the file, its record at byte `at`; x: arena offset; largest: + 128.
    """
    work = ptr32(WORK)
    top = 1
    top = top << 31
    last = ptr8(int(record) + at + 24)
    radius = int(last[2])
    shift = int(last[0])
    work[64] = ptr32(int(last) - 4)[0]
    for i in range(count):
        work[12 + i] = 0 - ((largest - (int(arena[x + i]) ^ 128)) << shift)
    requantize(12, count, 64, 0, 0)
    for i in range(count):  # a at 12 becomes its rest, x stands at 24
        a = (work[12 + i] ^ top) - top
        reduced = (a & 0xFFFFFF) - 0x1000000
        work[12 + i] = reduced - a
        reduced = (reduced << 5) + 0x10000000
        work[24 + i] = reduced
        work[36 + i] = reduced
    requantize(36, count, 24, 1, 0)  # x2
    for i in range(count):
        a = int(work[36 + i])
        work[48 + i] = a
        work[i] = a
    requantize(48, count, 24, 1, 0)  # x3
    requantize(0, count, 36, 1, -2)  # x4 / 4
    for i in range(count):
        work[i] = work[i] + work[48 + i]
    requantize(0, count, 69, 0, 0)
    for i in range(count):
        a = ((work[i] ^ top) - top) + ((work[36 + i] ^ top) - top)
        tail = a >> 1  # halves away from zero
        if a & 1 != 0 and a > 0:
            tail += 1
        work[i] = work[24 + i] + tail
    requantize(0, count, 68, 0, 0)
    for i in range(count):
        work[i] = work[i] + work[68]
    bit = 24
    while bit < 31:
        for i in range(count):
            work[24 + i] = work[i]
        requantize(24, count, bit + 46, 0, 0)
        for i in range(count):
            if (work[12 + i] >> bit) & 1 != 0:
                work[i] = work[24 + i]
        bit += 1
    for i in range(count):
        below = largest - (int(arena[x + i]) ^ 128)
        if below > radius:
            work[i] = 0
        elif (work[12 + i] ^ top) - top < 0:  # the rest of a = 0
            work[i] = top - 1


@micropython.viper
def reciprocal():
    """WORK[65]: half of a denominator, Q0.31 in [1/2, 1); becomes its inverse by three steps of
    Newton and Raphson, Q0.31, saturated."""
    work = ptr32(WORK)
    top = 1
    bit30 = top << 30  # as a literal it would be an object on 32-bit boards
    top = top << 31
    work[66] = work[65]
    requantize(66, 1, 78, 0, 0)
    work[66] = work[66] + work[77]
    step = 0
    while step < 3:
        work[67] = work[65]
        requantize(67, 1, 66, 0, 0)
        work[67] = 0x20000000 - work[67]
        requantize(67, 1, 66, 0, 0)
        work[66] = work[66] + (work[67] << 2)
        step += 1
    estimate = (work[66] ^ top) - top
    work[65] = top - 1
    if estimate < bit30:
        work[65] = estimate << 1


@micropython.viper
def softmax(data, arena, at: int):
    """One SOFTMAX record at byte `at`."""
    op = ptr32(int(ptr8(data)) + at)
    work = ptr32(WORK)
    top = 1
    bit30 = top << 30
    top = top << 31
    is_wide = (op[0] >> 16) & 1
    depth = op[4]
    x = op[1]
    cells = ptr8(arena)
    out = int(cells) + op[2]
    rows = op[3]
    while rows > 0:
        largest = 0
        for i in range(depth):
            value = int(cells[x + i]) ^ 128
            if value > largest:
                largest = value
        total = 0
        done = 0
        while done < depth:
            count = depth - done
            if count > 12:
                count = 12
            powers(data, arena, at, x + done, count, largest)
            for i in range(count):
                value = int(work[i])
                total += (value >> 12) + ((value >> 11) & 1)
            done += count
        exponent = 34  # 35 - leading zeros
        if is_wide != 0:
            exponent = 26
        while total < bit30:
            total = total << 1
            exponent -= 1
        work[65] = total
        reciprocal()
        done = 0
        while done < depth:
            count = depth - done
            if count > 12:
                count = 12
            if depth > 12:  # else they are still there
                powers(data, arena, at, x + done, count, largest)
            requantize(0, count, 65, 0, 0 - exponent)
            for i in range(count):
                value = int(work[i])
                if is_wide != 0:
                    if value > 65535:
                        value = 65535
                    ptr16(out)[i] = value ^ 0x8000
                else:
                    if value > 255:
                        value = 255
                    ptr8(out)[i] = value ^ 128
            out += count
            if is_wide != 0:
                out += count
            done += count
        x += depth
        rows -= 1
