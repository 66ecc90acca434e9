"""POOL in viper; loaded by kernels.py for the models that need it."""

import micropython

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def pool(data: ptr8, arena: ptr8, at: int, row: int, last: int):
    """Output rows `row` to `last` - 1 of the POOL record at byte `at`."""
    op = ptr32(int(data) + at)
    sizes = ptr16(int(op) + 12)
    steps = ptr8(int(op) + 24)
    limits = ptr8(int(op) + 32)
    is_max = (op[0] >> 16) & 1
    height = int(sizes[0])
    width = int(sizes[1])
    channels = int(sizes[2])
    columns = int(sizes[5])
    low = int(limits[1]) ^ 128  # of value + 128
    high = int(limits[2]) ^ 128
    out = ptr8(int(arena) + op[2] + row * columns * channels)
    while row < last:
        y0 = row * int(steps[2]) - int(steps[6])
        y1 = y0 + int(steps[0])
        if y0 < 0:
            y0 = 0
        if y1 > height:
            y1 = height
        for column in range(columns):
            x0 = column * int(steps[3]) - int(steps[7])
            x1 = x0 + int(steps[1])
            if x0 < 0:
                x0 = 0
            if x1 > width:
                x1 = width
            count = (y1 - y0) * (x1 - x0)
            for j in range(channels):
                total = 0
                value = 0
                y = y0
                while y < y1:
                    pixel = int(arena) + op[1] + (y * width + x0) * channels + j
                    x = x0
                    while x < x1:
                        cell = int(ptr8(pixel)[0]) ^ 128
                        total += cell
                        if cell > value:
                            value = cell
                        pixel += channels
                        x += 1
                    y += 1
                if is_max == 0:  # mean, halves away from zero: long division, 8 bits of quotient
                    total -= count * 128
                    rest = total
                    if rest < 0:
                        rest = 0 - rest
                    rest += count >> 1
                    value = 0
                    bit = 128
                    part = count << 7
                    while bit > 0:
                        if rest >= part:
                            rest -= part
                            value += bit
                        part = part >> 1
                        bit = bit >> 1
                    if total < 0:
                        value = 0 - value
                    value += 128
                if value < low:
                    value = low
                if value > high:
                    value = high
                out[j] = value ^ 128
            out = ptr8(int(out) + channels)
        row += 1
