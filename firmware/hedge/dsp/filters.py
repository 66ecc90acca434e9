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


class Ema:
    """Exponential moving average y += (x - y) * num / den, kept to 1/64 of a unit.

    The first sample starts it; a missing sample leaves it where it was.
    """

    def __init__(self, num, den):
        if not 0 < num <= den:
            raise ConfigError("filter: ema needs 0 < num <= den")
        self._num = num
        self._den = den
        self._y_q6 = None

    def update(self, value):
        if value is None:
            return None
        if self._y_q6 is None:
            self._y_q6 = value << 6
        self._y_q6 += ((value << 6) - self._y_q6) * self._num // self._den
        return (self._y_q6 + 32) >> 6


class Slew:
    """Spike stop: a step of more than `most` is unknown once, then believed.

    A single wild sample so becomes one missing sample; a real step comes through one tick late.
    """

    def __init__(self, most):
        if most < 1:
            raise ConfigError("filter: slew must be at least 1")
        self._most = most
        self._last = None  # last good sample
        self._doubtful = None  # the step of the tick before, not yet believed

    def update(self, value):
        """Does not allocate."""
        if value is None or self._believed(value):
            self._doubtful = None
            self._last = self._last if value is None else value
            return value
        self._doubtful = value
        return None

    def _believed(self, value):
        return (
            self._near(value, self._doubtful)
            or self._last is None
            or self._near(value, self._last)
        )

    def _near(self, value, other):
        return other is not None and -self._most <= value - other <= self._most


class Stuck:
    """Tells a sensor that repeats itself: `update` is True once n equal readings came in a row.

    values: sequence of ints, the reading of one sensor; equal means equal in every channel.
    """

    def __init__(self, n, channels):
        self._n = n
        self._last = array.array("i", [0] * channels)
        self._count = 0

    def update(self, values):
        """Does not allocate."""
        same = self._count > 0
        for i in range(len(self._last)):
            if values[i] != self._last[i]:
                same = False
                self._last[i] = values[i]
        self._count = self._count + 1 if same else 1
        return self._count >= self._n


FILTERS = {"median": Median, "mean": Mean, "ema": Ema, "slew": Slew}


def make_filter(kind, args):
    """A filter from a row of the plan. Raises ConfigError if the kind is unknown."""
    if kind not in FILTERS:
        raise ConfigError("filter: no kind %r" % kind)
    return FILTERS[kind](*args)
