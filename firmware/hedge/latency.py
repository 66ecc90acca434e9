"""How long something takes, as a histogram of fixed size: eight bins per doubling."""

import array

_BINS = 8 * 24  # up to 16 s in microseconds
_FULL = 0xFFFF  # a bin counts no further: two years of ticks every 15 minutes


class Latency:
    """add() in microseconds; a bin's upper edge is at most 1/8 above its lower one."""

    def __init__(self):
        self._bins = array.array("H", bytes(2 * _BINS))
        self.count = 0
        self.most_us = 0

    def add(self, us):
        """Count one; negative counts as 0. Does not allocate."""
        us = max(us, 0)
        self.count += 1
        self.most_us = max(self.most_us, us)
        i = min(_bin(us), _BINS - 1)
        if self._bins[i] < _FULL:
            self._bins[i] += 1

    def histogram(self):
        """{upper edge in us: count} of the bins that are not empty."""
        found = {}
        for i in range(_BINS):
            if self._bins[i]:
                found[_edge(i)] = self._bins[i]
        return found

    def percentile_us(self, percent):
        """Upper edge of the bin that holds this share, at most the largest value; 0 if empty."""
        left = (self.count * percent + 99) // 100
        for i in range(_BINS):
            left -= self._bins[i]
            if left <= 0 and self.count:
                return min(_edge(i), self.most_us)
        return self.most_us


def _bin(us):
    """0..15 are bins of their own, then eight bins for each power of two."""
    shift = 0
    while us >= 16:
        us >>= 1
        shift += 1
    return us if not shift else 8 * shift + us


def _edge(i):
    """Largest value of bin i."""
    if i < 16:
        return i
    shift = i // 8 - 1
    return ((8 + i % 8 + 1) << shift) - 1
