"""Real FFT, magnitude and power in viper: no heap, exact on 32-bit machine words.

As in hedge/infer/viper.py: pointers are not checked, so the caller has checked all sizes; loads
of a 64-bit port drop the sign, which (v ^ top) - top gives back; only ints below 2**30 go in or
out. portable_fft.py has the same functions in plain Python, with what they compute.
"""

import micropython

# ruff: noqa: F821  ptr16 and ptr32 are words of viper


@micropython.viper
def load(x: ptr16, start: int, size: int, count: int, window: ptr16, how: int, before: int,
         work: ptr32, half: int) -> int:  # fmt: skip
    bits = 0
    place = 0
    n = 0
    for _ in range(half):
        for part in range(2):
            v = 0
            if n < count:
                v = (int(x[start]) ^ 32768) - 32768
                start += 1
                if start == size:
                    start = 0
                if how == 0:
                    v = v << 15
                else:
                    w = (int(window[n]) ^ 32768) - 32768
                    if how == 2:
                        now = v
                        v = (now << 5) - 31 * before
                        before = now
                        w = w >> 1
                        if (v ^ (v >> 31)) < 65536:
                            v = (v * w + 16) >> 5
                        else:
                            v = ((v + 16) >> 5) * w
                    else:
                        v = v * w
            n += 1
            work[2 * place + part] = v
            bits |= v ^ (v >> 31)
        bit = half >> 1
        while place & bit:
            place = place ^ bit
            bit = bit >> 1
        place |= bit
    return bits


@micropython.viper
def radix2(work: ptr32, half: int, shift: int) -> int:
    top = 1
    top = top << 31
    down = top - ((1 << shift) >> 1)
    bits = 0
    at = 0
    while at < 2 * half:
        for _ in range(2):
            a = ((work[at] ^ top) - down) >> shift
            b = ((work[at + 2] ^ top) - down) >> shift
            v = a + b
            work[at] = v
            bits |= v ^ (v >> 31)
            v = a - b
            work[at + 2] = v
            bits |= v ^ (v >> 31)
            at += 1
        at += 2
    return bits


@micropython.viper
def radix4(work: ptr32, half: int, length: int, shift: int, sine: ptr16, step: int) -> int:
    top = 1
    top = top << 31
    down = top - ((1 << shift) >> 1)
    quarter = step * length
    jump = 8 * length
    bits = 0
    j = 0
    while True:  # the conditional jump of a long while or for is out of range on Xtensa
        if j == length:
            break
        k = j * step
        c1 = (int(sine[k + quarter]) ^ 32768) - 32768
        s1 = (int(sine[k]) ^ 32768) - 32768
        c2 = (int(sine[2 * k + quarter]) ^ 32768) - 32768
        s2 = (int(sine[2 * k]) ^ 32768) - 32768
        c3 = (int(sine[3 * k + quarter]) ^ 32768) - 32768
        s3 = (int(sine[3 * k]) ^ 32768) - 32768
        at = 2 * j
        while True:
            if at >= 2 * half:
                break
            a = ptr32(int(work) + 4 * at)
            c = ptr32(int(a) + 8 * length)
            b = ptr32(int(c) + 8 * length)
            d = ptr32(int(b) + 8 * length)
            ar = ((a[0] ^ top) - down) >> shift
            ai = ((a[1] ^ top) - down) >> shift
            br = ((b[0] ^ top) - down) >> shift
            bi = ((b[1] ^ top) - down) >> shift
            cr = ((c[0] ^ top) - down) >> shift
            ci = ((c[1] ^ top) - down) >> shift
            dr = ((d[0] ^ top) - down) >> shift
            di = ((d[1] ^ top) - down) >> shift
            if j > 0:
                v = (br * c1 + bi * s1 + 16384) >> 15
                bi = (bi * c1 - br * s1 + 16384) >> 15
                br = v
                v = (cr * c2 + ci * s2 + 16384) >> 15
                ci = (ci * c2 - cr * s2 + 16384) >> 15
                cr = v
                v = (dr * c3 + di * s3 + 16384) >> 15
                di = (di * c3 - dr * s3 + 16384) >> 15
                dr = v
            sum_r = ar + cr
            sum_i = ai + ci
            ar = ar - cr
            ai = ai - ci
            cr = br + dr
            ci = bi + di
            br = br - dr
            bi = bi - di
            v = sum_r + cr
            a[0] = v
            bits |= v ^ (v >> 31)
            v = sum_i + ci
            a[1] = v
            bits |= v ^ (v >> 31)
            v = ar + bi
            c[0] = v
            bits |= v ^ (v >> 31)
            v = ai - br
            c[1] = v
            bits |= v ^ (v >> 31)
            v = sum_r - cr
            b[0] = v
            bits |= v ^ (v >> 31)
            v = sum_i - ci
            b[1] = v
            bits |= v ^ (v >> 31)
            v = ar - bi
            d[0] = v
            bits |= v ^ (v >> 31)
            v = ai + br
            d[1] = v
            bits |= v ^ (v >> 31)
            at += jump
        j += 1
    return bits


