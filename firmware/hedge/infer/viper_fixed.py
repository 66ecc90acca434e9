"""Requantisation of numbers in WORK in viper, for all ops but the convolutions."""

import micropython

from .viper import WORK

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def requantize(first: int, count: int, by: int, step: int, shift: int):
    """WORK[first + i] = requantize(WORK[first + i], WORK[by + i * step], shift), i < count.

    step 0: one multiplier for all, 1: one each; with shift 0 it is SRDHM. See finish() of
    viper.py for the arithmetic.
    """
    work = ptr32(WORK)
    top = 1
    top = top << 31
    left = 0
    right = 0
    if shift > 0:
        left = shift
    else:
        right = 0 - shift
    last = first + count
    while first < last:
        acc = ((work[first] ^ top) - top) << left
        bh = ((work[by] ^ top) - top) >> 16
        bl = work[by] & 0xFFFF
        ah = acc >> 16
        al = acc & 0xFFFF
        carry = (al * (bl >> 8) + ((al * (bl & 255)) >> 8)) >> 8  # al*bl >> 16
        middle1 = ah * bl
        middle2 = al * bh + carry
        value = ((middle1 & 0x7FFF) + (middle2 & 0x7FFF) + 0x4000) >> 15
        value = ah * bh * 2 + (middle1 >> 15) + (middle2 >> 15) + value
        if right > 0:  # divide by 2**right, halves away from zero
            half = 1 << (right - 1)
            rest = value & (half - 1 + half)
            if value < 0:
                half += 1
            value = value >> right
            if rest >= half:
                value += 1
        work[first] = value
        first += 1
        by += step


@micropython.viper
def put(first: int, count: int, arena: ptr8, out: int, zero_point: int, low: int, high: int):
    """arena[out + i] = clamp(zero_point + WORK[first + i], low, high), i < count."""
    work = ptr32(WORK)
    top = 1
    top = top << 31
    for i in range(count):
        value = zero_point + ((work[first + i] ^ top) - top)
        if value < low:
            value = low
        if value > high:
            value = high
        arena[out + i] = value


@micropython.viper
def clamp16(first: int, count: int):
    """Saturate WORK[first + i], i < count, to int16."""
    work = ptr32(WORK)
    top = 1
    top = top << 31
    for i in range(count):
        value = (work[first + i] ^ top) - top
        if value < -32768:
            value = -32768
        if value > 32767:
            value = 32767
        work[first + i] = value
