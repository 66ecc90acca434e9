"""FIR filter and decimator of int16 samples.

    fir = Fir(taps, shift)           # ints made by hedgerow.convert.dsp.filters.fir
    n = fir.process(samples, out)    # out may be samples

Memory: 8 bytes per tap. process() does not allocate with viper.
"""

import array

from ..core.errors import ConfigError
from .choose import kernels

_K = kernels("filter")


class Fir:
    """out = round(sum of taps[k] * x[n - k] / 2**shift), clamped to int16.

    step: keep every step-th output, the first after `step` samples. Starts with zeros before the
    first sample. Raises ConfigError if the taps' absolute values sum to more than 65000: their
    products would leave 32 bits.
    """

    def __init__(self, taps, shift=15, step=1):
        if not 1 <= len(taps) <= 4096 or step < 1 or not 0 <= shift <= 23:
            raise ConfigError("fir: %d taps, shift %d, step %d" % (len(taps), shift, step))
        if sum(abs(tap) for tap in taps) > 65000:
            raise ConfigError("fir: the taps' absolute values sum to more than 65000")
        self._taps = array.array("i", reversed(list(taps)))
        self._shift = shift
        self._step = step
        self._ring = array.array("H", [32768] * (2 * len(taps)))
        start = ((1 << shift) >> 1) - 32768 * sum(taps)
        self._state = array.array("i", (0, step, start, 0))

    def process(self, samples, out, n=None):
        """Filter n samples (default all) to out; returns how many outputs were written."""
        n = _checked(len(samples), n, self._state[1], self._step, out)
        count = len(self._taps)
        return _K.fir(
            samples, n, self._taps, count, self._shift, self._step, self._ring, self._state, out
        )


def _checked(size, n, phase, step, out):
    """How many samples to take; raises ConfigError if their outputs do not fit."""
    n = size if n is None else n
    if not 0 <= n <= size or (n - phase) // step + 1 > len(out):
        raise ConfigError("filter: %d samples of %d to %d outputs" % (n, size, len(out)))
    return n


class Cic:
    """CIC decimator: `order` moving sums over `step` samples, gain 1, without multiplications.

    Cheap, for a large step; its pass band droops as (sin x / x)**order, so a Fir often follows.
    order: 1 to 6; 16 bits and order * log2(step) more must fit in 32, or ConfigError.
    Memory: 8 bytes per order.
    """

    def __init__(self, step, order=3):
        gain = step**order
        if step < 2 or not 1 <= order <= 6 or gain > 65536:
            raise ConfigError("cic: step %d, order %d: step**order <= 65536" % (step, order))
        self._step = step
        self._order = order
        self._down = 0
        while gain >> self._down > 1:
            self._down += 1
        self._factor = ((1 << (self._down + 16)) // gain + 1) >> 1
        self._state = array.array("I", [step] + [0] * (1 + 2 * order))

    def process(self, samples, out, n=None):
        """As Fir.process()."""
        n = _checked(len(samples), n, self._state[0], self._step, out)
        return _K.cic(
            samples, n, self._order, self._step, self._down, self._factor, self._state, out
        )
