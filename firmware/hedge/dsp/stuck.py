"""A sensor that always says the same has failed."""

import array


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
