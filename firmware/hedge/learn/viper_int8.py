"""The kernels of int8.py in viper: no heap, exact on 32-bit machine words.

Rules as in viper_scores.py. A sum of squares of 4096 bytes stays below 2**29.
"""

import micropython

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def squares(rows: ptr8, x: ptr8, out: ptr32, count: int, n: int):
    """out[j] = squared distance of x (int8) to row j (stored as value + 128), j < count."""
    row = int(rows)
    for j in range(count):
        values = ptr8(row)
        total = 0
        for i in range(n):
            d = values[i] - (x[i] ^ 128)
            total += d * d
        out[j] = total
        row += n


@micropython.viper
def least(out: ptr32, count: int, after: int, place: int) -> int:
    """Index of the least of out[:count] behind (after, place) in the order (value, index)."""
    best = -1
    value = 0
    for j in range(count):
        here = out[j]
        if (here > after or (here == after and j > place)) and (best < 0 or here < value):
            best = j
            value = here
    return best


@micropython.viper
def nearest_mean(means: ptr16, counts: ptr32, x: ptr8, out: ptr32, classes: int, n: int) -> int:
    """Class with the nearest mean, -1 if none has samples; out[0], out[1]: its squared distance.

    means: u16, 16 * (value + 128), rows of n; distance in 1/256: out[0] * 2**15 + out[1].
    """
    best = -1
    at = 0
    out[0] = 0
    out[1] = 0
    for c in range(classes):
        if counts[c]:
            high = 0
            low = 0
            for i in range(n):
                d = means[at + i] - 16 * (x[i] ^ 128)
                square = d * d
                high += square >> 15
                low += square & 32767
            high += low >> 15
            low = low & 32767
            if best < 0 or high < out[0] or (high == out[0] and low < out[1]):
                best = c
                out[0] = high
                out[1] = low
        at += n
    return best
