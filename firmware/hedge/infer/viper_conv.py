"""CONV and DEPTHWISE of images in viper; loaded by kernels.py for the models that need them."""

import micropython

from .viper import WORK, finish, pixel

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def gather(to: int, pixel: int, i: int, data: ptr8, arena: ptr8, at: int, y: int, x: int) -> int:
    """Copy x' = x + 128 under the kernel at input row y, column x to the scratch bytes.

    Returns the sum of x'; `to`, `pixel` and `i` are free.
    """
    op = ptr32(int(data) + at)
    sizes = ptr16(int(op) + 20)
    height = sizes[0]
    width = sizes[1]
    channels = sizes[2]
    steps = ptr8(int(op) + 32)
    last_row = y + int(steps[0]) * int(steps[4])
    last_column = x + int(steps[1]) * int(steps[5])
    row_step = int(steps[4])
    column_step = int(steps[5])
    fill = int(ptr8(int(op) + 43)[0]) ^ 128
    to = int(arena) + op[11]
    source = int(arena) + op[1]
    total = 0
    while y < last_row:
        column = x
        while column < last_column:
            if y < 0 or y >= height or column < 0 or column >= width:
                total += fill * channels
                i = to + channels
                while to < i:
                    ptr8(to)[0] = fill
                    to += 1
            else:
                pixel = source + (y * width + column) * channels
                i = to + channels
                while to < i:
                    value = int(ptr8(pixel)[0]) ^ 128
                    ptr8(to)[0] = value
                    total += value
                    pixel += 1
                    to += 1
            column += column_step
        y += row_step
    return total


@micropython.viper
def dots_each(
    x: int, w: int, end: int, data: ptr8, arena: ptr8, at: int, gathered: int, j: int, last: int
):
    """WORK from 0 on: sums of x' * w of channels j to last - 1 of a DEPTHWISE.

    x: arena offset of the first tap; gathered: 1 if the taps lie in the scratch, as x'. `w` and
    `end` are free.
    """
    base = int(data)
    op = ptr32(base + at)
    work = ptr32(WORK)
    sizes = ptr16(int(op) + 20)
    steps = ptr8(int(op) + 32)
    channels = int(sizes[2])
    columns = int(steps[1])
    taps = int(steps[0]) * columns * channels
    flip = 0
    column_step = channels
    row_step = 0
    if gathered == 0:
        flip = 128
        column_step = int(steps[5]) * channels
        row_step = int(steps[4]) * int(sizes[1]) * channels - columns * column_step
    start = int(arena) + x
    weights = base + op[3]
    place = 0
    while j < last:
        acc0 = 0
        acc1 = 0
        acc2 = 0
        acc3 = 0
        x = start + j
        w = weights + j
        end = w + taps
        column = columns
        if j + 4 <= last:
            while w < end:
                acc0 += (int(ptr8(x)[0]) ^ flip) * ((int(ptr8(w)[0]) ^ 128) - 128)
                acc1 += (int(ptr8(x)[1]) ^ flip) * ((int(ptr8(w)[1]) ^ 128) - 128)
                acc2 += (int(ptr8(x)[2]) ^ flip) * ((int(ptr8(w)[2]) ^ 128) - 128)
                acc3 += (int(ptr8(x)[3]) ^ flip) * ((int(ptr8(w)[3]) ^ 128) - 128)
                w += channels
                x += column_step
                column -= 1
                if column == 0:
                    column = columns
                    x += row_step
            work[place + 1] = acc1
            work[place + 2] = acc2
            work[place + 3] = acc3
            lanes = 4
        else:  # fewer than four channels left: one at a time, to stay inside the input
            while w < end:
                acc0 += (int(ptr8(x)[0]) ^ flip) * ((int(ptr8(w)[0]) ^ 128) - 128)
                w += channels
                x += column_step
                column -= 1
                if column == 0:
                    column = columns
                    x += row_step
            lanes = 1
        work[place] = acc0
        place += lanes
        j += lanes


@micropython.viper
def pixels(x: int, data, arena, at: int, gathered: int, dst: int, count: int):
    """`count` pixels of an output row of the DEPTHWISE at byte `at`; see dots_each()."""
    op = ptr32(int(ptr8(data)) + at)
    channels = op[6] & 0xFFFF
    step = int(ptr8(int(op) + 32)[3]) * channels
    while count > 0:
        j = 0
        while j < channels:
            last = j + 64
            if last > channels:
                last = channels
            dots_each(x, 0, 0, data, arena, at, gathered, j, last)
            finish(data, arena, at, j, last, dst, 0)
            j = last
        x += step
        dst += channels
        count -= 1


@micropython.viper
def conv(data, arena, at: int, row: int, last: int):
    """Output rows of one CONV record at byte `at`."""
    op = ptr32(int(ptr8(data)) + at)
    sizes = ptr16(int(op) + 20)
    steps = ptr8(int(op) + 32)
    columns = sizes[5]
    dst = op[2] + row * columns * sizes[3]
    while row < last:
        y = row * int(steps[2]) - int(steps[6])
        x = 0 - int(steps[7])
        for _ in range(columns):
            total = int(gather(0, 0, 0, data, arena, at, y, x))
            pixel(op[11], data, arena, at, dst, total, 0, 64)
            x += int(steps[3])
            dst += int(sizes[3])
        row += 1


@micropython.viper
def depthwise(data, arena, at: int, row: int, last: int):
    """Output rows of one DEPTHWISE record at byte `at`: only pixels at the border are gathered."""
    op = ptr32(int(ptr8(data)) + at)
    sizes = ptr16(int(op) + 20)
    steps = ptr8(int(op) + 32)
    channels = int(sizes[2])
    columns = int(sizes[5])
    dst = op[2] + row * columns * channels
    # Rows and columns where a kernel may start inside.
    height = int(sizes[0]) - (int(steps[0]) - 1) * int(steps[4])
    width = int(sizes[1]) - (int(steps[1]) - 1) * int(steps[5])
    while row < last:
        y = row * int(steps[2]) - int(steps[6])
        x = 0 - int(steps[7])
        column = 0
        while column < columns:
            count = 0
            if y < 0 or y >= height or x < 0 or x >= width:
                gather(0, 0, 0, data, arena, at, y, x)
                pixels(op[11], data, arena, at, 1, dst, 1)
                x += int(steps[3])
                count = 1
            else:
                start = op[1] + (y * int(sizes[1]) + x) * channels
                while column + count < columns and x < width:
                    x += int(steps[3])
                    count += 1
                pixels(start, data, arena, at, 0, dst, count)
            dst += channels * count
            column += count
        row += 1


@micropython.viper
def rows_of_image(data, arena, at: int, row: int, last: int):
    """Output rows `row` to `last` - 1 of the CONV or DEPTHWISE at byte `at`."""
    if ptr8(int(ptr8(data)) + at)[0] == 1:
        conv(data, arena, at, row, last)
    else:
        depthwise(data, arena, at, row, last)
