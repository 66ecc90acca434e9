"""The kernels of the real FFT in plain Python: what viper_fft.py computes, to the bit."""


def load(x, start, size, count, window, how, before, work, half):
    """Windowed samples in q15, as half complex numbers in bit-reversed order; rest is zero.

    x: int16 ring of size, read from start; how: 0 = no window, 1 = window, 2 = first
    y = x - 31/32 of the sample before (before: the one before the first), and a q14 product.
    work: int32, (re, im) pairs. Returns the OR of v, or ~v where negative, over all values: at
    least as many bits as the largest. Does so in every function below that returns something.
    """
    bits = place = 0
    for i in range(half):
        for n in (2 * i, 2 * i + 1):
            v = 0
            if n < count:
                v = x[(start + n) % size]
                if how == 2:
                    v, before = _emphasised(32 * v - 31 * before, window[n] >> 1), v
                else:
                    v *= window[n] if how else 32768
            work[2 * place + n % 2] = v
            bits |= v ^ (v >> 31)
        bit = half >> 1
        while place & bit:
            place ^= bit
            bit >>= 1
        place |= bit
    return bits


def _emphasised(v_q5, w_q14):
    """Product in q14; a large v is rounded before, where it would leave 32 bits."""
    if -65536 <= v_q5 < 65536:
        return (v_q5 * w_q14 + 16) >> 5
    return ((v_q5 + 16) >> 5) * w_q14


def _scaled(work, at, shift):
    return (work[at] + ((1 << shift) >> 1)) >> shift


def _put(work, at, v):
    work[at] = v
    return v ^ (v >> 31)


def radix2(work, half, shift):
    """First stage without twiddles: pairs to sums and differences, values >> shift before."""
    bits = 0
    for at in range(0, 2 * half, 4):
        for i in (at, at + 1):
            a, b = _scaled(work, i, shift), _scaled(work, i + 2, shift)
            bits |= _put(work, i, a + b) | _put(work, i + 2, a - b)
    return bits


def _turned(sine, k, quarter, re, im):
    """(re + j im) * exp(-2 pi j k / len(sine)), rounded."""
    c, s = sine[k + quarter], sine[k]
    return (re * c + im * s + 16384) >> 15, (im * c - re * s + 16384) >> 15


def radix4(work, half, length, shift, sine, step):
    """Four transforms of `length`, in the order 0 2 1 3, to one of 4 * length; >> shift before.

    sine: table of 4 * length * step entries.
    """
    bits = 0
    quarter = step * length
    for j in range(length):
        for at in range(2 * j, 2 * half, 8 * length):
            places = [at + 2 * length * i for i in (0, 2, 1, 3)]
            z = [(_scaled(work, p, shift), _scaled(work, p + 1, shift)) for p in places]
            if j:
                z[1:] = [_turned(sine, i * j * step, quarter, *z[i]) for i in (1, 2, 3)]
            (ar, ai), (br, bi), (cr, ci), (dr, di) = z
            bits |= _put(work, at, ar + cr + br + dr) | _put(work, at + 1, ai + ci + bi + di)
            at += 2 * length
            bits |= _put(work, at, ar - cr + bi - di) | _put(work, at + 1, ai - ci - br + dr)
            at += 2 * length
            bits |= _put(work, at, ar + cr - br - dr) | _put(work, at + 1, ai + ci - bi - di)
            at += 2 * length
            bits |= _put(work, at, ar - cr - bi + di) | _put(work, at + 1, ai - ci + br - dr)
    return bits


def split(work, half, shift, sine):
    """From the transform of half complex pairs to twice the half + 1 bins of 2 * half samples.

    >> shift before. Twiddles in q14: with q15 the product of a 17-bit sum leaves 32 bits.
    """
    a, b = _scaled(work, 0, shift), _scaled(work, 1, shift)
    bits = _put(work, 0, 2 * (a + b)) | _put(work, 2 * half, 2 * (a - b))
    work[1] = work[2 * half + 1] = 0
    for k in range(1, half // 2 + 1):
        a, b = 2 * k, 2 * (half - k)
        c, s = (sine[k + half // 2] + 1) >> 1, (sine[k] + 1) >> 1
        ar, ai = _scaled(work, a, shift), _scaled(work, a + 1, shift)
        br, bi = _scaled(work, b, shift), _scaled(work, b + 1, shift)
        p = (c * (ai + bi) - s * (ar - br) + 8192) >> 14
        q = (c * (ar - br) + s * (ai + bi) + 8192) >> 14
        bits |= _put(work, b, ar + br - p) | _put(work, b + 1, bi - ai - q)
        bits |= _put(work, a, ar + br + p) | _put(work, a + 1, ai - bi - q)
    return bits


def magnitude(work, first, count, roots, out):
    """out[k] = 1024 |bin first + k| (int32), within 2**-13 of it. Parts below 2**18.

    roots: tables.sqrt_table(), used with linear interpolation on parts of 15 bits.
    """
    for k in range(count):
        re, im = abs(work[2 * (first + k)]), abs(work[2 * (first + k) + 1])
        out[k] = _root(re, im, roots) if re | im else 0


def _root(re, im, roots):
    up = 10
    while re | im >= 32768:
        re, im, up = re >> 1, im >> 1, up + 1
    while re | im < 16384:
        re, im, up = re << 1, im << 1, up - 1
    square = re * re + im * im
    i = (square >> 23) - 32
    v = roots[i] + (((roots[i + 1] - roots[i]) * (square >> 15 & 255) + 128) >> 8)
    return v << up if up >= 0 else (v + ((1 << -up) >> 1)) >> -up


def power(work, first, count, shift, out):
    """out[k] = round(|bin first + k|**2 / 4**shift) (int32); shifted parts are at most 2**14.

    Parts above 2**14 are shifted before the square: it has 32 bits. Weak bins keep theirs.
    """
    half, part = (1 << shift) >> 1, (1 << 2 * shift) >> 1
    for k in range(count):
        re, im = work[2 * (first + k)], work[2 * (first + k) + 1]
        if (re ^ (re >> 31)) | (im ^ (im >> 31)) < 16384:
            out[k] = (re * re + im * im + part) >> (2 * shift)
        else:
            out[k] = ((re + half) >> shift) ** 2 + ((im + half) >> shift) ** 2
