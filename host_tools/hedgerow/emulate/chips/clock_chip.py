"""What simulated clock chips share: counters that run with device time, kept by a backup battery.

    chip.day, chip.second = 9459, 43200  # days since 2000-01-01; runs on from there
    chip.backup = False  # no battery: the supply's return finds a clock that has lost its time

The calendar is counted year by year and month by month, unlike the drivers' formula.
"""

from .i2c_chip import RegisterChip

_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _month_days(year, month):
    return 29 if month == 2 and year % 4 == 0 else _MONTH_DAYS[month - 1]


def date_of(day):
    """(year 0 to 99, month, date) of a day since 2000-01-01."""
    year, month, date = 0, 1, day + 1
    while date > _month_days(year, month):
        date -= _month_days(year, month)
        month += 1
        if month > 12:
            month, year = 1, (year + 1) % 100
    return year, month, date


def day_of(year, month, date):
    days = date - 1
    for y in range(year):
        days += sum(_month_days(y, m) for m in range(1, 13))
    return days + sum(_month_days(year, m) for m in range(1, month))


def bcd(number):
    return int("%d" % number, 16)


def number(value):
    return int("%x" % value)


class ClockChip(RegisterChip):
    """`lost` is the flag that time is not to be trusted; `halted` stops the counters."""

    backup = True
    lost = False
    halted = False
    _base_ms = None
    _base_s = 0
    _written = None

    def power_on(self):
        RegisterChip.power_on(self)
        if self._base_ms is None:
            self._set_total(0)
        elif not self.backup:
            self.lost = True
            self._set_total(0)

    def _total(self):
        if self.halted:
            return self._base_s
        return self._base_s + int((self._now_ms() - self._base_ms) // 1000)

    def _set_total(self, seconds):
        self._base_s = seconds
        self._base_ms = self._now_ms()

    def halt(self, halted):
        self._set_total(self._total())
        self.halted = halted

    @property
    def day(self):
        return self._total() // 86400 % 36525

    @day.setter
    def day(self, value):
        self._set_total(value * 86400 + self.second)

    @property
    def second(self):
        return self._total() % 86400

    @second.setter
    def second(self, value):
        self._set_total(self.day * 86400 + value)

    def fields(self):
        """second, minute, hour, date, month, year"""
        year, month, date = date_of(self.day)
        second = self.second
        return [second % 60, second // 60 % 60, second // 3600, date, month, year]

    def set_field(self, i, value):
        """Write of one counter; all of a transfer count together, and the second begins anew."""
        if self._written is None:
            self._written = self.fields()
        self._written[i] = value

    def stop(self):
        if self._written is not None:
            second, minute, hour, date, month, year = self._written
            self._written = None
            self._set_total(day_of(year, month, date) * 86400 + hour * 3600 + minute * 60 + second)
