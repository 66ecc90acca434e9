"""Sample filters: one int in, one int or None out, one sample at a time.

    soil = make_filter("median", (3,))
    value = soil.update(2310)  # None stands for a missing sample, in and out

From -> to (DESIGN.md): sensor -> filter is an int in the channel's scale, filter -> features the
same. A missing sample gives None and takes the oldest sample out of the window, so a window holds
only samples of the last n ticks and is empty after n ticks without any.
"""

import array

from ..core.errors import ConfigError


class _Window:
    """Ring of the last n ticks: `_ring[i]` is valid where `_valid[i]` is 1."""

    def __init__(self, n):
        if n < 1:
            raise ConfigError("filter: window must be at least 1")
        self._ring = array.array("i", [0] * n)
        self._valid = bytearray(n)
        self._at = 0

    def push(self, value):
        self._valid[self._at] = value is not None
        if value is not None:
            self._ring[self._at] = value
        self._at = (self._at + 1) % len(self._ring)


class Median(_Window):
    """Median of the good samples of the last n ticks; of an even number, the lower middle one."""

    def __init__(self, n):
        super().__init__(n)
        self._sorted = array.array("i", [0] * n)

    def update(self, value):
        """Does not allocate."""
        self.push(value)
        if value is None:
            return None
        count = 0
        for i in range(len(self._ring)):
            if self._valid[i]:
                self._insert(self._ring[i], count)
                count += 1
        return self._sorted[(count - 1) // 2]

    def _insert(self, value, count):
        while count and self._sorted[count - 1] > value:
            self._sorted[count] = self._sorted[count - 1]
            count -= 1
        self._sorted[count] = value


class Mean(_Window):
    """Mean of the good samples of the last n ticks, rounded half up."""

    def update(self, value):
        """Does not allocate while the sum fits a small int."""
        self.push(value)
        if value is None:
            return None
        total = count = 0
        for i in range(len(self._ring)):
            if self._valid[i]:
                total += self._ring[i]
                count += 1
        return (2 * total + count) // (2 * count)


def make_filter(kind, args):
    """A filter from a row of the plan. Raises ConfigError if the kind is unknown."""
    if kind == "median":
        return Median(*args)
    if kind == "mean":
        return Mean(*args)
    from . import recursive  # most nodes have none of these

    if kind == "ema":
        return recursive.Ema(*args)
    if kind == "slew":
        return recursive.Slew(*args)
    raise ConfigError("filter: no kind %r" % kind)
