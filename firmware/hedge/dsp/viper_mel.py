"""Filter bank, logarithm, matrix and quantiser of a front end in viper; see portable_mel.py.

No heap, exact on 32-bit machine words, pointers not checked: as viper_fft.py.
"""

import micropython

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper

TAKES_BYTES = True  # tables may be bytes of a file in flash


@micropython.viper
def log_bands(bins: ptr32, bands: ptr16, weights: ptr16, logs: ptr16, count: int,
              base: int, floor: int, out: ptr16) -> int:  # fmt: skip
    live = 0
    at = 0
    for band in range(count):
        k = int(bands[3 * band])
        end = k + int(bands[3 * band + 1])
        high = 0
        low = 0
        while k < end:
            v = bins[k]
            w = int(weights[at])
            high += (v >> 15) * w
            low += (v & 32767) * w
            at += 1
            k += 1
        high += low >> 15
        low = low & 32767
        level = floor
        if (high | low) > 0:
            level = base + ((int(bands[3 * band + 2]) ^ 32768) - 32768)
            if high >= 32768:
                level += 15 << 10
            else:
                high = (high << 15) | low
            while high >= 65536:
                high = high >> 1
                level += 1024
            while high < 32768:
                high = high << 1
                level -= 1024
            i = (high >> 9) - 64
            v = int(logs[i])
            v += ((int(logs[i + 1]) - v) * (high & 511)) >> 9
            level += (15 << 10) + ((v + 8) >> 4)
            if level < floor:
                level = floor
            elif level > 32767:
                level = 32767
            if level > floor:
                live += 1
        out[band] = level
    return live


@micropython.viper
def matrix(x: ptr16, count: int, rows: ptr16, shift: int, n: int, out: ptr16, at: int):
    half = (1 << shift) >> 1
    k = 0
    for i in range(n):
        acc = half
        for j in range(count):
            acc += ((int(x[j]) ^ 32768) - 32768) * ((int(rows[k]) ^ 32768) - 32768)
            k += 1
        acc = acc >> shift
        if acc > 32767:
            acc = 32767
        elif acc < 0 - 32768:
            acc = 0 - 32768
        out[at + i] = acc


@micropython.viper
def quantise(x: ptr16, at: int, n: int, gains: ptr16, gain: int, factor: int, shift: int,
             zero: int, out: ptr8, to: int):  # fmt: skip
    half = (1 << shift) >> 1
    for i in range(n):
        v = (int(x[at + i]) ^ 32768) - 32768
        v += (((int(gains[i]) ^ 32768) - 32768) * gain + 4096) >> 13
        if v > 32767:
            v = 32767
        elif v < 0 - 32768:
            v = 0 - 32768
        v = ((v * factor + half) >> shift) + zero
        if v > 127:
            v = 127
        elif v < 0 - 128:
            v = 0 - 128
        out[to + i] = v


@micropython.viper
def store(x: ptr16, at: int, n: int, ring: ptr16, place: int, peak: int) -> int:
    for i in range(n):
        v = (int(x[at + i]) ^ 32768) - 32768
        ring[place + i] = v
        if v > peak:
            peak = v
    return peak


@micropython.viper
def is_aligned(data: ptr8) -> bool:
    return (int(data) & 3) == 0
