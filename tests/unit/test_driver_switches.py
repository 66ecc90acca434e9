"""Servo, buzzer and WS2812 as a node file uses them: on for a time, then off, whatever hangs."""

import unittest

import machine
from driver_bench import UPY, Bench, locked_heap
from driver_rows import driver_module

from hedge.core.errors import ConfigError
from hedge.drivers.buzzer import BuzzerSwitch
from hedge.drivers.servo import ServoSwitch
from hedge.drivers.ws2812 import WS2812Switch
from hedgerow.emulate.chips import servo as servo_chip
from hedgerow.emulate.chips import ws2812 as ws2812_chip


class _Timer:
    """A hardware timer that goes off by hand."""

    ONE_SHOT = 0

    def init(self, mode, period, callback):
        self.period, self.callback = period, callback

    def deinit(self):
        self.callback = None


class _OnBench(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.timer = _Timer()

    def tearDown(self):
        self.bench.close()

    def _ends_by_itself(self, switch, is_on):
        """is_on(): what moves or shines says so."""
        self.assertFalse(is_on())
        for limit in (self._by_poll, self._by_timer):
            self.assertEqual(switch.on(5000), 3000)  # max_on_ms
            self.assertTrue(is_on())
            limit(switch)
            self.assertFalse(is_on())
            self.assertFalse(switch.is_on)
        switch.on(1000)
        switch.off()
        self.assertFalse(is_on())

    def _by_poll(self, switch):
        self.bench.clock.pass_ms(2999)
        self.assertTrue(switch.poll())
        self.bench.clock.pass_ms(1)
        self.assertFalse(switch.poll())

    def _by_timer(self, switch):
        self.assertEqual(self.timer.period, 3000)
        self.timer.callback(self.timer)


class TestServoSwitch(_OnBench):
    def setUp(self):
        _OnBench.setUp(self)
        self.chip = servo_chip.Servo(self.bench.now_ms, lambda: machine.pwm_on(8))
        self.flap = ServoSwitch(
            self.bench.board.bus("pwm", 8), 120, 30, 3000, self.timer, hold_ms=500
        )

    def _is_open(self):
        self.chip.angle_deg()
        self.bench.clock.pass_ms(400)
        degrees = self.chip.angle_deg()
        self.assertTrue(abs(degrees - 30) < 1 or abs(degrees - 120) < 1, degrees)
        return degrees > 75

    def test_it_closes_by_poll_and_by_timer(self):
        self.assertFalse(self._is_open())
        for seconds in (1, 2):
            self.flap.on(seconds * 1000)
            self.assertTrue(self._is_open())
            self.bench.clock.pass_ms(seconds * 1000)
            self.assertFalse(self.flap.poll())
            self.assertFalse(self._is_open())
        self.flap.on(5000)
        self.assertTrue(self._is_open())
        self._by_timer(self.flap)
        self.assertFalse(self._is_open())

    def test_pulses_stop_at_rest_by_poll(self):
        self._is_open()
        self.bench.clock.pass_ms(500)
        self.flap.poll()
        self.assertEqual(self.chip.pulse_us(), 0)

    def test_pulses_stop_at_rest_by_timer_and_not_while_on(self):
        for rest in (lambda: None, self.flap.off):
            rest()
            self.assertGreater(self.chip.pulse_us(), 0)
            self.assertEqual(self.timer.period, 500)
            self.timer.callback(self.timer)
            self.assertEqual(self.chip.pulse_us(), 0)
        late = self.timer.callback
        self.flap.on(1000)
        late(self.timer)
        self.assertGreater(self.chip.pulse_us(), 0)


class TestBuzzerSwitch(_OnBench):
    def test_it_sounds_while_on(self):
        switch = BuzzerSwitch(self.bench.board.bus("pwm", 8), 880, 3000, 60000, self.timer)
        pwm = machine.pwm_on(8)
        self._ends_by_itself(switch, lambda: pwm.duty_u16() > 0)
        self.assertEqual(pwm.freq(), 880)

    def test_no_tone_beyond_hearing(self):
        for freq_hz in (49, 20001):
            with self.assertRaises(ConfigError):
                BuzzerSwitch(self.bench.board.bus("pwm", 8), freq_hz)


class TestWS2812Switch(_OnBench):
    def test_it_shines_while_on(self):
        chip = ws2812_chip.WS2812(3)
        machine.attach_bitstream(7, chip)
        writer = self.bench.board.bus("ws2812", 7)
        switch = WS2812Switch(writer, 10, 20, 30, 3000, self.timer, count=3)
        self._ends_by_itself(switch, lambda: chip.colours == [(10, 20, 30)] * 3)
        self.assertEqual(chip.colours, [(0, 0, 0)] * 3)


class TestEverySwitch(_OnBench):
    def test_it_takes_its_parameters_and_its_drivers(self):
        for name, bus in (("servo", "pwm"), ("buzzer", "pwm"), ("ws2812", "ws2812")):
            module = driver_module(name)
            params = dict(module.DRIVER["params"])
            params.update(module.DRIVER["switch"]["params"])
            args = {key: params[key][1] for key in params}
            switch = getattr(module, module.DRIVER["switch"]["class"])(
                self.bench.board.bus(bus, 8), timer=self.timer, **args
            )
            self.assertEqual(switch.on(None), min(args["max_on_ms"], args.get("max_ms", 600000)))

    @unittest.skipIf(not UPY, "needs the MicroPython heap lock")
    def test_a_poll_does_not_allocate(self):
        flap = ServoSwitch(self.bench.board.bus("pwm", 8))
        flap.on(1000)
        with locked_heap():
            flap.poll()
