"""SVDF and LSTM in viper; loaded by kernels.py for the models that need them."""

import micropython

from .viper import WORK
from .viper_fixed import clamp16, put, requantize

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def row_dots(
    x: int,
    w: int,
    end: int,
    data: ptr8,
    arena: ptr8,
    src: int,
    n: int,
    bias: int,
    first: int,
    count: int,
):
    """WORK[first + i] = bias[i] + sum of n x times row i of weights, i < count.

    src: arena offset of x; w: file offset of the first row of weights; bias: of its i32.
    `x` and `end` are free.
    """
    work = ptr32(WORK)
    biases = ptr32(int(data) + bias)
    w += int(data)
    for i in range(count):
        x = int(arena) + src
        end = x + n
        total = int(biases[i])
        while x < end:
            total += ((int(ptr8(x)[0]) ^ 128) - 128) * ((int(ptr8(w)[0]) ^ 128) - 128)
            x += 1
            w += 1
        work[first + i] = total


@micropython.viper
def state_row(data: ptr8, arena: ptr8, at: int, f: int):
    """Row f of the state of an SVDF: down by one, WORK[0] last; WORK[1] += row times weights."""
    op = ptr32(int(data) + at)
    work = ptr32(WORK)
    top = 1
    top = top << 31
    is_wide = (op[0] >> 16) & 1
    memory = op[5] & 0xFFFF
    zero = (int(ptr8(int(op) + 48)[1]) ^ 128) - 128
    row = f * memory
    if is_wide != 0:
        row += row
    state = int(arena) + op[3] + row
    weights = int(data) + op[7] + row
    total = int(work[1])
    for i in range(memory):
        if i == memory - 1:
            value = (work[0] ^ top) - top
            if is_wide != 0:
                w = (int(ptr16(weights)[i]) ^ 0x8000) - 0x8000
                ptr16(state)[i] = value
            else:
                w = (int(ptr8(weights)[i]) ^ 128) - 128
                ptr8(state)[i] = value
        elif is_wide != 0:
            w = (int(ptr16(weights)[i]) ^ 0x8000) - 0x8000
            value = (int(ptr16(state)[i + 1]) ^ 0x8000) - 0x8000
            ptr16(state)[i] = value
        else:
            w = (int(ptr8(weights)[i]) ^ 128) - 128
            value = (int(ptr8(state)[i + 1]) ^ 128) - 128
            ptr8(state)[i] = value
        total += (value - zero) * w
    work[1] = total


@micropython.viper
def svdf(data, arena, at: int):
    """One SVDF record at byte `at`."""
    op = ptr32(int(ptr8(data)) + at)
    work = ptr32(WORK)
    top = 1
    top = top << 31
    n_in = op[4] & 0xFFFF
    filters = (op[4] >> 16) & 0xFFFF
    rank = (op[5] >> 16) & 0xFFFF
    tail = ptr8(int(op) + 44)
    zero = (int(tail[5]) ^ 128) - 128
    least = -128
    if op[0] & 0x10000 != 0:
        least = -32768
    out = op[2]
    place = 0
    for f in range(filters):
        if place == 0:
            work[1] = ptr32(int(ptr8(data)) + op[8])[out - op[2]]
        row_dots(0, op[6] + f * n_in, 0, data, arena, op[1], n_in, op[13] + f * 4, 0, 1)
        work[64] = op[9]
        requantize(0, 1, 64, 0, (int(tail[0]) ^ 128) - 128)
        value = ((work[0] ^ top) - top) + zero
        if value < least:
            value = least
        if value > -1 - least:
            value = -1 - least
        work[0] = value
        state_row(data, arena, at, f)
        place += 1
        if place == rank:
            place = 0
            work[64] = op[10]
            requantize(1, 1, 64, 0, (int(tail[1]) ^ 128) - 128)
            low = (int(tail[2]) ^ 128) - 128
            high = (int(tail[3]) ^ 128) - 128
            put(1, 1, arena, out, (int(tail[6]) ^ 128) - 128, low, high)
            out += 1


@micropython.viper
def activate(data: ptr8, table: int, first: int, count: int, bits: int):
    """WORK[first + i], 3 times a Q3.12, to Q0.15, i < count: sigmoid with bits 9, tanh with 8.

    table: file offset of sigmoid(i / 24) in Q0.16. Sources: integer_ops/logistic.h and tanh.h.
    """
    work = ptr32(WORK)
    top = 1
    top = top << 31
    values = ptr16(int(data) + table)
    mask = (1 << bits) - 1
    for i in range(count):
        x = (work[first + i] ^ top) - top
        size = x
        if x < 0:
            size = 0 - x
        place = size >> bits
        if place < 255:
            low = int(values[place])
            value = (low << bits) + (size & mask) * (int(values[place + 1]) - low)
        elif bits == 9:
            value = 0x7FFF << 10
        else:
            value = 0xFFFF << 8
        if bits == 8:
            value -= 1 << 23
            if x < 0:
                value = -1 - value
            value = (value + 128) >> 8
        else:
            if x < 0:
                value = (1 << 25) - 1 - value
            value = (value + 512) >> 10
        work[first + i] = value


