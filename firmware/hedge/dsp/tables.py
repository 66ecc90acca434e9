"""Integer tables of the DSP kernels, computed in integers: the same on every board and the host.

Set-up code: allocates, and uses long ints. A 512-point sine table is 512 Taylor sums; a board
that must not wait takes the tables from a front-end file (SPEC.md), which the host made here.
"""

import array

from ..core.errors import ConfigError

_ONE = 1 << 40
_PI_Q40 = 3454217652358  # round(pi * 2**40)


def _sine_q40(i, n):
    """sin(2 pi i / n) * 2**40 within 20 units, for any int i."""
    i = 4 * (i % n)
    quadrant, rest = i // n, i % n  # rest / n of a quarter turn
    if quadrant & 1:
        rest = n - rest
    x = _PI_Q40 * rest // (2 * n)
    square = x * x >> 40
    term = total = x
    k = 1
    while term:
        k += 2
        term = -(term * square >> 40) // (k * (k - 1))
        total += term
        if -2 < term < 2:
            break
    return -total if quadrant & 2 else total


def _q15(value_q40):
    """Rounded half up to q15; 1.0 becomes 32767."""
    return min((value_q40 + (1 << 24)) >> 25, 32767)


def sine_q15(n):
    """array("h") of n: round(32768 sin(2 pi i / n)), at most 32767. n: a multiple of 4."""
    return array.array("h", [_q15(_sine_q40(i, n)) for i in range(n)])


# w = a0 - a1 cos(t) + a2 cos(2 t), in 1/100
_COSINES = {"hann": (50, 50, 0), "hamming": (54, 46, 0), "blackman": (42, 50, 8)}


def window_q15(kind, n, periodic=True):
    """array("h") of n: "hann", "hamming" or "blackman", 1.0 = 32768 (stored as 32767).

    periodic: for spectra (scipy.signal.get_window's fftbins=True), else symmetric. Within half a
    unit of SciPy, one unit at 1.0. Raises ConfigError for other kinds or n < 2.
    """
    if kind not in _COSINES or n < 2:
        raise ConfigError("window: %r of %r, known: %s" % (kind, n, ", ".join(sorted(_COSINES))))
    a0, a1, a2 = _COSINES[kind]
    turn = 4 * (n if periodic else n - 1)
    window = array.array("h", bytes(2 * n))
    for i in range(n):
        cos1, cos2 = _sine_q40(4 * i + turn // 4, turn), _sine_q40(8 * i + turn // 4, turn)
        window[i] = max(_q15((a0 * _ONE - a1 * cos1 + a2 * cos2) // 100), 0)
    return window


def isqrt(value):
    """Largest int whose square is at most value; value >= 0, any size."""
    root = 0
    bit = 1
    while bit * bit <= value:
        bit <<= 1
    while bit:
        if (root + bit) * (root + bit) <= value:
            root += bit
        bit >>= 1
    return root


def sqrt_table():
    """array("H") of 225: round(sqrt(i * 2**23)) for i = 32..256."""
    return array.array("H", [(isqrt(i << 25) + 1) >> 1 for i in range(32, 257)])


def log2_table():
    """array("H") of 65: round(16384 log2(1 + i / 64)), by squaring 24 times."""
    table = array.array("H", bytes(130))
    for i in range(65):
        x, bits = (64 + i) << 34, 0  # q40
        for _ in range(24):
            x = x * x >> 40
            bits <<= 1
            if x >= 2 * _ONE:
                x >>= 1
                bits += 1
        table[i] = (bits + 512) >> 10
    table[64] = 16384
    return table
