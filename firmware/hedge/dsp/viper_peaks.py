"""Local maxima and prominence in viper; see portable_peaks.py.

No heap, exact on 32-bit machine words, pointers not checked: as viper_fft.py.
"""

import micropython

# ruff: noqa: F821  ptr16 and ptr32 are words of viper


@micropython.viper
def maxima(x16: ptr16, wide: int, n: int, height: int, out: ptr16, most: int) -> int:
    top = 1
    top = top << 31
    x32 = ptr32(int(x16))
    found = 0
    start = 0
    before = 0
    for i in range(n):
        if wide:
            v = (x32[i] ^ top) - top
        else:
            v = (int(x16[i]) ^ 32768) - 32768
        if i == 0:
            before = v
        if v > before:
            start = i
        elif v < before:
            if start > 0 and before >= height:
                if found < most:
                    out[found] = (start + i - 1) >> 1
                found += 1
            start = 0
        before = v
    return found


@micropython.viper
def prominence(x16: ptr16, wide: int, n: int, peak: int, out: ptr32):
    top = 1
    top = top << 31
    x32 = ptr32(int(x16))
    if wide:
        level = (x32[peak] ^ top) - top
    else:
        level = (int(x16[peak]) ^ 32768) - 32768
    base = 0
    for side in range(2):
        i = peak
        least = level
        going = 1
        while going:
            if wide:
                v = (x32[i] ^ top) - top
            else:
                v = (int(x16[i]) ^ 32768) - 32768
            if v > level:
                going = 0
            elif v < least:
                least = v
            i += side + side - 1
            if i < 0 or i == n:
                going = 0
        if side == 0 or least > base:
            base = least
    out[0] = level - base
