"""IIR filter: a cascade of biquads on int16 samples, states in 29 bits.

    band = Biquads(coefs)            # ints made by hedgerow.convert.dsp.filters.biquads
    band.process(samples, out)       # out may be samples

Between sections samples have 11 more bits and room for four times full scale; what is cut off an
output is added to the next. Error against float64: README.md.

Memory: 40 bytes per section, 4 per sample of a block. process() does not allocate with viper.
"""

import array

from ..core.errors import ConfigError
from .choose import kernels

_K = kernels("filter")
_MOST = 2120640921  # 7.9 in q28


class Biquads:
    """coefs: (b0, b1, b2, -a1, -a2) in q28, section after section, a0 = 1.

    block: samples worked on at a time. Raises ConfigError if the count is not a multiple of 5, or
    the absolute values of a section sum to more than 7.9: sums would leave 32 bits.
    """

    def __init__(self, coefs, block=64):
        if not coefs or len(coefs) % 5 or block < 1:
            raise ConfigError("biquads: %d coefficients, needs five a section" % len(coefs))
        for at in range(0, len(coefs), 5):
            if sum(abs(c) for c in coefs[at : at + 5]) > _MOST:
                raise ConfigError("biquads: section %d sums to more than 7.9" % (at // 5))
        self._coefs = array.array("i", coefs)
        self._state = array.array("i", bytes(4 * len(coefs)))
        self._work = array.array("i", bytes(4 * block))

    def reset(self):
        """Forget the past."""
        for i in range(len(self._state)):
            self._state[i] = 0

    def process(self, samples, out, n=None):
        """Filter n samples (default all) to out, one for one."""
        n = len(samples) if n is None else n
        if not 0 <= n <= min(len(samples), len(out)):
            raise ConfigError("biquads: %d of %d to %d" % (n, len(samples), len(out)))
        work, at = self._work, 0
        while at < n:  # range() with a step that is no constant is an object on the heap
            count = min(n - at, len(work))
            _K.widen(samples, at, count, work)
            for section in range(len(self._coefs) // 5):
                _K.biquad(work, count, self._coefs, self._state, section)
            _K.narrow(work, count, out, at)
            at += count
