"""CONV and DEPTHWISE in viper; loaded by viper.load() for the models that need it.

The end of each loop, int32 to int8, is written out in dense(), depthwise() and add(): viper has no
inline functions, and a call for each output would cost more than the multiply-adds.
"""

import micropython

from .viper import dense

# ruff: noqa: F821  ptr8 and ptr32 are words of viper


@micropython.viper
def gather(data: ptr8, arena: ptr8, at: int, y: int, x: int):
    """Copy the kernel's view at input row y, column x to the scratch bytes; fill outside."""
    op = ptr32(int(data) + at)
    height = op[12]
    width = op[13]
    channels = op[14]
    last_row = y + op[15] * op[19]
    last_column = x + op[16] * op[20]
    fill = op[25] & 255
    to = ptr8(int(arena) + op[26])
    source = int(arena) + op[1]
    while y < last_row:
        column = x
        while column < last_column:
            if y < 0 or y >= height or column < 0 or column >= width:
                for i in range(channels):
                    to[i] = fill
            else:
                pixel = ptr8(source + (y * width + column) * channels)
                for i in range(channels):
                    to[i] = pixel[i]
            to = ptr8(int(to) + channels)
            column += op[20]
        y += op[19]


@micropython.viper
def conv(data, arena, at: int):
    """One CONV record at byte `at`."""
    op = ptr32(int(ptr8(data)) + at)
    src = op[1]
    dst = op[2]
    if op[27] == 0:  # 1x1, stride 1: pixels lie one after the other
        dense(data, arena, at, src, dst, op[23] * op[24])
    else:
        for row in range(op[23]):
            for column in range(op[24]):
                gather(data, arena, at, row * op[17] - op[21], column * op[18] - op[22])
                dense(data, arena, at, op[26], dst, 1)
                dst += op[4]


@micropython.viper
def depthwise(data: ptr8, arena: ptr8, at: int, src: int, gathered: int, dst: int, pixels: int):
    """`pixels` of a row of a DEPTHWISE: input at `src`, or in the scratch bytes if gathered."""
    base = int(data)
    op = ptr32(base + at)
    channels = op[4]
    taps = op[3]
    columns = op[16]
    column_step = op[20] * channels
    row_step = op[19] * op[13] * channels - columns * column_step
    if gathered != 0:
        column_step = channels
        row_step = 0
    pixel_step = op[18] * channels
    bias = ptr32(base + op[6])
    requant = ptr32(base + op[7])
    top = 1
    top = top << 31
    zero_point = (op[9] ^ top) - top
    low = (op[10] ^ top) - top
    high = (op[11] ^ top) - top
    while pixels > 0:
        out = ptr8(int(arena) + dst)
        pair = 0
        j = 0
        while j < channels:
            acc0 = 0
            acc1 = 0
            acc2 = 0
            acc3 = 0
            x = int(arena) + src + j
            left = taps
            column = columns
            w = base + op[5] + (j >> 2) * taps * 4 + (j & 3)
            lane = j + 4
            if lane <= channels:
                while left > 0:
                    pixel = ptr8(x)
                    weights = ptr8(w)
                    acc0 += (int(pixel[0]) ^ 128) * (int(weights[0]) - 128)
                    acc1 += (int(pixel[1]) ^ 128) * (int(weights[1]) - 128)
                    acc2 += (int(pixel[2]) ^ 128) * (int(weights[2]) - 128)
                    acc3 += (int(pixel[3]) ^ 128) * (int(weights[3]) - 128)
                    x += column_step
                    w += 4
                    left -= 1
                    column -= 1
                    if column == 0:
                        column = columns
                        x += row_step
            else:  # fewer than four channels left: one at a time, to stay inside the input
                lane = j + 1
                while left > 0:
                    pixel = ptr8(x)
                    weights = ptr8(w)
                    acc0 += (int(pixel[0]) ^ 128) * (int(weights[0]) - 128)
                    x += column_step
                    w += 4
                    left -= 1
                    column -= 1
                    if column == 0:
                        column = columns
                        x += row_step
            while j < lane:  # as in dense()
                acc = acc0 + ((bias[j] ^ top) - top)
                shift = (requant[pair + 1] ^ top) - top
                if shift > 0:
                    acc = acc << shift
                ah = acc >> 16
                al = acc & 0xFFFF
                bh = requant[pair] >> 16
                bl = requant[pair] & 0xFFFF
                carry = (al * (bl >> 8) + ((al * (bl & 255)) >> 8)) >> 8  # al*bl >> 16
                middle1 = ah * bl
                middle2 = al * bh + carry
                rest = ((middle1 & 0x7FFF) + (middle2 & 0x7FFF) + 0x4000) >> 15
                value = ah * bh * 2 + (middle1 >> 15) + (middle2 >> 15) + rest
                if shift < 0:  # divide by 2**right, halves away from zero
                    right = 0 - shift
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
                pair += op[8]
                j += 1
        src += pixel_step
        dst += channels
        pixels -= 1


@micropython.viper
def conv_depthwise(data, arena, at: int):
    """One DEPTHWISE record at byte `at`: only pixels at the border are gathered."""
    op = ptr32(int(ptr8(data)) + at)
    src = op[1]
    dst = op[2]
    height = op[12] - (op[15] - 1) * op[19]  # rows and columns where a kernel may start inside
    width = op[13] - (op[16] - 1) * op[20]
    for row in range(op[23]):
        y = row * op[17] - op[21]
        column = 0
        while column < op[24]:
            x = column * op[18] - op[22]
            if y < 0 or y >= height or x < 0 or x >= width:
                gather(data, arena, at, y, x)
                depthwise(data, arena, at, op[26], 1, dst, 1)
                dst += op[4]
                column += 1
            else:
                start = src + (y * op[13] + x) * op[14]
                count = 0
                while column < op[24] and x < width:
                    x += op[18]
                    column += 1
                    count += 1
                depthwise(data, arena, at, start, 0, dst, count)
                dst += op[4] * count
