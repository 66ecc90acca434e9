"""MEAN and REQUANTIZE in viper; loaded by kernels.py for the models that need them."""

import micropython

from .viper import WORK
from .viper_fixed import put, requantize

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def average(data, arena, at: int):
    """One MEAN record at byte `at`."""
    op = ptr32(int(ptr8(data)) + at)
    work = ptr32(WORK)
    tail = ptr8(int(op) + 32)
    n = op[4]
    inner = op[5]
    source = int(ptr8(arena)) + op[1]
    out = op[2]
    work[64] = op[6]
    for o in range(op[3]):
        done = 0
        while done < inner:
            count = inner - done
            if count > 32:
                count = 32
            for i in range(count):
                x = source + o * n * inner + done + i
                total = 0 - op[7]
                for _ in range(n):
                    total += (int(ptr8(x)[0]) ^ 128) - 128
                    x += inner
                work[i] = total
            requantize(0, count, 64, 0, (int(tail[0]) ^ 128) - 128)
            put(0, count, arena, out, (int(tail[1]) ^ 128) - 128, -128, 127)
            out += count
            done += count


@micropython.viper
def convert(data, arena, at: int):
    """One REQUANTIZE record at byte `at`."""
    op = ptr32(int(ptr8(data)) + at)
    work = ptr32(WORK)
    top = 1
    top = top << 31
    tail = ptr8(int(op) + 20)
    shift = (int(tail[0]) ^ 128) - 128
    zero_out = (int(tail[1]) ^ 128) - 128
    zero_in = (int(ptr16(int(tail))[1]) ^ 0x8000) - 0x8000
    size_in = (op[0] >> 16) & 15
    size_out = (op[0] >> 20) & 15
    most = top - 1
    if size_out == 2:
        most = 32767
    base = int(ptr8(arena))
    x = base + op[1]
    out = base + op[2]
    work[64] = op[4]
    left = op[3]
    while left > 0:
        count = left
        if count > 32:
            count = 32
        for i in range(count):
            if size_in == 2:
                value = (int(ptr16(x)[i]) ^ 0x8000) - 0x8000
            else:
                value = (int(ptr8(x)[i]) ^ 128) - 128
            work[i] = value - zero_in
        requantize(0, count, 64, 0, shift)
        if size_out == 1:
            put(0, count, arena, out - base, zero_out, -128, 127)
        else:
            for i in range(count):
                value = (work[i] ^ top) - top
                if zero_out > 0 and value > most - zero_out:
                    value = most
                elif zero_out < 0 and value < 0 - most - 1 - zero_out:
                    value = 0 - most - 1
                else:
                    value += zero_out
                if size_out == 4:
                    ptr32(out)[i] = value
                else:
                    if value > most:
                        value = most
                    if value < 0 - most - 1:
                        value = 0 - most - 1
                    ptr16(out)[i] = value
        x += count * size_in
        out += count * size_out
        left -= count


@micropython.viper
def mean(data, arena, at: int):
    """One MEAN or REQUANTIZE record at byte `at`."""
    if ptr8(int(ptr8(data)) + at)[0] == 10:
        average(data, arena, at)
    else:
        convert(data, arena, at)
