"""The plan of a .hgm file in viper: no heap, exact on 32-bit machine words.

viper ints are machine words (32 bits on boards) and its pointers are not checked: the caller has
run plan.check(). The Unix port (64-bit words) and a board compute the same: no sum or product
leaves 32 bits, and (v ^ top) - top gives an i32 its sign, which a ptr32 load on a 64-bit port
drops. tests/host/test_infer_words.py runs this source with simulated 32-bit words. Only small
ints cross from one function to another: an int of 2**30 would be boxed on the heap.
"""

import micropython

# ruff: noqa: F821  ptr8 and ptr32 are words of viper


def load(numbers):
    """Import the kernels of these op numbers, beyond DENSE and TABLE: small models stay small."""
    global conv, conv_depthwise, add, pool, softmax
    if 3 in numbers or 4 in numbers:
        from .viper_conv import conv, conv_depthwise
    if 5 in numbers or 6 in numbers or 7 in numbers:
        from .viper_small import add, pool, softmax


@micropython.viper
def dense(data: ptr8, arena: ptr8, at: int, src: int, dst: int, pixels: int):
    """DENSE at byte `at`, or `pixels` of a CONV whose inputs lie one after the other at `src`.

    Four channels a pass over the n_in inputs; n_out bytes a pixel to `dst`.
    """
    base = int(data)
    op = ptr32(base + at)
    n_in = op[3]
    n_out = op[4]
    weights = ptr8(base + op[5])
    bias = ptr32(base + op[6])
    requant = ptr32(base + op[7])
    top = 1
    top = top << 31
    zero_point = (op[9] ^ top) - top
    low = (op[10] ^ top) - top
    high = (op[11] ^ top) - top
    while pixels > 0:
        out = ptr8(int(arena) + dst)
        total = 0
        for i in range(n_in):
            total += int(arena[src + i]) ^ 128
        total *= 128
        pair = 0
        j = 0
        w = 0
        while j < n_out:
            acc0 = 0
            acc1 = 0
            acc2 = 0
            acc3 = 0
            x = src
            end = src + n_in
            while x < end:
                value = int(arena[x]) ^ 128
                acc0 += value * int(weights[w])
                acc1 += value * int(weights[w + 1])
                acc2 += value * int(weights[w + 2])
                acc3 += value * int(weights[w + 3])
                x += 1
                w += 4
            lane = j + 4
            if lane > n_out:
                lane = n_out
            while j < lane:
                # SRDHM(acc << left, multiplier) in 32-bit words. With halves ah:al and bh:bl the
                # product + 2**30 is (ah*bh << 32) + (ah*bl + al*bh << 16) + al*bl + 2**30. Its
                # low 31 bits go by taking 15 bits off the middle sum: its parts fit, not the sum.
                acc = acc0 - total + ((bias[j] ^ top) - top)
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
        src += n_in
        dst += n_out
        pixels -= 1


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
def run(data, arena, op_count: int):
    """Execute the plan. data: the file, at a multiple of 4; arena: int8 array of arena_bytes."""
    words = ptr32(data)
    at = 16
    while op_count > 0:
        head = words[at]
        code = head & 0xFFFF
        if code == 1:
            dense(data, arena, at * 4, words[at + 1], words[at + 2], 1)
        elif code == 2:
            table(data, arena, at * 4)
        elif code == 3:
            conv(data, arena, at * 4)
        elif code == 4:
            conv_depthwise(data, arena, at * 4)
        elif code == 5:
            pool(data, arena, at * 4)
        elif code == 6:
            add(data, arena, at * 4)
        else:
            softmax(data, arena, at * 4)
        at += head >> 16
        op_count -= 1


@micropython.viper
def is_aligned(data: ptr8) -> bool:
    """True if data starts at a multiple of 4, as a Cortex-M0+ needs it."""
    return (int(data) & 3) == 0
