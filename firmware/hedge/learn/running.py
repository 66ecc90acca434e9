"""Running statistics of whole numbers: exact for ever, or of the recent past.

    stats = RunningStats()
    stats.update(2310)              # None, a missing sample, changes nothing
    stats.mean(), stats.deviation()
    if stats.is_far(value, 4): ...  # further than 4 deviations from the mean

Values are ints in the scale of their channel. update() does not allocate; the rest does.
"""

import array
import math
import struct

from ..core.errors import ModelError
from . import saved

_LIMIT = 1 << 29
_MASK = 0x7FFF


class RunningStats(saved.Saved):
    """Count, least, most, mean and variance of all samples, exactly.

    Sums of (x - first) and its square are kept in limbs of 15 bits: no rounding, as Welford's
    recursion would add at every step, so that merging and restoring change nothing. Samples are
    below 2**29 in size; after 2**29 of them it stays as it is.
    """

    _kind = saved.RUNNING

    def __init__(self):
        self.count = 0
        self.least = 0
        self.most = 0
        self._first = 0
        self._sums = array.array("i", (0,) * 9)  # three limbs of the sum, six of the squares

    def update(self, x):
        if x is None or self.count >= _LIMIT:
            return
        if not self.count:
            self._first = self.least = self.most = x
        self.count += 1
        if x < self.least:
            self.least = x
        if x > self.most:
            self.most = x
        self._add(x - self._first)

    def _add(self, d):
        sums = self._sums
        carry = sums[0] + (d & _MASK)
        sums[0] = carry & _MASK
        carry = sums[1] + (d >> 15) + (carry >> 15)
        sums[1] = carry & _MASK
        sums[2] += carry >> 15
        if d < 0:
            d = -d
        low, high = d & _MASK, d >> 15
        part = low * low
        carry = sums[3] + (part & _MASK)
        sums[3] = carry & _MASK
        carry = sums[4] + (carry >> 15) + (part >> 15)
        part = low * high
        carry += (part & 0x3FFF) << 1  # twice the product, its lowest 15 bits
        sums[4] = carry & _MASK
        carry = sums[5] + (carry >> 15) + (part >> 14)
        part = high * high
        carry += part & _MASK
        sums[5] = carry & _MASK
        carry = sums[6] + (carry >> 15) + (part >> 15)
        sums[6] = carry & _MASK
        carry = sums[7] + (carry >> 15)
        sums[7] = carry & _MASK
        sums[8] += carry >> 15

    def _exact(self):
        """(sum, sum of squares) of x - first, long ints."""
        return _number(self._sums, 0, 3), _number(self._sums, 3, 9)

    def mean(self):
        """Float; None before the first sample."""
        if not self.count:
            return None
        return self._first + self._exact()[0] / self.count

    def variance(self):
        """Of the samples themselves (divided by their number), float; None before the first."""
        if not self.count:
            return None
        total, squares = self._exact()
        n = self.count
        return (n * squares - total * total) / n / n

    def deviation(self):
        """Square root of variance()."""
        return math.sqrt(self.variance()) if self.count else None

    def is_far(self, x, deviations):
        """True if x is more than `deviations` (int) from the mean; decided without rounding."""
        if x is None or not self.count:
            return False
        total, squares = self._exact()
        n = self.count
        apart = n * (x - self._first) - total
        return apart * apart > deviations * deviations * (n * squares - total * total)

    def merge(self, other):
        """Become the statistics of both, exactly. Raises ModelError past 2**29 samples."""
        if not other.count:
            return
        if self.count + other.count > _LIMIT:
            raise ModelError("running statistics: more than 2**29 samples")
        if not self.count:
            self._first, self.least, self.most = other._first, other.least, other.most
        shift = other._first - self._first
        total, squares = self._exact()
        total2, squares2 = other._exact()
        squares += squares2 + 2 * shift * total2 + other.count * shift * shift
        _split(total + total2 + other.count * shift, self._sums, 0, 3)
        _split(squares, self._sums, 3, 9)
        self.count += other.count
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)

    def _size(self):
        return 52

    def _store(self, buffer, at):
        values = (self.count, self._first, self.least, self.most)
        struct.pack_into("<4i", buffer, at, *values)
        struct.pack_into("<9i", buffer, at + 16, *self._sums)

    def _load(self, data, at):
        count, first, least, most = struct.unpack_from("<4i", data, at)
        sums = array.array("i", struct.unpack_from("<9i", data, at + 16))
        for i, value in enumerate(sums):
            saved.need(i in (2, 8) or 0 <= value <= _MASK, "a limb of a sum")
        total, squares = _number(sums, 0, 3), _number(sums, 3, 9)
        saved.need(0 <= count <= _LIMIT, "count")
        saved.need(-_LIMIT < least <= most < _LIMIT and least <= first <= most, "range")
        saved.need(total * total <= count * squares and (count or not squares), "sums")
        self.count, self._first, self.least, self.most = count, first, least, most
        self._sums = sums


