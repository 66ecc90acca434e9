"""Fully connected layers in viper, and what all convolutions share: the pixel.

Accumulators go through WORK, 64 channels at a time, to one finish() for CONV and DEPTHWISE: a call
for each output would cost more than the multiply-adds, and a loop of more than 2 KB of code is too
far a jump for a Cortex-M0+. The first three arguments of a viper function live in registers: they
are what the innermost loop turns on.
"""

import micropython

from .viper import WORK

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def sum_of(x: int, end: int, total: int, arena: ptr8) -> int:
    """Sum of x' of the bytes from arena offset x to end; `total` is 0."""
    x += int(arena)
    end += int(arena)
    while x < end:
        total += int(ptr8(x)[0]) ^ 128
        x += 1
    return total


@micropython.viper
def finish(data: ptr8, arena: ptr8, at: int, j: int, last: int, dst: int, common: int):
    """Channels j to last - 1 of a pixel: WORK from 0 on, less common * 128, to int8.

    j is a multiple of 4; dst: arena offset of the pixel's first output.
    """
    base = int(data)
    op = ptr32(base + at)
    work = ptr32(WORK)
    flags = op[0] >> 16
    limits = ptr8(int(op) + 40)
    zero_point = (int(limits[0]) ^ 128) - 128
    low = (int(limits[1]) ^ 128) - 128
    high = (int(limits[2]) ^ 128) - 128
    shift_base = (flags >> 8) & 31
    common = common << 7
    size = 28
    if flags & 1 != 0:
        size = 48
    table = base + op[4] + (j >> 2) * size
    out = ptr8(int(arena) + dst)
    top = 1
    top = top << 31
    place = 0
    while j < last:
        lane = j & 3
        acc = ((work[place] ^ top) - top) - common
        if flags & 1 != 0:
            wide = ptr32(table)
            acc += (wide[lane] ^ top) - top
            bh = (wide[lane + 4] >> 16) & 0xFFFF
            bl = wide[lane + 4] & 0xFFFF
            right = 0 - ((wide[lane + 8] ^ top) - top)
            if right < 0:
                acc = acc << (0 - right)
        else:
            acc += (((int(ptr8(table)[lane + 24]) ^ 128) - 128) << 16) + int(
                ptr16(table)[lane + 8]
            )
            bl = ptr32(table)[lane]
            right = shift_base + (bl & 3)
            bh = ((bl >> 18) & 0x3FFF) | 0x4000
            bl = (bl >> 2) & 0xFFFF
        # SRDHM(acc, multiplier) in 32-bit words. With halves ah:al and bh:bl the product + 2**30
        # is (ah*bh << 32) + (ah*bl + al*bh << 16) + al*bl + 2**30. Its low 31 bits go by taking
        # 15 bits off the middle sum: its parts fit, not the sum.
        ah = acc >> 16
        al = acc & 0xFFFF
        value = (al * (bl >> 8) + ((al * (bl & 255)) >> 8)) >> 8  # al*bl >> 16
        bl = ah * bl
        al = al * bh + value
        value = ((bl & 0x7FFF) + (al & 0x7FFF) + 0x4000) >> 15
        value = ah * bh * 2 + (bl >> 15) + (al >> 15) + value
        if right > 0:  # divide by 2**right, halves away from zero
            half = 1 << (right - 1)
            rest = value & (half - 1 + half)
            if value < 0:
                half += 1
            value = value >> right
            if rest >= half:
                value += 1
        value += zero_point
        if value < low:
            value = low
        if value > high:
            value = high
        out[j] = value
        j += 1
        place += 1
        if lane == 3:
            table += size


@micropython.viper
def dots(x: int, w: int, end: int, data: ptr8, arena: ptr8, at: int, flip: int, j: int, last: int):
    """WORK from 0 on: sums of x' * w' of channels j to last - 1 (whole blocks) of a CONV.

    x: arena offset of the taps, as int8 if flip is 128, as x' if 0. `w` and `end` are free.
    """
    base = int(data)
    op = ptr32(base + at)
    work = ptr32(WORK)
    steps = ptr8(int(op) + 32)
    taps = int(steps[0]) * int(steps[1]) * (op[6] & 0xFFFF)
    start = int(arena) + x
    w = base + op[3] + j * (taps + (taps & 1))
    place = 0
    while j < last:
        acc0 = 0
        acc1 = 0
        acc2 = 0
        acc3 = 0
        x = start
        end = start + (taps & -2)
        while x < end:  # eight bytes of weights are two taps of four channels
            value = int(ptr8(x)[0]) ^ flip
            after = int(ptr8(x)[1]) ^ flip
            acc0 += value * int(ptr8(w)[0]) + after * int(ptr8(w)[2])
            acc1 += value * int(ptr8(w)[1]) + after * int(ptr8(w)[3])
            acc2 += value * int(ptr8(w)[4]) + after * int(ptr8(w)[6])
            acc3 += value * int(ptr8(w)[5]) + after * int(ptr8(w)[7])
            x += 2
            w += 8
        if taps & 1 != 0:
            value = int(ptr8(x)[0]) ^ flip
            acc0 += value * int(ptr8(w)[0])
            acc1 += value * int(ptr8(w)[1])
            acc2 += value * int(ptr8(w)[4])
            acc3 += value * int(ptr8(w)[5])
            w += 8
        work[place] = acc0
        work[place + 1] = acc1
        work[place + 2] = acc2
        work[place + 3] = acc3
        place += 4
        j += 4


@micropython.viper
def pixel(x: int, data, arena, at: int, dst: int, common: int, flip: int):
    """One output pixel of the CONV at byte `at`; x, flip: see dots(); common: the sum of x'."""
    out_c = (ptr32(int(ptr8(data)) + at)[6] >> 16) & 0xFFFF
    j = 0
    while j < out_c:
        last = j + 64
        if last > out_c:
            last = out_c
        dots(x, 0, 0, data, arena, at, flip, j, last)
        finish(data, arena, at, j, last, dst, common)
        j = last


@micropython.viper
def dense(data, arena, at: int):
    """The CONV record at byte `at`, of one pixel that is read where it lies."""
    op = ptr32(int(ptr8(data)) + at)
    x = op[1]
    total = int(sum_of(x, x + (op[6] & 0xFFFF), 0, arena))
    pixel(x, data, arena, at, op[2], total, 128)
