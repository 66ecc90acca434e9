"""Peak picking as scipy.signal.find_peaks: by height, then distance, then prominence.

    finder = Peaks(16, distance=5, prominence=200)
    for k in range(finder.find(samples)):
        finder.at[k]                          # index, ascending

Memory: 7 bytes per peak of room. find() does not allocate with viper.
"""

import array

from ..core.errors import ConfigError
from .choose import kernels

_K = kernels("peaks")
_LEAST = -(1 << 30) + 1


class Peaks:
    """most: room for peaks (of enough height). wide: the values are array("i") within +-2**29,
    e.g. magnitudes of a spectrum; else array("h"). height, distance, prominence: as SciPy; among
    equally high peaks too near to each other the last one stays.

    .at: uint16 indices. .dropped: peaks of the last find() for which there was no room.
    """

    def __init__(self, most, height=None, distance=1, prominence=0, wide=False):
        if not 1 <= most <= 4096 or distance < 1:
            raise ConfigError("peaks: room for %d, distance %d" % (most, distance))
        self.height, self.distance, self.prominence = height, distance, prominence
        self.at = array.array("H", bytes(2 * most))
        self.dropped = 0
        self._wide = wide
        self._value = array.array("i", (0,))
        self._marks = bytearray(most)  # 0 open, 1 stays, 2 goes

    def find(self, x, n=None):
        """Returns how many peaks; raises ConfigError for more than 65535 values."""
        n = len(x) if n is None else n
        if not 0 <= n <= min(len(x), 65535):
            raise ConfigError("peaks: %d of %d values, at most 65535" % (n, len(x)))
        height = _LEAST if self.height is None else self.height
        found = _K.maxima(x, self._wide, n, height, self.at, len(self.at))
        count = min(found, len(self.at))
        self.dropped = found - count
        if self.distance > 1:
            count = self._keep_distance(x, count)
        if self.prominence > 0:
            count = self._keep_prominent(x, n, count)
        return count

    def _keep_distance(self, x, count):
        marks, at = self._marks, self.at
        for k in range(count):
            marks[k] = 0
        while True:
            best = -1
            for k in range(count):
                if not marks[k] and (best < 0 or x[at[k]] >= x[at[best]]):
                    best = k
            if best < 0:
                return self._compact(count)
            for k in range(count):
                if not marks[k] and abs(at[k] - at[best]) < self.distance:
                    marks[k] = 2
            marks[best] = 1

    def _keep_prominent(self, x, n, count):
        for k in range(count):
            _K.prominence(x, self._wide, n, self.at[k], self._value)
            self._marks[k] = 1 if self._value[0] >= self.prominence else 2
        return self._compact(count)

    def _compact(self, count):
        kept = 0
        for k in range(count):
            if self._marks[k] == 1:
                self.at[kept] = self.at[k]
                kept += 1
        return kept
