"""Simulated real-time clock: device time plus an offset that resets and deep sleep keep."""

from . import power


def _days(year, month, day):
    """Days from 1970-01-01 in the Gregorian calendar (years count from March)."""
    year -= month <= 2
    era_day = 365 * year + year // 4 - year // 100 + year // 400
    return era_day + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719468


def _civil(days):
    """(year, month, day) of a day number."""
    year = 1970 + days // 366
    while _days(year + 1, 1, 1) <= days:
        year += 1
    month = 12
    while _days(year, month, 1) > days:
        month -= 1
    return year, month, days - _days(year, month, 1) + 1


class RTC:
    """machine.RTC(): datetime() and, as on ESP32, memory()."""

    def __init__(self, id=0):
        if id != 0:
            raise ValueError("RTC(%r) doesn't exist" % (id,))

    def datetime(self, value=None):
        """Get or set (year, month, day, weekday, hour, minute, second, microsecond); Monday is
        0."""
        if value is None:
            return self._get(power.epoch_ms() + power.offset_ms)
        year, month, day, _, hour, minute, second, us = value
        seconds = ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
        power.set_offset_ms(seconds * 1000 + us // 1000 - power.epoch_ms())
        return None

    def _get(self, ms):
        seconds = ms // 1000
        days = seconds // 86400
        year, month, day = _civil(days)
        hour, minute = seconds // 3600 % 24, seconds // 60 % 60
        return year, month, day, (days + 3) % 7, hour, minute, seconds % 60, ms % 1000 * 1000

    def init(self, value):
        self.datetime(value)

    def memory(self, data=None):
        """Bytes kept through deep sleep and resets, lost at a power cut; at most 2048."""
        if data is None:
            return power.memory
        power.set_memory(data)
        return None
