"""How long to wait before the next attempt: doubling, with jitter, within limits."""

import random


def _random16():
    return random.getrandbits(16)


class Backoff:
    """Waits of min_ms, 2 * min_ms ... max_ms, each shortened at random by up to half.

    The jitter keeps a field of nodes from all knocking at once after a power cut.
    random16: returns an int in 0..65535; tests pass their own.
    """

    def __init__(self, min_ms, max_ms, random16=_random16):
        self._min_ms = min_ms
        self._max_ms = max_ms
        self._random16 = random16
        self._base_ms = min_ms

    def reset(self):
        """The peer proved healthy: begin again at min_ms."""
        self._base_ms = self._min_ms

    def next_ms(self):
        """The wait before the next attempt, in base/2..base; the base doubles."""
        half_ms = self._base_ms // 2
        self._base_ms = min(self._base_ms * 2, self._max_ms)
        return half_ms + (half_ms * self._random16() >> 16)
