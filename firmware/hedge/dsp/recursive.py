"""Filters that remember a value instead of a window; see filters.py."""

from ..core.errors import ConfigError


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
