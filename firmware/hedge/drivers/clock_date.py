"""Dates of clock chips: BCD registers to days since 2000-01-01, which is day 0, and back.

Two-digit years with a leap day every fourth year, as the chips count: right from 2000 to 2099.
"""

from ..core.errors import SensorError

LAST_DAY = 36524  # 2099-12-31
_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def from_bcd(value, lowest, highest, name):
    """Number of two BCD digits; SensorError if it is none or out of range. Does not allocate."""
    number = (value >> 4) * 10 + (value & 15)
    if value & 15 > 9 or not lowest <= number <= highest:
        raise SensorError("%s: 0x%02x in a time register" % (name, value))
    return number


def to_bcd(number):
    return number // 10 << 4 | number % 10


def day_of(year, month, date):
    """Days since 2000-01-01. year: 0 to 99. Does not allocate."""
    leap = 1 if year % 4 == 0 and month > 2 else 0
    return year * 365 + (year + 3) // 4 + _BEFORE_MONTH[month - 1] + leap + date - 1


def date_of(day):
    """(year 0 to 99, month, date) of a day. ValueError if it is outside 2000 to 2099."""
    if not 0 <= day <= LAST_DAY:
        raise ValueError("day %d: 0 to %d" % (day, LAST_DAY))
    year = day * 4 // 1461
    month = 12
    while day_of(year, month, 1) > day:
        month -= 1
    return year, month, day - day_of(year, month, 1) + 1


def put_time(buf, day, second):
    """seconds, minutes, hours, (free), date, month, year into buf[0:3] and buf[4:7], in BCD.

    ValueError if day or second of the day is out of range.
    """
    year, month, date = date_of(day)
    if not 0 <= second <= 86399:
        raise ValueError("second %d: 0 to 86399" % second)
    buf[0] = to_bcd(second % 60)
    buf[1] = to_bcd(second // 60 % 60)
    buf[2] = to_bcd(second // 3600)
    buf[4], buf[5], buf[6] = to_bcd(date), to_bcd(month), to_bcd(year)
