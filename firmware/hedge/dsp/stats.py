"""Level and shape of a block of int16 samples: RMS, crest factor, zero crossings, ...

    block = BlockStats()
    block.run(samples)
    block.run(samples, zero=block.mean)   # again, without the DC part
    block.rms_q8, block.crest_q8, block.crossings

Integers only; nothing here allocates with viper.
"""

import array

from ..core.errors import ConfigError
from .choose import kernels

_K = kernels("stats")


class BlockStats:
    """After run(): .mean (rounded half up), .min, .max, .peak (largest |x - zero|), .rms_q8
    (x - zero, in 1/256, truncated), .crest_q8 (peak / rms in 1/256, 0 in silence), .crossings.
    """

    def __init__(self):
        self._out = array.array("i", bytes(24))
        self.mean = self.min = self.max = self.peak = 0
        self.rms_q8 = self.crest_q8 = self.crossings = 0

    def run(self, samples, n=None, zero=0, level=0):
        """n: 1 to 32767 samples, default all. zero: where the signal rests, e.g. its mean.

        level: a crossing counts from above zero + level to below zero - level, and back.
        x - zero is limited to +-32767. Raises ConfigError for other lengths.
        """
        n = len(samples) if n is None else n
        if not 1 <= n <= min(len(samples), 32767) or not 0 <= level <= 32767:
            raise ConfigError("stats: %d of %d samples, 1 to 32767" % (n, len(samples)))
        out = self._out
        _K.scan(samples, n, zero, level, out)
        self.mean = (out[0] + (n >> 1)) // n
        self.min, self.max, self.crossings = out[3], out[4], out[5]
        self.peak = min(max(self.max - zero, zero - self.min), 32767)
        self.rms_q8 = self._rms_q8(n)
        self.crest_q8 = self._crest_q8()

    def _rms_q8(self, n):
        """Root of the mean square: its integer part, then 14 bits of the mean's fraction."""
        high, low = self._out[1], self._out[2]
        rest = (high % n << 15) + low
        square = (high // n << 15) + rest // n
        return root(square, (rest % n << 14) // n << 2, 8)

    def _crest_q8(self):
        """In two steps, as peak << 16 is no small int."""
        rms, peak_q14 = max(self.rms_q8, 1), self.peak << 14
        return (peak_q14 // rms << 2) + ((peak_q14 % rms << 2) + (rms >> 1)) // rms


def root(square, fraction, bits):
    """Square root with `bits` fraction bits, truncated: digit by digit, in small ints.

    square: 0 to 2**30 - 1; fraction: its next 2 * bits bits.
    """
    value = rest = 0
    shift = 28
    while shift >= -2 * bits:
        pair = square >> shift if shift >= 0 else fraction >> (2 * bits + shift)
        rest = rest << 2 | pair & 3
        value <<= 1
        if rest > 2 * value:
            rest -= 2 * value + 1
            value += 1
        shift -= 2
    return value


class Autocorrelation:
    """How alike a signal is to itself `lag` samples later; finds the period of a noisy one.

    count: lags 0 .. count - 1. .out: int32, sum of v[i] * v[i + lag] / 2**shift, within 1; lag 0
    is largest, 2**20 to 2**21 unless the signal is nearly silent.
    """

    def __init__(self, count):
        if not 1 <= count <= 32767:
            raise ConfigError("autocorrelation: %d lags, 1 to 32767" % count)
        self.count = count
        self.out = array.array("i", bytes(4 * count))
        self.shift = 0

    def run(self, samples, n=None, zero=0):
        """n: at least count, at most 32767 samples, default all; zero as in BlockStats."""
        n = len(samples) if n is None else n
        if not self.count <= n <= min(len(samples), 32767):
            raise ConfigError("autocorrelation: %d of %d samples" % (n, len(samples)))
        _K.lags(samples, n, zero, 0, 1, 15, self.out)
        self.shift = 0
        while self.out[0] >> self.shift >= 64:  # 2**21 / 2**15
            self.shift += 1
        _K.lags(samples, n, zero, 0, self.count, self.shift, self.out)

    def lag_q8(self, first=1, last=None):
        """Lag of the largest value among first .. last, in 1/256 of a sample (parabola).

        The period, if first lies beyond the hump around lag 0. Raises ConfigError if empty.
        """
        last = self.count - 1 if last is None else last
        if not 1 <= first <= last < self.count:
            raise ConfigError("autocorrelation: lags %d to %d of %d" % (first, last, self.count))
        out, best = self.out, first
        for lag in range(first, last + 1):
            if out[lag] > out[best]:
                best = lag
        if best + 1 >= self.count:
            return best << 8
        left, middle, right = out[best - 1], out[best], out[best + 1]
        bend = 2 * middle - left - right
        if bend <= 0 or left > middle or right > middle:  # a slope, not a summit
            return best << 8
        return (best << 8) + ((right - left << 7) + (bend >> 1)) // bend
