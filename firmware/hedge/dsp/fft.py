"""FFT of real int16 samples, block floating point in int32 words.

    fft = RealFFT(512)
    fft.run(samples)                # array("h") of 512
    fft.bins[2 * k], fft.bins[2 * k + 1], fft.exponent   # bin k = (re + j im) * 2**exponent
    fft.magnitude_into(out)         # |bin k| = out[k] * 2**fft.magnitude_exponent

Butterflies take 15-bit parts and q15 twiddles; before each stage all values are shifted right,
rounded, only as far as the largest of them needs. Error: README.md. Radix 4, one radix-2 stage
where the size wants it, then the split from N/2 complex to N real points.

Memory: 4 n bytes of work, 2 n of table, shared by all that have the same table. run() and what
follows it do not allocate with viper.
"""

import array

from ..core.errors import ConfigError
from . import tables
from .choose import kernels

_K = kernels("fft")
_PLAIN = 0
_WINDOWED = 1
_EMPHASISED = 2  # pre-emphasis 31/32, then the window
_NONE = array.array("h", (0,))


class RealFFT:
    """n: 16 to 4096, a power of two. window: int16 q15 of at most n (the rest is zero), or None.

    emphasis: pre-emphasis y[i] = x[i] - 31/32 x[i-1] before the window, which it needs.
    share: (tables.sine_q15(n), tables.sqrt_table()), to share or to have in flash; else made.
    count: length of the window where len() does not say it (bytes in flash).
    .bins: int32 array (re, im) of n / 2 + 1 bins, valid until the next run().
    Raises ConfigError for what does not fit.
    """

    def __init__(self, n, window=None, emphasis=False, share=None, count=None):
        if not 16 <= n <= 4096 or n & (n - 1):
            raise ConfigError("fft: size %r, needs a power of two from 16 to 4096" % (n,))
        if count is None:
            count = n if window is None else len(window)
        if not 1 <= count <= n or (emphasis and window is None):
            raise ConfigError("fft: window of %d for %d, or emphasis without one" % (count, n))
        self.n = n
        self.count = count  # samples read by run()
        self.bins = array.array("i", bytes(4 * (n + 2)))
        self.exponent = self.magnitude_exponent = self.power_exponent = 0
        self._window = _NONE if window is None else window
        self._how = _PLAIN if window is None else _EMPHASISED if emphasis else _WINDOWED
        self._sine, self._roots = share or (tables.sine_q15(n), tables.sqrt_table())
        self._bits = 0

    def run(self, samples, start=0, before=0):
        """Transform self.count samples (int16) from index start on, going round at the end.

        before: the sample before them, for emphasis. Returns exponent. Raises ConfigError if
        there are too few samples.
        """
        if not 0 <= start < len(samples) or len(samples) < self.count:
            raise ConfigError(
                "fft: %d samples from %d, needs %d" % (len(samples), start, self.count)
            )
        half, size = self.n >> 1, len(samples)
        bits = _K.load(
            samples, start, size, self.count, self._window, self._how, before, self.bins, half
        )
        exponent = -16 + (self._how == _EMPHASISED)  # q15 or q14 product, split() doubles
        length = 1
        if half & 0xAAA:  # an odd power of two
            shift = _excess(bits, 15)
            bits = _K.radix2(self.bins, half, shift)
            exponent += shift
            length = 2
        while length < half:
            shift = _excess(bits, 15)
            step = self.n // (4 * length)
            bits = _K.radix4(self.bins, half, length, shift, self._sine, step)
            exponent += shift
            length *= 4
        shift = _excess(bits, 15)
        self._bits = _K.split(self.bins, half, shift, self._sine)
        self.exponent = exponent + shift
        return self.exponent

    def magnitude_into(self, out, first=0, count=None):
        """|bin first + k| = out[k] * 2**magnitude_exponent, int32 below 2**30.

        out may be .bins itself. Relative error of the root 2**-13.
        """
        count = self._checked(out, first, count)
        _K.magnitude(self.bins, first, count, self._roots, out)
        self.magnitude_exponent = self.exponent - 10

    def power_into(self, out, first=0, count=None):
        """|bin first + k|**2 = out[k] * 2**power_exponent, int32 up to 2**29; as above."""
        count = self._checked(out, first, count)
        shift = _excess(self._bits, 14)
        _K.power(self.bins, first, count, shift, out)
        self.power_exponent = 2 * (self.exponent + shift)

    def _checked(self, out, first, count):
        most = self.n // 2 + 1
        count = most - first if count is None else count
        if first < 0 or count < 0 or first + count > most or len(out) < count:
            raise ConfigError("fft: bins %d + %d of %d into %d" % (first, count, most, len(out)))
        return count


def _excess(bits, most):
    """How far to shift values of these bits so that `most` bits remain."""
    shift = 0
    while bits >> shift >= 1 << most:
        shift += 1
    return shift
