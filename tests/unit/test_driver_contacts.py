"""Contacts and the wind vane beyond the battery."""

import unittest
from array import array

import machine
from driver_bench import Bench, read

from hedge.core.errors import ConfigError, SensorError
from hedge.drivers.anemometer import Anemometer
from hedge.drivers.flow_meter import FlowMeter
from hedge.drivers.pir import PIR
from hedge.drivers.pulse_counter import milli_hz
from hedge.drivers.rain_gauge import RainGauge
from hedge.drivers.wind_vane import WindVane
from hedgerow.emulate.chips import pulses, wind_vane


class _Contact(unittest.TestCase):
    CHIP = None

    def setUp(self):
        self.bench = Bench()
        self.out = array("i", (-7, -7))
        if self.CHIP:
            self.chip = self.CHIP(self.bench.now_ms)
            self.chip.drive = lambda level: machine.drive_pin(13, level)
            self.chip.drive(self.chip.IDLE)
            self.bench.clock.each_ms = self.chip.step
        self.pin = self.bench.board.bus("input_pin", 13)

    def tearDown(self):
        self.bench.close()


class TestRate(unittest.TestCase):
    def test_exact_and_without_overflow_on_small_intervals(self):
        for pulses_n, elapsed_ms, expected in ((0, 1000, 0), (1, 3000, 333), (225, 1000, 225000)):
            self.assertEqual(milli_hz(pulses_n, elapsed_ms), expected)
        self.assertEqual(milli_hz(1000000, 1000000), 1000000)


class TestFlowMeter(_Contact):
    CHIP = pulses.FlowMeter

    def test_volume_loses_nothing_between_reads(self):
        meter = FlowMeter(self.pin)
        self.chip.flow_l_per_s = 0.1
        for ms in (1500, 40, 2333, 10000):
            self.bench.clock.pass_ms(ms)
            read(meter, self.out)
        litres = meter.total / 450
        self.assertAlmostEqual(self.out[1], litres * 1000, delta=1)
        self.assertGreater(self.out[1], 1000)

    def test_long_intervals(self):
        meter = FlowMeter(self.pin)
        self.chip.flow_l_per_s = 0.25
        self.bench.clock.pass_ms(60000)
        read(meter, self.out)
        self.assertAlmostEqual(self.out[0], 2500, delta=2)

    def test_bad_factor(self):
        with self.assertRaises(ConfigError):
            FlowMeter(self.pin, pulses_per_l=0)


class TestRainGauge(_Contact):
    CHIP = pulses.RainGauge

    def test_each_tip_counts_once_and_is_told_once(self):
        gauge = RainGauge(self.pin)
        self.chip.fault = "bounce"
        for _ in range(3):
            self.chip.pulse()
            self.bench.clock.pass_ms(2500)
        read(gauge, self.out)
        self.assertEqual(tuple(self.out), (3 * 279, 3 * 279))
        read(gauge, self.out)
        self.assertEqual(tuple(self.out), (0, 3 * 279))


class TestAnemometer(_Contact):
    CHIP = pulses.Anemometer

    def test_a_gust_between_two_reads(self):
        wind = Anemometer(self.pin)
        for mps, ms in ((3.0, 20000), (15.0, 6000), (3.0, 20000)):
            self.chip.wind_mps = mps
            self.bench.clock.pass_ms(ms)
        read(wind, self.out)
        self.assertAlmostEqual(self.out[0], (3 * 40 + 15 * 6) / 46 * 100, delta=10)
        self.assertAlmostEqual(self.out[1], 1500, delta=80)
        read(wind, self.out)
        self.assertAlmostEqual(self.out[1], 300, delta=67)


class TestPIR(_Contact):
    CHIP = pulses.PIR

    def test_settles_first(self):
        pir = PIR(self.pin)
        self.chip.moving = True
        self.bench.clock.pass_ms(59000)
        with self.assertRaises(SensorError):
            read(pir, self.out)
        self.assertEqual(self.out[0], -7)
        self.bench.clock.pass_ms(1000)
        read(pir, self.out)
        self.assertEqual(tuple(self.out), (1, 0))

    def test_motion_that_is_over_is_still_told_once(self):
        pir = PIR(self.pin, settle_ms=0)
        self.chip.moving = True
        self.bench.clock.pass_ms(10)
        self.chip.moving = False
        self.bench.clock.pass_ms(10000)
        read(pir, self.out)
        self.assertEqual(tuple(self.out), (1, 1))
        read(pir, self.out)
        self.assertEqual(tuple(self.out), (0, 1))


class TestWindVane(_Contact):
    def setUp(self):
        _Contact.setUp(self)
        self.chip = wind_vane.WindVane(self.bench.now_ms)
        machine.attach_adc(26, self.chip)
        self.adc = self.bench.board.adc(26)

    def test_all_directions(self):
        vane = WindVane(self.adc)
        for step in range(16):
            self.chip.direction_deg = step * 22.5
            read(vane, self.out)
            self.assertAlmostEqual(self.out[0], step * 392.699, delta=1, msg=step)

    def test_mounted_with_another_side_to_the_north(self):
        vane = WindVane(self.adc, north_step=4)
        self.chip.direction_deg = 90.0
        self.assertEqual(read(vane, self.out)[0], 0)
        self.chip.direction_deg = 67.5
        self.assertAlmostEqual(read(vane, self.out)[0], 5890, delta=1)

    def test_between_two_voltages_is_no_direction(self):
        machine.attach_adc(26, 2400)
        with self.assertRaises(SensorError):
            read(WindVane(self.adc), self.out)

    def test_bad_settings(self):
        for args in ({"pull_up_ohm": 10}, {"north_step": 16}):
            with self.assertRaises(ConfigError):
                WindVane(self.adc, **args)
