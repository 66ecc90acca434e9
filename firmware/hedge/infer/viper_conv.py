"""CONV and DEPTHWISE in viper; loaded by viper.load() for the models that need it.

The end of each channel, int32 to int8, is written out in layer(): viper has no inline functions,
and a call for each output would cost more than the multiply-adds. The first three arguments of a
viper function live in registers: they are what the innermost loop turns on.
"""

import micropython

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
def sum_of(x: int, end: int, total: int, arena: ptr8) -> int:
    """Sum of x' of the bytes from arena offset x to end; `total` is 0."""
    x += int(arena)
    end += int(arena)
    while x < end:
        total += int(ptr8(x)[0]) ^ 128
        x += 1
    return total


@micropython.viper
def layer(
    x: int,
    w: int,
    end: int,
    data: ptr8,
    arena: ptr8,
    at: int,
    dst: int,
    common: int,
    flip: int,
    pixels: int,
):
    """Output pixels of the CONV or DEPTHWISE at byte `at` to arena offset dst.

    CONV: one pixel; x: arena offset of its taps, as int8 if flip is 128, as x' if 0; common: the
    sum of its x'. DEPTHWISE: `pixels` of a row; x: arena offset of the first tap; common: 1 if
    the taps lie gathered in the scratch. `w` and `end` are free.
    """
    base = int(data)
    op = ptr32(base + at)
    flags = op[0] >> 16
    sizes = ptr16(int(op) + 20)
    in_c = sizes[2]
    out_c = sizes[3]
    steps = ptr8(int(op) + 32)
    columns = int(steps[1])
    taps = int(steps[0]) * columns
    is_conv = op[0] & 1
    start = int(arena) + x
    weights = base + op[3]
    column_step = in_c
    row_step = 0
    pixel_step = 0
    if is_conv == 0:
        if common == 0:
            column_step = int(steps[5]) * in_c
            row_step = int(steps[4]) * sizes[1] * in_c - columns * column_step
            pixel_step = int(steps[3]) * in_c
        common = 0
    else:
        taps = taps * in_c
    common = common << 7
    limits = ptr8(int(op) + 40)
    zero_point = (int(limits[0]) ^ 128) - 128
    low = (int(limits[1]) ^ 128) - 128
    high = (int(limits[2]) ^ 128) - 128
    shift_base = (flags >> 8) & 31
    top = 1
    top = top << 31
    while pixels > 0:
        out = ptr8(int(arena) + dst)
        table = base + op[4]
        w = weights
        j = 0
        while j < out_c:
            acc0 = 0
            acc1 = 0
            acc2 = 0
            acc3 = 0
            lanes = out_c - j
            if lanes > 4:
                lanes = 4
            if is_conv != 0:
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
            else:
                x = start + j
                w = weights + j
                end = w + taps * out_c
                column = columns
                if lanes == 4:
                    while w < end:
                        acc0 += (int(ptr8(x)[0]) ^ flip) * ((int(ptr8(w)[0]) ^ 128) - 128)
                        acc1 += (int(ptr8(x)[1]) ^ flip) * ((int(ptr8(w)[1]) ^ 128) - 128)
                        acc2 += (int(ptr8(x)[2]) ^ flip) * ((int(ptr8(w)[2]) ^ 128) - 128)
                        acc3 += (int(ptr8(x)[3]) ^ flip) * ((int(ptr8(w)[3]) ^ 128) - 128)
                        w += out_c
                        x += column_step
                        column -= 1
                        if column == 0:
                            column = columns
                            x += row_step
                else:  # fewer than four channels left: one at a time, to stay inside the input
                    lanes = 1
                    while w < end:
                        acc0 += (int(ptr8(x)[0]) ^ flip) * ((int(ptr8(w)[0]) ^ 128) - 128)
                        w += out_c
                        x += column_step
                        column -= 1
                        if column == 0:
                            column = columns
                            x += row_step
            while lanes > 0:
                lane = j & 3
                if flags & 1 != 0:
                    wide = ptr32(table)
                    acc = acc0 - common + ((wide[lane] ^ top) - top)
                    bh = (wide[lane + 4] >> 16) & 0xFFFF
                    bl = wide[lane + 4] & 0xFFFF
                    right = 0 - ((wide[lane + 8] ^ top) - top)
                    if right < 0:
                        acc = acc << (0 - right)
                else:
                    bl = ptr32(table)[lane]
                    right = shift_base + (bl & 3)
                    bh = ((bl >> 18) & 0x3FFF) | 0x4000
                    bl = (bl >> 2) & 0xFFFF
                    acc = (int(ptr8(table)[lane + 24]) ^ 128) - 128
                    acc = acc0 - common + (acc << 16) + ptr16(table)[lane + 8]
                # SRDHM(acc, multiplier) in 32-bit words. With halves ah:al and bh:bl the product
                # + 2**30 is (ah*bh << 32) + (ah*bl + al*bh << 16) + al*bl + 2**30. Its low 31
                # bits go by taking 15 bits off the middle sum: its parts fit, not the sum.
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
                acc0 = acc1
                acc1 = acc2
                acc2 = acc3
                j += 1
                lanes -= 1
            if j & 3 == 0:
                table += 28
                if flags & 1 != 0:
                    table += 20
        start += pixel_step
        dst += out_c
        pixels -= 1


@micropython.viper
def conv(data, arena, at: int, row: int, last: int):
    """Output rows of one CONV record at byte `at`."""
    op = ptr32(int(ptr8(data)) + at)
    sizes = ptr16(int(op) + 20)
    steps = ptr8(int(op) + 32)
    columns = sizes[5]
    dst = op[2] + row * columns * sizes[3]
    if op[0] & 0x40000 == 0:  # one pixel, read where it lies
        x = op[1]
        total = int(sum_of(x, x + int(sizes[2]), 0, arena))
        layer(x, 0, 0, data, arena, at, dst, total, 128, 1)
        return
    while row < last:
        y = row * int(steps[2]) - int(steps[6])
        x = 0 - int(steps[7])
        for _ in range(columns):
            total = int(gather(0, 0, 0, data, arena, at, y, x))
            layer(op[11], 0, 0, data, arena, at, dst, total, 0, 1)
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
                layer(op[11], 0, 0, data, arena, at, dst, 1, 0, 1)
                x += int(steps[3])
                count = 1
            else:
                start = op[1] + (y * int(sizes[1]) + x) * channels
                while column + count < columns and x < width:
                    x += int(steps[3])
                    count += 1
                layer(start, 0, 0, data, arena, at, dst, 0, 128, count)
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
