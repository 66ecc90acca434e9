"""HX711 and HC-SR04 beyond the battery."""

import unittest
from array import array

from driver_bench import Bench, read

from hedge.core.errors import ConfigError, SensorError
from hedge.drivers.hcsr04 import HCSR04
from hedge.drivers.hx711 import HX711
from hedgerow.emulate.chips import hcsr04, hx711


class _Slow:
    """ticks_us of a board that an interrupt stopped during some pulses."""

    def __init__(self):
        self.now_us = 0
        self.pulse_us = []  # of the next pulses, then 2

    def __call__(self):
        self.now_us += self.pulse_us.pop(0) if self.pulse_us else 1
        return self.now_us


class TestHX711(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.out = array("i", (-7,))
        self.chip = hx711.HX711(self.bench.now_ms, offset=83000)
        self.chip.attach(9, 10)
        self.pins = self.bench.board.bus("pins", (9, 10))
        self.ticks = _Slow()

    def tearDown(self):
        self.bench.close()

    def _scale(self, **args):
        return HX711(self.pins, ticks_us=self.ticks, **args)

    def test_tare(self):
        scale = self._scale()
        read(scale, self.out)
        scale.tare()
        self.assertEqual(scale.offset, 83000)
        for kg, g in ((0.0, 0), (1.5, 1500), (-0.25, -250)):
            self.chip.mass_kg = kg
            self.assertAlmostEqual(read(scale, self.out)[0], g, delta=1)

    def test_gain_64(self):
        self.chip.mass_kg = 2.0
        scale = self._scale(gain=64, counts_per_kg=105000, offset=41500)
        read(scale, self.out)  # the first one is still of gain 128, and thrown away as old
        self.assertAlmostEqual(read(scale, self.out)[0], 2000, delta=1)

    def test_a_sample_with_a_long_pulse_is_not_used(self):
        scale = self._scale(offset=83000)
        read(scale, self.out)
        self.chip.mass_kg = 1.0
        began_ms = self.bench.now_ms()
        self.ticks.pulse_us = [1] * 9 + [80]
        self.assertAlmostEqual(read(scale, self.out)[0], 1000, delta=1)
        self.assertGreater(self.bench.now_ms() - began_ms, 150)

    def test_a_read_takes_a_fresh_sample(self):
        scale = self._scale(offset=83000)
        read(scale, self.out)
        self.bench.clock.now_ms += 60000
        self.chip.dout()
        self.chip.mass_kg = 4.0
        self.assertAlmostEqual(read(scale, self.out)[0], 4000, delta=1)

    def test_bad_settings(self):
        for args in ({"counts_per_kg": 0}, {"gain": 32}):
            with self.assertRaises(ConfigError):
                self._scale(**args)


class _Echo:
    def __init__(self, us):
        self.us = us

    def pulse_us(self, timeout_us):
        return self.us


class TestHCSR04(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.out = array("i", (-7,))

    def tearDown(self):
        self.bench.close()

    def test_the_data_sheets_formula(self):
        # us / 58 = cm is meant for 340 m/s, which is air at 14 degC.
        sonar = HCSR04(_Echo(5800))
        sonar.set_temp(1436)
        self.assertAlmostEqual(read(sonar, self.out)[0], 1000, delta=15)

    def test_temperature(self):
        chip = hcsr04.HCSR04(self.bench.now_ms)
        chip.attach(18, 19)
        sonar = HCSR04(self.bench.board.bus("echo", (18, 19)))
        chip.distance_m = 3.0
        for temp_c in (-20.0, 0.0, 40.0):
            chip.temp_c = temp_c
            sonar.set_temp(int(temp_c * 100))
            self.assertAlmostEqual(read(sonar, self.out)[0], 3000, delta=8)

    def test_nothing_there_is_no_distance(self):
        for us in (38000, -1):
            with self.assertRaises(SensorError):
                read(HCSR04(_Echo(us)), self.out)
        with self.assertRaises(OSError):
            read(HCSR04(_Echo(-2)), self.out)
        self.assertEqual(self.out[0], -7)

    def test_poll_waits_for_the_old_echo(self):
        sonar = HCSR04(_Echo(5800))
        read(sonar, self.out)
        self.assertFalse(sonar.poll(self.out))
        self.assertEqual(sonar.start(), 61)