@micropython.viper
def split(work: ptr32, half: int, shift: int, sine: ptr16) -> int:
    top = 1
    top = top << 31
    down = top - ((1 << shift) >> 1)
    a = ((work[0] ^ top) - down) >> shift
    b = ((work[1] ^ top) - down) >> shift
    work[0] = 2 * (a + b)
    work[1] = 0
    work[2 * half] = 2 * (a - b)
    work[2 * half + 1] = 0
    v = 2 * (a + b)
    bits = v ^ (v >> 31)
    v = 2 * (a - b)
    bits |= v ^ (v >> 31)
    k = 1
    while 2 * k <= half:
        a = 2 * k
        b = 2 * (half - k)
        c = (((int(sine[k + (half >> 1)]) ^ 32768) - 32768) + 1) >> 1
        s = (((int(sine[k]) ^ 32768) - 32768) + 1) >> 1
        ar = ((work[a] ^ top) - down) >> shift
        ai = ((work[a + 1] ^ top) - down) >> shift
        br = ((work[b] ^ top) - down) >> shift
        bi = ((work[b + 1] ^ top) - down) >> shift
        dr = ar - br
        di = ai + bi
        ar += br
        ai -= bi
        p = (c * di - s * dr + 8192) >> 14
        q = (c * dr + s * di + 8192) >> 14
        v = ar - p
        work[b] = v
        bits |= v ^ (v >> 31)
        v = 0 - ai - q
        work[b + 1] = v
        bits |= v ^ (v >> 31)
        v = ar + p
        work[a] = v
        bits |= v ^ (v >> 31)
        v = ai - q
        work[a + 1] = v
        bits |= v ^ (v >> 31)
        k += 1
    return bits


@micropython.viper
def magnitude(work: ptr32, first: int, count: int, roots: ptr16, out: ptr32):
    top = 1
    top = top << 31
    for k in range(count):
        re = (work[2 * (first + k)] ^ top) - top
        im = (work[2 * (first + k) + 1] ^ top) - top
        if re < 0:
            re = 0 - re
        if im < 0:
            im = 0 - im
        m = re | im
        v = 0
        if m > 0:
            up = 10
            while m >= 32768:
                re = re >> 1
                im = im >> 1
                m = m >> 1
                up += 1
            while m < 1024:
                re = re << 4
                im = im << 4
                m = m << 4
                up -= 4
            while m < 16384:
                re = re << 1
                im = im << 1
                m = m << 1
                up -= 1
            m = re * re + im * im
            i = (m >> 23) - 32
            v = int(roots[i])
            v += ((int(roots[i + 1]) - v) * ((m >> 15) & 255) + 128) >> 8
            if up >= 0:
                v = v << up
            else:
                up = 0 - up
                v = (v + ((1 << up) >> 1)) >> up
        out[k] = v


@micropython.viper
def power(work: ptr32, first: int, count: int, shift: int, out: ptr32):
    top = 1
    top = top << 31
    half = (1 << shift) >> 1
    part = (1 << 2 * shift) >> 1
    for k in range(count):
        re = (work[2 * (first + k)] ^ top) - top
        im = (work[2 * (first + k) + 1] ^ top) - top
        if ((re ^ (re >> 31)) | (im ^ (im >> 31))) < 16384:
            out[k] = (re * re + im * im + part) >> (2 * shift)
        else:
            re = (re + half) >> shift
            im = (im + half) >> shift
            out[k] = re * re + im * im
