"""FIR, biquad and CIC filters in plain Python: what viper_filter.py computes, to the bit."""

_WORD = 0xFFFFFFFF


def _int16(value):
    return -32768 if value < -32768 else min(value, 32767)


def _signed(word):
    return word - ((word & 0x80000000) << 1)


def fir(x, n, taps, count, shift, step, ring, state, out):
    """Feed n int16; out gets round(sum of taps * samples / 2**shift) of every step-th, clamped.

    taps: int32, of the oldest sample first. ring: uint16, 2 * count, samples + 32768 twice, so
    that any window of count lies in one piece. state: place, phase (samples until the next
    output), 2**shift / 2 - 32768 * sum of taps, scratch. Returns how many outputs. out may be x.
    """
    place, phase, made = state[0], state[1], 0
    for i in range(n):
        ring[place] = ring[place + count] = x[i] + 32768
        place = (place + 1) % count
        phase -= 1
        if not phase:
            phase = step
            acc = state[2]
            for k in range(count):
                acc += ring[place + k] * taps[k]
            state[3] = acc
            out[made] = _int16(acc >> shift)
            made += 1
    state[0], state[1] = place, phase
    return made


def widen(x, at, n, work):
    """work[i] = x[at + i] in q11."""
    for i in range(n):
        work[i] = x[at + i] << 11


def narrow(work, n, out, at):
    """out[at + i] = int16 of work[i] in q11, rounded half up, clamped."""
    for i in range(n):
        out[at + i] = _int16((work[i] + 1024) >> 11)


def biquad(work, n, coefs, state, section):
    """One section in place: y = b0 x + b1 x1 + b2 x2 + c3 y1 + c4 y2 (c3 = -a1, c4 = -a2).

    work: int32 within +-2**28. coefs: int32 in q28, five a section, absolute values sum to at
    most 7.9: so no 14-bit half's sum leaves 32 bits. state: x1, x2, y1, y2 and the remainder of
    the last output, which goes into the next (first-order noise shaping: no error at DC).
    """
    c = coefs[5 * section : 5 * section + 5]
    at = 5 * section
    x1, x2, y1, y2, rest = state[at : at + 5]
    for i in range(n):
        signals = (work[i], x1, x2, y1, y2)
        high = sum(s * (k >> 14) for s, k in zip(signals, c))
        low = sum((s >> 14) * (k & 16383) for s, k in zip(signals, c))
        rest += sum((s & 16383) * (k & 16383) for s, k in zip(signals, c)) >> 14
        total = high + low  # in units of 2**-14
        y = (total + rest) >> 14
        rest = (total + rest) & 16383
        if not -(1 << 28) < y < 1 << 28:
            y, rest = (1 << 28) - 1 if y > 0 else 1 - (1 << 28), 0
        x1, x2, y1, y2 = work[i], x1, y, y1
        work[i] = y
    for i, value in enumerate((x1, x2, y1, y2, rest)):
        state[at + i] = value


def cic(x, n, order, step, down, factor, state, out):
    """Feed n int16 to `order` integrators; every step-th sum through as many combs to out.

    Sums are modulo 2**32. out = round(round(v / 2**down) * factor / 2**15), int16, clamped.
    state, uint32: phase, scratch, integrators, combs. Returns how many outputs. out may be x.
    """
    made = 0
    for i in range(n):
        v = x[i]
        for k in range(2, 2 + order):
            v = (v + state[k]) & _WORD
            state[k] = v
        state[0] -= 1
        if not state[0]:
            state[0] = step
            for k in range(2 + order, 2 + 2 * order):
                state[k], v = v, (v - state[k]) & _WORD
            state[1] = v
            v = (_signed(v) + ((1 << down) >> 1)) >> down
            out[made] = _int16((v * factor + 16384) >> 15)
            made += 1
    return made
