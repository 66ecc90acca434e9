"""A recording as the world of a node: each channel shows the value of its row, or nothing.

    world = Recording({"times": [...], "hold_s": 86400, "columns": {"soil.vwc": [15.6, None]}})
    world.advance(now_s)
    world.value("soil.vwc")     # float, or None in a gap

A row's values hold from its time until the next row, at most hold_s: a missing row is a gap, like
an empty cell. sim/recording.py makes the dict from a CSV file. Runs under CPython and MicroPython.
"""


class Recording:
    """data: times (sorted, s since 1970), hold_s, columns {channel: [float or None, per row]}."""

    def __init__(self, data):
        self._times = data["times"]
        self._hold_s = data["hold_s"]
        self._columns = data["columns"]
        self._row = -1
        self._valid = False

    def advance(self, now_s):
        """Go to now_s, which must not be earlier than before."""
        times = self._times
        while self._row + 1 < len(times) and times[self._row + 1] <= now_s:
            self._row += 1
        self._valid = self._row >= 0 and now_s < times[self._row] + self._hold_s

    def has(self, channel):
        """True if the recording has a column for this channel."""
        return channel in self._columns

    def value(self, channel):
        """The value in the channel's unit, None in a gap or without a column."""
        column = self._columns.get(channel)
        return column[self._row] if column is not None and self._valid else None
