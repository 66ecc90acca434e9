"""FIR, biquad and CIC filters in viper; see portable_filter.py.

No heap, exact on 32-bit machine words, pointers not checked: as viper_fft.py. Where only the low
32 bits of a sum count, loads keep the sign they lost on a 64-bit port; a word of the state that
is written and read back cuts the sum to 32 bits.
"""

import micropython

# ruff: noqa: F821  ptr16 and ptr32 are words of viper


@micropython.viper
def fir(x: ptr16, n: int, taps: ptr32, count: int, shift: int, step: int,
        ring: ptr16, state: ptr32, out: ptr16) -> int:  # fmt: skip
    top = 1
    top = top << 31
    place = state[0]
    phase = state[1]
    start = state[2]
    made = 0
    for i in range(n):
        v = (int(x[i]) ^ 32768) & 65535
        ring[place] = v
        ring[place + count] = v
        place += 1
        if place == count:
            place = 0
        phase -= 1
        if phase == 0:
            phase = step
            acc = start
            window = ptr16(int(ring) + 2 * place)
            for k in range(count):
                acc += int(window[k]) * taps[k]
            state[3] = acc
            acc = ((state[3] ^ top) - top) >> shift
            if acc > 32767:
                acc = 32767
            elif acc < 0 - 32768:
                acc = 0 - 32768
            out[made] = acc
            made += 1
    state[0] = place
    state[1] = phase
    return made


@micropython.viper
def widen(x: ptr16, at: int, n: int, work: ptr32):
    for i in range(n):
        work[i] = ((int(x[at + i]) ^ 32768) - 32768) << 11


@micropython.viper
def narrow(work: ptr32, n: int, out: ptr16, at: int):
    top = 1
    top = top << 31
    for i in range(n):
        v = (((work[i] ^ top) - top) + 1024) >> 11
        if v > 32767:
            v = 32767
        elif v < 0 - 32768:
            v = 0 - 32768
        out[at + i] = v


@micropython.viper
def biquad(work: ptr32, n: int, coefs: ptr32, state: ptr32, section: int):
    top = 1
    top = top << 31
    most = (1 << 28) - 1
    c = ptr32(int(coefs) + 20 * section)
    s = ptr32(int(state) + 20 * section)
    b0 = ((c[0] ^ top) - top) >> 14
    b1 = ((c[1] ^ top) - top) >> 14
    b2 = ((c[2] ^ top) - top) >> 14
    a1 = ((c[3] ^ top) - top) >> 14
    a2 = ((c[4] ^ top) - top) >> 14
    b0l = c[0] & 16383
    b1l = c[1] & 16383
    b2l = c[2] & 16383
    a1l = c[3] & 16383
    a2l = c[4] & 16383
    x1 = (s[0] ^ top) - top
    x2 = (s[1] ^ top) - top
    y1 = (s[2] ^ top) - top
    y2 = (s[3] ^ top) - top
    rest = s[4]
    for i in range(n):
        x0 = (work[i] ^ top) - top
        h0 = x0 >> 14
        h1 = x1 >> 14
        h2 = x2 >> 14
        h3 = y1 >> 14
        h4 = y2 >> 14
        l0 = x0 & 16383
        l1 = x1 & 16383
        l2 = x2 & 16383
        l3 = y1 & 16383
        l4 = y2 & 16383
        x2 = x1
        x1 = x0
        y2 = y1
        y1 = h0 * b0 + h1 * b1 + h2 * b2 + h3 * a1 + h4 * a2
        mid = h0 * b0l + h1 * b1l + h2 * b2l + h3 * a1l + h4 * a2l
        y1 += mid >> 14
        rest += mid & 16383
        mid = l0 * b0 + l1 * b1 + l2 * b2 + l3 * a1 + l4 * a2
        y1 += mid >> 14
        rest += mid & 16383
        rest += (l0 * b0l + l1 * b1l + l2 * b2l + l3 * a1l + l4 * a2l) >> 14
        y1 += rest >> 14
        rest = rest & 16383
        if y1 > most:
            y1 = most
            rest = 0
        elif y1 < 0 - most:
            y1 = 0 - most
            rest = 0
        work[i] = y1
    s[0] = x1
    s[1] = x2
    s[2] = y1
    s[3] = y2
    s[4] = rest


@micropython.viper
def cic(x: ptr16, n: int, order: int, step: int, down: int, factor: int,
        state: ptr32, out: ptr16) -> int:  # fmt: skip
    top = 1
    top = top << 31
    phase = state[0]
    made = 0
    for i in range(n):
        v = (int(x[i]) ^ 32768) - 32768
        for k in range(order):
            v += state[2 + k]
            state[2 + k] = v
        phase -= 1
        if phase == 0:
            phase = step
            for k in range(order):
                before = state[2 + order + k]
                state[2 + order + k] = v
                v -= before
            state[1] = v
            v = (state[1] ^ top) - top
            v = (v + ((1 << down) >> 1)) >> down
            v = (v * factor + 16384) >> 15
            if v > 32767:
                v = 32767
            elif v < 0 - 32768:
                v = 0 - 32768
            out[made] = v
            made += 1
    state[0] = phase
    return made
