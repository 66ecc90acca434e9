"""Clock chips: setting the time, running on, lost time, calendar. Dates from a calendar."""

import unittest
from array import array

import machine
from driver_bench import Bench, read

from hedge.core.errors import SensorError
from hedge.drivers import clock_date, ds3231, pcf8563
from hedgerow.emulate.chips import ds3231 as ds3231_chip
from hedgerow.emulate.chips import pcf8563 as pcf8563_chip

_UNTOUCHED = -5

# (year since 2000, month, date, days since 2000-01-01). 2025-01-01 is Unix time 1735689600,
# 2000-01-01 is 946684800: 9132 days apart.
_DATES = (
    (0, 1, 1, 0),
    (0, 2, 29, 59),
    (0, 3, 1, 60),
    (0, 12, 31, 365),
    (1, 1, 1, 366),
    (24, 2, 29, 8825),
    (25, 1, 1, 9132),
    (99, 12, 31, 36524),
)


class TestCalendar(unittest.TestCase):
    def test_days_of_known_dates(self):
        for year, month, date, day in _DATES:
            self.assertEqual(clock_date.day_of(year, month, date), day)
            self.assertEqual(clock_date.date_of(day), (year, month, date))

    def test_every_day_comes_back(self):
        for day in range(0, clock_date.LAST_DAY + 1, 7):
            self.assertEqual(clock_date.day_of(*clock_date.date_of(day)), day)

    def test_outside_of_the_century(self):
        for day in (-1, 36525):
            with self.assertRaises(ValueError):
                clock_date.date_of(day)


class _Clock(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.chip = self.CHIP(self.bench.now_ms)
        machine.attach_i2c(0, self.ADDR, self.chip)
        self.clock = self.DRIVER(self.bench.board.i2c("i2c0"))
        self.out = array("i", (_UNTOUCHED,) * 3)

    def tearDown(self):
        self.bench.close()

    def _time(self):
        read(self.clock, self.out)
        return self.out[0], self.out[1]

    def _runs_on_over_midnight(self):
        self.clock.set_time(59, 86398)  # 2000-02-29
        self.bench.clock.now_ms += 5000
        self.assertEqual(self._time(), (60, 3))

    def _lost_until_set(self):
        self.clock.set_time(9132, 7)
        self.chip.backup = False
        self.chip.present = False
        self.chip.present = True
        for _ in range(2):
            with self.assertRaises(SensorError):
                self._time()
        self.assertEqual(self.out[0], _UNTOUCHED)
        self.clock.set_time(9132, 70)
        self.assertEqual(self._time(), (9132, 70))

    def _keeps_time_on_battery(self):
        self.clock.set_time(9132, 0)
        self.chip.present = False
        self.bench.clock.now_ms += 3600000
        self.chip.present = True
        self.assertEqual(self._time(), (9132, 3600))

    def _bad_times_are_refused(self):
        self.clock.set_time(10, 20)
        for day, second in ((-1, 0), (36525, 0), (0, -1), (0, 86400)):
            with self.assertRaises(ValueError):
                self.clock.set_time(day, second)
        self.assertEqual(self._time(), (10, 20))


class TestDS3231(_Clock):
    CHIP, DRIVER, ADDR = ds3231_chip.DS3231, ds3231.DS3231, 0x68

    def test_runs_on_over_midnight(self):
        self._runs_on_over_midnight()

    def test_lost_until_set(self):
        self._lost_until_set()

    def test_keeps_time_on_battery(self):
        self._keeps_time_on_battery()

    def test_bad_times_are_refused(self):
        self._bad_times_are_refused()

    def test_every_hour_in_either_format(self):
        for twelve_hours in (False, True):
            self.chip.twelve_hours = twelve_hours
            for hour in range(24):
                self.chip.day, self.chip.second = 9132, hour * 3600
                self.assertEqual(self._time(), (9132, hour * 3600))

    def test_the_weekday_is_iso(self):
        i2c = self.bench.board.i2c("i2c0")
        for day, weekday in ((0, 6), (1, 7), (2, 1), (9132, 3)):  # 2025-01-01 was a Wednesday
            self.clock.set_time(day, 0)
            self.assertEqual(i2c.readfrom_mem(0x68, 3, 1)[0], weekday)

    def test_a_register_that_is_no_bcd(self):
        for reg, value in ((0, 0x5A), (1, 0x60), (2, 0x24), (4, 0x32), (5, 0x13), (6, 0xA0)):
            data = bytearray(b"\0\0\0\1\1\1\0\0\0\0\0\0\0\0\x1c\x08\0\0\0")
            data[reg] = value
            with self.assertRaises(SensorError):
                self.clock.decode_into(data, self.out)
            self.assertEqual(self.out[0], _UNTOUCHED)


class TestPCF8563(_Clock):
    CHIP, DRIVER, ADDR = pcf8563_chip.PCF8563, pcf8563.PCF8563, 0x51

    def test_runs_on_over_midnight(self):
        self._runs_on_over_midnight()

    def test_lost_until_set(self):
        self._lost_until_set()

    def test_keeps_time_on_battery(self):
        self._keeps_time_on_battery()

    def test_bad_times_are_refused(self):
        self._bad_times_are_refused()

    def test_the_weekday_is_as_in_the_datasheet(self):
        i2c = self.bench.board.i2c("i2c0")
        for day, weekday in ((0, 6), (1, 0), (2, 1), (9132, 3)):  # DS table 14: Sunday is 0
            self.clock.set_time(day, 0)
            self.assertEqual(i2c.readfrom_mem(0x51, 6, 1)[0] & 7, weekday)

    def test_stopped_by_another_program(self):
        self.clock.set_time(9132, 100)
        i2c = self.bench.board.i2c("i2c0")
        i2c.writeto_mem(0x51, 0, b"\x20")
        self.bench.clock.now_ms += 60000
        with self.assertRaises(SensorError):
            self._time()
        self.clock.set_time(9132, 160)
        self.bench.clock.now_ms += 2000
        self.assertEqual(self._time(), (9132, 162))
