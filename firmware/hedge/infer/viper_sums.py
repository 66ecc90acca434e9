"""ADD and MUL in viper; loaded by kernels.py for the models that need them."""

import micropython

from .viper import WORK
from .viper_fixed import put, requantize

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def sums(data, arena, at: int):
    """One ADD or MUL record at byte `at`; reads 32 elements, then writes them."""
    base = int(ptr8(data))
    op = ptr32(base + at)
    work = ptr32(WORK)
    is_add = (op[0] & 1) ^ 1  # opcodes 4 and 5
    flags = op[0] >> 16
    tail = ptr8(int(op) + 32)  # of MUL: its shift, then its limits
    if is_add != 0:
        tail = ptr8(int(op) + 40)
        work[65] = op[8]
        work[66] = op[9]
    work[64] = op[7]
    zero_a = (int(tail[4]) ^ 128) - 128
    zero_b = (int(tail[5]) ^ 128) - 128
    zero_point = (int(tail[6]) ^ 128) - 128
    limits = ptr8(int(tail) + 1)
    if is_add != 0:
        limits = ptr8(int(tail) + 8)
    low = (int(limits[0]) ^ 128) - 128
    high = (int(limits[1]) ^ 128) - 128
    second = int(ptr8(arena))
    first = ptr8(second + op[1])
    if flags & 1 != 0:
        second = base
    second += op[3]
    place = 0  # of b, used b_run times
    used = 0
    done = 0
    while done < op[4]:
        count = op[4] - done
        if count > 32:
            count = 32
        for i in range(count):
            a = (int(first[done + i]) ^ 128) - 128 - zero_a
            b = (int(ptr8(second)[place]) ^ 128) - 128 - zero_b
            used += 1
            if used == op[6]:
                used = 0
                place += 1
                if place == op[5]:
                    place = 0
            if is_add != 0:
                work[i] = a << 20
                work[32 + i] = b << 20
            else:
                work[i] = a * b
        if is_add != 0:
            requantize(0, count, 64, 0, (int(tail[0]) ^ 128) - 128)
            requantize(32, count, 65, 0, (int(tail[1]) ^ 128) - 128)
            for i in range(count):
                a = int(work[i])
                b = int(work[32 + i])
                if flags & 2 != 0:
                    a = 0 - a
                if flags & 4 != 0:
                    b = 0 - b
                work[i] = a + b
            requantize(0, count, 66, 0, (int(tail[2]) ^ 128) - 128)
        else:
            requantize(0, count, 64, 0, (int(tail[0]) ^ 128) - 128)
        put(0, count, arena, op[2] + done, zero_point, low, high)
        done += count
