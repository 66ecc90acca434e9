"""The relay never stays on for longer than allowed, whatever is asked of it."""

import unittest

import machine
from driver_bench import UPY, Bench, locked_heap

from hedge.core.errors import ConfigError
from hedge.drivers.relay import Relay
from hedgerow.emulate.chips.pump import Pump


class _Timer:
    """Records init and deinit like machine.Timer; fire() is its interrupt."""

    ONE_SHOT = 0

    def __init__(self):
        self.period = None
        self.callback = None

    def init(self, mode, period, callback):
        self.period, self.callback = period, callback

    def deinit(self):
        self.period = None

    def fire(self):
        self.callback(self)


class TestRelay(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.pump = Pump(self.bench.now_ms, litres_per_min=6)
        self.levels = []
        machine.on_pin(15, self.pump.on_level)
        machine.on_pin(15, self.levels.append)
        self.pin = self.bench.board.output_pin(15)

    def tearDown(self):
        self.bench.close()

    def _pass(self, ms):
        self.bench.clock.now_ms += ms

    def test_off_from_the_first_moment(self):
        Relay(self.pin)
        self.assertEqual(self.levels, [0])

    def test_active_low_never_clicks_at_start(self):
        relay = Relay(self.pin, active_high=False)
        self.assertEqual(self.levels, [1])
        relay.on(100)
        relay.off()
        self.assertEqual(self.levels, [1, 0, 1])

    def test_a_pin_left_on_by_who_was_before(self):
        self.pin.init(self.pin.OUT, value=1)
        Relay(self.pin)
        self.assertFalse(self.pump.is_on)

    def test_on_for_a_time(self):
        relay = Relay(self.pin)
        self.assertEqual(relay.on(30000), 30000)
        self._pass(29999)
        self.assertTrue(relay.poll())
        self.assertEqual(relay.left_ms(), 1)
        self._pass(1)
        self.assertFalse(relay.poll())
        self.assertFalse(self.pump.is_on)
        self.assertEqual(relay.total_on_ms, 30000)
        self.assertEqual(self.pump.total_on_ms(), 30000)
        self.assertAlmostEqual(self.pump.take_litres(), 3.0, delta=0.001)

    def test_limit_beats_the_request(self):
        relay = Relay(self.pin, max_on_ms=5000)
        self.assertEqual(relay.on(60000), 5000)
        self.assertEqual(relay.on(), 5000)
        self._pass(5000)
        relay.poll()
        self.assertFalse(self.pump.is_on)
        self.assertEqual(relay.cut_short, 1)

    def test_a_renewed_command_counts_anew_and_time_adds_up(self):
        relay = Relay(self.pin)
        relay.on(1000)
        self._pass(900)
        relay.on(1000)
        self._pass(900)
        self.assertTrue(relay.poll())
        relay.off()
        self.assertEqual(relay.total_on_ms, 1800)
        self.assertEqual(self.pump.starts, 1)

    def test_zero_or_less_is_off(self):
        relay = Relay(self.pin)
        relay.on(1000)
        self.assertEqual(relay.on(0), 0)
        self.assertFalse(self.pump.is_on)
        self.assertEqual(relay.on(-5), 0)
        self.assertEqual(relay.left_ms(), 0)

    def test_off_twice_is_harmless(self):
        relay = Relay(self.pin)
        relay.off()
        relay.off()
        self.assertEqual(relay.total_on_ms, 0)

    def test_timer_switches_off_when_nobody_polls(self):
        timer = _Timer()
        relay = Relay(self.pin, max_on_ms=5000, timer=timer)
        relay.on(60000)
        self.assertEqual(timer.period, 5000)
        self._pass(5000)
        timer.fire()
        self.assertFalse(self.pump.is_on)
        self.assertFalse(relay.is_on)
        self.assertEqual(relay.cut_short, 1)

    def test_off_stops_the_timer(self):
        timer = _Timer()
        relay = Relay(self.pin, timer=timer)
        relay.on(1000)
        relay.off()
        self.assertIsNone(timer.period)

    def test_no_limit_is_no_relay(self):
        with self.assertRaises(ConfigError):
            Relay(self.pin, max_on_ms=0)


class TestPump(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.told = []
        self.pump = Pump(self.bench.now_ms, litres_per_min=60, on_litres=self.told.append)

    def tearDown(self):
        self.bench.close()

    def test_water_is_told_at_the_end_or_taken_before(self):
        self.pump.on_level(1)
        self.bench.clock.now_ms += 2000
        self.assertAlmostEqual(self.pump.take_litres(), 2.0, delta=0.001)
        self.bench.clock.now_ms += 500
        self.pump.on_level(None)
        self.assertEqual(len(self.told), 1)
        self.assertAlmostEqual(self.told[0], 0.5, delta=0.001)
        self.assertEqual(self.pump.longest_ms, 2500)

    def test_faults(self):
        self.pump.fault = "dead"
        self.pump.on_level(1)
        self.assertFalse(self.pump.is_on)
        self.pump.fault = "dry"
        self.pump.on_level(1)
        self.bench.clock.now_ms += 1000
        self.assertEqual(self.pump.total_litres(), 0)
        self.pump.fault = "welded"
        self.pump.on_level(0)
        self.assertTrue(self.pump.is_on)


class _Pin:
    OUT = 1

    def __init__(self):
        self.level = None

    def init(self, mode, value):
        self.level = value

    def value(self, level):
        self.level = level


@unittest.skipIf(not UPY, "needs the MicroPython heap lock")
class TestAllocation(unittest.TestCase):
    def test_commands_do_not_allocate(self):
        bench = Bench()
        relay = Relay(_Pin())
        with locked_heap():
            relay.on(1000)
            relay.poll()
            relay.off()
        bench.close()
        self.assertFalse(relay.is_on)
