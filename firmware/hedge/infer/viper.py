"""Runs a plan in viper: no heap, exact on 32-bit machine words.

viper ints are machine words (32 bits on boards) and its pointers are not checked: the caller has
run plan.check(). The Unix port (64-bit words) and a board compute the same: no sum or product
leaves 32 bits, and (v ^ top) - top gives an i32 its sign, which a ptr32 load on a 64-bit port
drops. tests/host/test_infer_words.py runs this source with simulated 32-bit words. Only small
ints cross from one function to another: an int of 2**30 would be boxed on the heap, and so would
an address where RAM lies that high (ESP32-C6, QEMU's RV32): what hands a buffer on takes it as an
object.

Here too is the fully connected layer, and what all convolutions share, the pixel: a module of its
own costs the smallest model 500 bytes (64-bit words). Accumulators go through WORK, up to 64
channels at a time, to one finish() for CONV and DEPTHWISE: a call for each output would cost more
than the multiply-adds, and a loop of more than 2 KB of code is too far a jump for a Cortex-M0+.
The first three arguments of a viper function live in registers: they are what the innermost loop
turns on.
"""

import array

import micropython

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper; the other kernels come from kernels.py

# Numbers on their way from one function to the next. kernels.py extends it for other ops than the
# fully connected layer: multipliers of viper_fixed.py lie from 64 on, numbers of SOFTMAX up to 79.
# A constant of its own would be another object on the heap.
WORK = array.array("i", (0,) * 16)


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
def pixel(x: int, data, arena, at: int, dst: int, common: int, flip: int, chunk: int):
    """One output pixel of the CONV at byte `at`; x, flip: see dots(); common: the sum of x'.

    chunk: channels that go through WORK at a time.
    """
    out_c = (ptr32(int(ptr8(data)) + at)[6] >> 16) & 0xFFFF
    j = 0
    while j < out_c:
        last = j + chunk
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
    pixel(x, data, arena, at, op[2], total, 128, 16)


@micropython.viper
def table(data: ptr8, arena: ptr8, at: int):
    """One TABLE record at byte `at`."""
    base = int(data)
    op = ptr32(base + at)
    src = op[1]
    out = op[2]
    values = ptr8(base + op[4])
    for i in range(op[3]):
        arena[out + i] = values[int(arena[src + i]) ^ 128]


@micropython.viper
def run(data, arena, cursor):
    """Run records from where cursor stands; see portable.run. data: at a multiple of 4."""
    state = ptr32(cursor)
    budget = state[3]
    limited = budget
    while state[2] > 0:
        at = state[0]
        op = ptr32(int(ptr8(data)) + at)
        code = op[0] & 255
        first = state[1]
        total = 1
        if code == 3:
            total = op[5] & 0xFFFF
        elif code < 3:
            total = op[7] & 0xFFFF
        last = total
        if limited != 0 and last - first > budget:
            last = first + budget
        if code == 1 and op[0] & 0x40000 == 0:
            dense(data, arena, at)
        elif code < 3:
            rows_of_image(data, arena, at, first, last)
        elif code == 3:
            pool(data, arena, at, first, last)
        elif code < 6:
            sums(data, arena, at)
        elif code == 6:
            softmax(data, arena, at)
        elif code == 7:
            table(data, arena, at)
        elif code < 10:
            move(data, arena, at)
        elif code < 12:
            mean(data, arena, at)
        else:
            recurrent(data, arena, at)
        state[1] = last
        if last == total:
            state[0] = at + ((op[0] >> 8) & 255) * 4
            state[1] = 0
            state[2] = state[2] - 1
        budget -= last - first
        if limited != 0 and budget <= 0:
            break
