"""ADD, POOL and SOFTMAX in viper; loaded by viper.load() for the models that need it."""

import micropython

# ruff: noqa: F821  ptr8 and ptr32 are words of viper


@micropython.viper
def add(data: ptr8, arena: ptr8, at: int):
    """One ADD record at byte `at`."""
    base = int(data)
    op = ptr32(base + at)
    a = ptr8(int(arena) + op[1])
    b = ptr8(int(arena) + op[3])
    out = ptr8(int(arena) + op[2])
    table_a = ptr32(base + op[5])
    table_b = ptr32(base + op[6])
    top = 1
    top = top << 31
    shift = (op[8] ^ top) - top
    zero_point = (op[9] ^ top) - top
    low = (op[10] ^ top) - top
    high = (op[11] ^ top) - top
    for i in range(op[4]):
        acc = (table_a[int(a[i]) ^ 128] ^ top) - top + ((table_b[int(b[i]) ^ 128] ^ top) - top)
        if shift > 0:
            acc = acc << shift
        ah = acc >> 16
        al = acc & 0xFFFF
        bh = op[7] >> 16
        bl = op[7] & 0xFFFF
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
        out[i] = value


@micropython.viper
def pool(data: ptr8, arena: ptr8, at: int):
    """One POOL record at byte `at`."""
    op = ptr32(int(data) + at)
    channels = op[4]
    width = op[6]
    top = 1
    top = top << 31
    low = (op[15] ^ top) - top
    high = (op[16] ^ top) - top
    out = ptr8(int(arena) + op[2])
    for row in range(op[13]):
        y0 = row * op[9] - op[11]
        y1 = y0 + op[7]
        if y0 < 0:
            y0 = 0
        if y1 > op[5]:
            y1 = op[5]
        for column in range(op[14]):
            x0 = column * op[10] - op[12]
            x1 = x0 + op[8]
            if x0 < 0:
                x0 = 0
            if x1 > width:
                x1 = width
            count = (y1 - y0) * (x1 - x0)
            for j in range(channels):
                total = 0
                largest = 0
                y = y0
                while y < y1:
                    pixel = ptr8(int(arena) + op[1] + (y * width + x0) * channels + j)
                    x = x0
                    while x < x1:
                        value = int(pixel[0]) ^ 128
                        total += value
                        if value > largest:
                            largest = value
                        pixel = ptr8(int(pixel) + channels)
                        x += 1
                    y += 1
                if op[3] == 0:  # mean, halves away from zero: long division, 8 bits of quotient
                    total -= count * 128
                    rest = total
                    if rest < 0:
                        rest = 0 - rest
                    rest += count >> 1
                    largest = 0
                    bit = 128
                    part = count << 7
                    while bit > 0:
                        if rest >= part:
                            rest -= part
                            largest += bit
                        part = part >> 1
                        bit = bit >> 1
                    if total < 0:
                        largest = 0 - largest
                    largest += 128
                value = largest - 128
                if value < low:
                    value = low
                if value > high:
                    value = high
                out[j] = value
            out = ptr8(int(out) + channels)


@micropython.viper
def softmax(data: ptr8, arena: ptr8, at: int):
    """One SOFTMAX record at byte `at`."""
    base = int(data)
    op = ptr32(base + at)
    depth = op[4]
    powers = ptr32(base + op[5])
    x = ptr8(int(arena) + op[1])
    out = ptr8(int(arena) + op[2])
    top = 1
    bit30 = top << 30  # as a literal it would be an object on 32-bit boards
    top = top << 31
    for _ in range(op[3]):
        largest = 0
        for i in range(depth):
            value = int(x[i]) ^ 128
            if value > largest:
                largest = value
        total = 0
        for i in range(depth):
            power = powers[largest - (int(x[i]) ^ 128)]
            total += (power >> 12) + ((power >> 11) & 1)
        headroom = 1
        while total < bit30:
            total = total << 1
            headroom += 1
        # Steps 0 to 6 find scale = 1 / total by Newton-Raphson (SPEC.md), the rest are outputs.
        half = total  # of the denominator, Q0.31 in [1/2, 1)
        constant = 0x3C3C
        constant = (constant << 16) | constant
        a = half
        b = 0 - constant
        estimate = 0x5A5A
        estimate = (estimate << 16) | estimate
        scale = 0
        exponent = 35 - headroom
        step = 0
        while step < 7 + depth:
            if step >= 7:
                a = scale
                b = powers[largest - (int(x[step - 7]) ^ 128)]
            # SRDHM(a, b) in 32-bit words, as in dense()
            ah = a >> 16
            al = a & 0xFFFF
            bh = b >> 16
            bl = b & 0xFFFF
            carry = (al * (bl >> 8) + ((al * (bl & 255)) >> 8)) >> 8
            middle1 = ah * bl
            middle2 = al * bh + carry
            rest = ((middle1 & 0x7FFF) + (middle2 & 0x7FFF) + 0x4000) >> 15
            value = ah * bh * 2 + (middle1 >> 15) + (middle2 >> 15) + rest
            if step >= 7:
                low_bits = value & ((1 << exponent) - 1)
                value = value >> exponent
                if low_bits >= (1 << (exponent - 1)):
                    value += 1
                if value > 255:
                    value = 255
                out[step - 7] = value ^ 128
            elif step == 0:
                estimate += value
                b = estimate
            elif step & 1 != 0:
                a = estimate
                b = (1 << 29) - value
            else:
                estimate += value << 2
                a = half
                b = estimate
                if step == 6:
                    scale = top - 1
                    if estimate < bit30:
                        scale = estimate << 1
            step += 1
        x = ptr8(int(x) + depth)
        out = ptr8(int(out) + depth)
