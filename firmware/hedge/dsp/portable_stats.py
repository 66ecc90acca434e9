"""Sums over a block of samples in plain Python: what viper_stats.py computes, to the bit.

n is at most 32767, so that no sum leaves 31 bits.
"""


def _centred(value, zero):
    return max(min(value - zero, 32767), -32767)


def scan(x, n, zero, level, out):
    """out (int32, 6): sum of x; sum of v**2 in q15 (whole, rest), v = x - zero within +-32767;
    least x; largest x; how often v goes from above level to below -level or back.
    """
    total = squares = crossings = side = 0
    for i in range(n):
        total += x[i]
        v = _centred(x[i], zero)
        squares += v * v
        if abs(v) > level:
            now = 1 if v > 0 else -1
            crossings += side == -now
            side = now
    least = min(x[i] for i in range(n))
    most = max(x[i] for i in range(n))
    for i, value in enumerate((total, squares >> 15, squares & 32767, least, most, crossings)):
        out[i] = value


def lags(x, n, zero, first, count, shift, out):
    """out[k] = floor(sum over i of v[i] * v[i + first + k] / 2**shift), int32, v as in scan()."""
    for lag in range(first, first + count):
        total = 0
        for i in range(n - lag):
            total += _centred(x[i], zero) * _centred(x[i + lag], zero)
        out[lag - first] = total >> shift