@micropython.viper
def gate(data, arena, at: int, x: int, number: int):
    """One gate of an LSTM, 0 to 3, for the step whose input lies at x; int16 to the scratch."""
    op = ptr32(int(ptr8(data)) + at)
    work = ptr32(WORK)
    top = 1
    top = top << 31
    n_in = op[5] & 0xFFFF
    n = (op[5] >> 16) & 0xFFFF
    bits = 9
    if number == 2:
        bits = 8
    out = ptr16(int(ptr8(arena)) + op[9] + number * n * 2)
    done = 0
    while done < n:
        count = n - done
        if count > 32:
            count = 32
        w = op[12 + number] + done * n_in
        row_dots(0, w, 0, data, arena, x, n_in, op[20 + number] + done * 4, 0, count)
        w = op[16 + number] + done * n
        row_dots(0, w, 0, data, arena, op[3], n, op[24 + number] + done * 4, 32, count)
        work[64] = op[28 + number]
        work[65] = op[32 + number]
        requantize(0, count, 64, 0, (int(ptr8(int(op) + 144)[number]) ^ 128) - 128)
        requantize(32, count, 65, 0, (int(ptr8(int(op) + 148)[number]) ^ 128) - 128)
        clamp16(0, count)
        clamp16(32, count)
        for i in range(count):
            work[i] = work[i] + work[32 + i]
        clamp16(0, count)
        for i in range(count):
            work[i] = ((work[i] ^ top) - top) * 3
        activate(data, op[10], 0, count, bits)
        for i in range(count):
            out[done + i] = work[i]
        done += count


@micropython.viper
def products(arena: ptr8, a: int, b: int, first: int, count: int):
    """WORK[first + i] = a[i] * b[i], i < count: int16 at arena offsets."""
    work = ptr32(WORK)
    left = ptr16(int(arena) + a)
    right = ptr16(int(arena) + b)
    for i in range(count):
        x = (int(left[i]) ^ 0x8000) - 0x8000
        work[first + i] = x * ((int(right[i]) ^ 0x8000) - 0x8000)


@micropython.viper
def update(data, arena, at: int, out: int):
    """Cell, hidden state and output of one step, from the gates in the scratch."""
    op = ptr32(int(ptr8(data)) + at)
    base = int(ptr8(arena))
    work = ptr32(WORK)
    top = 1
    top = top << 31
    n = (op[5] >> 16) & 0xFFFF
    power = (((op[6] >> 16) & 0xFFFF) ^ 0x8000) - 0x8000
    clip = op[11] & 0xFFFF
    zero = (int(ptr8(int(op) + 44)[2]) ^ 128) - 128
    shifts = ptr8(int(op) + 164)
    done = 0
    while done < n:
        count = n - done
        if count > 32:
            count = 32
        gates = op[9] + done * 2
        cells = op[4] + done * 2
        work[64] = op[38]
        work[65] = op[39]
        work[66] = op[40]
        products(arena, gates + n * 2, cells, 0, count)
        requantize(0, count, 64, 0, (int(shifts[0]) ^ 128) - 128)
        clamp16(0, count)
        products(arena, gates, gates + n * 4, 32, count)
        requantize(32, count, 65, 0, (int(shifts[1]) ^ 128) - 128)
        clamp16(32, count)
        for i in range(count):
            work[i] = work[i] + work[32 + i]
        clamp16(0, count)
        for i in range(count):
            value = (work[i] ^ top) - top
            if clip < 32767 and value > clip:
                value = clip
            if clip < 32767 and value < 0 - clip:
                value = 0 - clip
            ptr16(base + cells)[i] = value
            value = 3 * value
            if power < 0:
                value = (value + (1 << (0 - power - 1))) >> (0 - power)
            else:
                value = value << power
            work[i] = value
        activate(data, op[10], 0, count, 8)
        for i in range(count):
            x = (int(ptr16(base + gates + n * 6)[i]) ^ 0x8000) - 0x8000
            work[i] = ((work[i] ^ top) - top) * x
        requantize(0, count, 66, 0, (int(shifts[2]) ^ 128) - 128)
        put(0, count, arena, op[3] + done, zero, -128, 127)
        put(0, count, arena, out + done, zero, -128, 127)
        done += count


@micropython.viper
def recurrent(data, arena, at: int):
    """One SVDF or LSTM record at byte `at`."""
    op = ptr32(int(ptr8(data)) + at)
    if op[0] & 255 == 12:
        svdf(data, arena, at)
    else:
        x = op[1]
        out = op[2]
        steps = op[6] & 0xFFFF
        while steps > 0:
            for number in range(4):
                gate(data, arena, at, x, number)
            update(data, arena, at, out)
            x += op[7]
            out += op[8]
            steps -= 1
