"""What is worth keeping of a channel: changes beyond a deadband, and summaries per window.

From -> to (DESIGN.md): rule -> store. Both take ints in the channel's scale; a missing sample
(None) is never reported here, the node records the sensor's health instead.
"""


class Deadband:
    """Report on change.

    delta: least change since the last report, 0 = any change, -1 = never for a change.
    max_s: report at least this often while samples come, 0 = no such limit.
    """

    def __init__(self, delta, max_s=0):
        self._delta = delta
        self._max_s = max_s
        self._last = None
        self._last_s = 0

    def due(self, value, now_s):
        """True if value is to be recorded now; the caller then does so. Does not allocate."""
        if value is None or not self._wanted(value, now_s):
            return False
        self._last = value
        self._last_s = now_s
        return True

    def _wanted(self, value, now_s):
        if self._delta < 0 and not self._max_s:
            return False
        if self._last is None:
            return True
        if self._max_s and now_s - self._last_s >= self._max_s:
            return True
        change = value - self._last
        return change != 0 and self._delta >= 0 and abs(change) >= self._delta


class Summary:
    """Minimum, mean and maximum over windows of window_s, aligned to multiples of window_s.

        done = summary.add(2310, now_s)
        if done:  # a window has just closed
            low, mean, high, count, end_s = done

    A clock that jumps, to either side, closes the window it left. A window without a sample is
    not reported.
    """

    def __init__(self, window_s):
        self._window_s = window_s
        self._window = None
        self._count = self._sum = self._min = self._max = self._last_s = 0

    def add(self, value, now_s):
        """Add one sample (None: only time passes).

        Returns (min, mean, max, count, end_s) of the window that this closes, if it had samples,
        else None; end_s is the time of its last sample.
        """
        window = now_s // self._window_s
        closed = None
        if window != self._window:
            closed = self._close() if self._count else None
            self._window = window
        if value is not None:
            self._add(value, now_s)
        return closed

    def _add(self, value, now_s):
        if not self._count:
            self._min = self._max = value
        self._count += 1
        self._sum += value
        self._min = min(self._min, value)
        self._max = max(self._max, value)
        self._last_s = now_s

    def _close(self):
        count = self._count
        mean = (2 * self._sum + count) // (2 * count)
        self._count = self._sum = 0
        return self._min, mean, self._max, count, self._last_s