def _number(limbs, start, end):
    """Limbs of 15 bits, least first, the last with its sign, as a long int."""
    value = 0
    for i in range(end - 1, start - 1, -1):
        value = (value << 15) + limbs[i]
    return value


def _split(value, limbs, start, end):
    for i in range(start, end - 1):
        limbs[i] = value & _MASK
        value >>= 15
    limbs[end - 1] = value


class EwmaStats(saved.Saved):
    """Mean and variance of the recent past: each sample weighs 2**-shift, older ones fade.

    shift: 1 .. 10. .mean and .variance are ints, rounded; samples are below 2**(29 - shift) in
    size, a distance from the mean counts up to 2**((30 - shift) // 2). update() does not allocate.
    """

    _kind = saved.EWMA

    def __init__(self, shift):
        if not 1 <= shift <= 10:
            raise ModelError("ewma: shift %r, possible are 1 .. 10" % (shift,))
        self._shift = shift
        self._half = 1 << (shift - 1)
        self._limit = (1 << (30 - shift) // 2) - 1
        self.count = 0  # until 2**shift, then it stays: the start has faded
        self._mean = 0  # times 2**shift, as the variance: nothing is lost to rounding
        self._variance = 0

    @property
    def mean(self):
        return (self._mean + self._half) >> self._shift

    @property
    def variance(self):
        return (self._variance + self._half) >> self._shift

    def update(self, x):
        if x is None:
            return
        if not self.count:
            self._mean = x << self._shift
        d = x - ((self._mean + self._half) >> self._shift)
        self._mean += x - (self._mean >> self._shift)
        if d > self._limit:
            d = self._limit
        elif d < -self._limit:
            d = -self._limit
        square = d * d
        square -= square >> self._shift  # West 1979: (1 - a) * (variance + a * d * d)
        self._variance += square - (self._variance >> self._shift)
        if self.count < 1 << self._shift:
            self.count += 1

    def is_far(self, x, deviations):
        """True if x is more than `deviations` (int, up to 16) from the mean, once it has settled:
        after 2**shift samples."""
        if x is None or self.count < 1 << self._shift:
            return False
        d = x - self.mean
        return d * d > deviations * deviations * self.variance

    def _size(self):
        return 16

    def _store(self, buffer, at):
        values = (self._shift, self.count, self._mean, self._variance)
        struct.pack_into("<4i", buffer, at, *values)

    def _load(self, data, at):
        shift, count, mean, variance = struct.unpack_from("<4i", data, at)
        saved.need(shift == self._shift, "of another shift")
        saved.need(0 <= count <= 1 << shift and abs(mean) < 1 << 30, "count or mean")
        saved.need(0 <= variance < 1 << 30, "variance")
        self.count, self._mean, self._variance = count, mean, variance
