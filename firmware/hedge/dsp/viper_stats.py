"""Sums over a block of samples in viper; see portable_stats.py.

No heap, exact on 32-bit machine words, pointers not checked: as viper_fft.py.
"""

import micropython

# ruff: noqa: F821  ptr16 and ptr32 are words of viper


@micropython.viper
def scan(x: ptr16, n: int, zero: int, level: int, out: ptr32):
    total = 0
    high = 0
    low = 0
    crossings = 0
    side = 0
    least = 32767
    most = 0 - 32768
    for i in range(n):
        v = (int(x[i]) ^ 32768) - 32768
        if v < least:
            least = v
        if v > most:
            most = v
        total += v
        v -= zero
        if v > 32767:
            v = 32767
        elif v < 0 - 32767:
            v = 0 - 32767
        if v > level:
            if side < 0:
                crossings += 1
            side = 1
        elif v < 0 - level:
            if side > 0:
                crossings += 1
            side = 0 - 1
        v = v * v
        high += v >> 15
        low += v & 32767
    out[0] = total
    out[1] = high + (low >> 15)
    out[2] = low & 32767
    out[3] = least
    out[4] = most
    out[5] = crossings


@micropython.viper
def lags(x: ptr16, n: int, zero: int, first: int, count: int, shift: int, out: ptr32):
    for lag in range(first, first + count):
        high = 0
        low = 0
        for i in range(n - lag):
            a = (int(x[i]) ^ 32768) - 32768 - zero
            b = (int(x[i + lag]) ^ 32768) - 32768 - zero
            if a > 32767:
                a = 32767
            elif a < 0 - 32767:
                a = 0 - 32767
            if b > 32767:
                b = 32767
            elif b < 0 - 32767:
                b = 0 - 32767
            a = a * b
            high += a >> 15
            low += a & 32767
        high += low >> 15
        if shift >= 15:
            high = high >> (shift - 15)
        else:
            high = (high << (15 - shift)) + ((low & 32767) >> shift)
        out[lag - first] = high
