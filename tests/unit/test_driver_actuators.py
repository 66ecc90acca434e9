"""Servo, buzzer, stepper, valve, guarded pump and WS2812 against what they move."""

import unittest

import machine
from driver_bench import UPY, Bench, locked_heap

from hedge.core.errors import ConfigError
from hedge.drivers.buzzer import Buzzer
from hedge.drivers.pump import Pump
from hedge.drivers.servo import Servo
from hedge.drivers.stepper import Stepper
from hedge.drivers.valve import Valve
from hedge.drivers.ws2812 import WS2812
from hedgerow.emulate.chips import pulses
from hedgerow.emulate.chips import pump as pump_chip
from hedgerow.emulate.chips import servo as servo_chip
from hedgerow.emulate.chips import stepper as stepper_chip
from hedgerow.emulate.chips import valve as valve_chip
from hedgerow.emulate.chips import ws2812 as ws2812_chip


class _OnBench(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()

    def tearDown(self):
        self.bench.close()

    def _pass(self, ms):
        self.bench.clock.pass_ms(ms)


class TestServo(_OnBench):
    def setUp(self):
        _OnBench.setUp(self)
        self.servo = Servo(self.bench.board.bus("pwm", 8))
        self.chip = servo_chip.Servo(self.bench.now_ms, lambda: machine.pwm_on(8))

    def _goes_to(self, deg):
        self.chip.angle_deg()
        self.servo.move_to(deg)
        self._pass(400)
        return self.chip.angle_deg()

    def test_no_pulses_at_first(self):
        self.assertEqual(self.chip.pulse_us(), 0)

    def test_both_ends_and_between(self):
        for deg in (0, 180, 90, 45):
            self.assertAlmostEqual(self._goes_to(deg), deg, delta=0.6)

    def test_beyond_the_ends_is_the_end(self):
        self.assertEqual(self.servo.move_to(-20), 500)
        self.assertEqual(self.servo.move_to(300), 2400)

    def test_pulses_stop_after_the_hold_time(self):
        self._goes_to(180)
        self.assertTrue(self.servo.poll())
        self._pass(600)
        self.assertFalse(self.servo.poll())
        self.assertEqual(self.chip.pulse_us(), 0)
        self.assertAlmostEqual(self.chip.angle_deg(), 180, delta=0.6)

    def test_it_takes_its_time(self):
        self._goes_to(0)
        self.servo.move_to(180)
        self._pass(100)
        self.assertAlmostEqual(self.chip.angle_deg(), 60, delta=1)

    def test_bad_pulses(self):
        with self.assertRaises(ConfigError):
            Servo(self.bench.board.bus("pwm", 8), min_us=2000, max_us=1000)


class TestBuzzer(_OnBench):
    def _heard_hz(self):
        pwm = machine.pwm_on(8)
        return pwm.freq() if pwm.duty_u16() else 0

    def test_a_beep_ends_by_itself(self):
        buzzer = Buzzer(self.bench.board.bus("pwm", 8))
        self.assertEqual(self._heard_hz(), 0)
        self.assertEqual(buzzer.beep(3000, 150), 150)
        self.assertEqual(self._heard_hz(), 3000)
        self._pass(149)
        self.assertTrue(buzzer.poll())
        self._pass(1)
        self.assertFalse(buzzer.poll())
        self.assertEqual(self._heard_hz(), 0)

    def test_the_limit_beats_the_request(self):
        buzzer = Buzzer(self.bench.board.bus("pwm", 8), max_ms=500)
        self.assertEqual(buzzer.beep(3000, 60000), 500)
        self.assertEqual(buzzer.beep(3000, 0), 0)
        self.assertEqual(self._heard_hz(), 0)

    def test_bad_numbers(self):
        with self.assertRaises(ConfigError):
            Buzzer(self.bench.board.bus("pwm", 8), max_ms=0)
        with self.assertRaises(ConfigError):
            Buzzer(self.bench.board.bus("pwm", 8)).beep(10)


class TestStepper(_OnBench):
    def setUp(self):
        _OnBench.setUp(self)
        self.chip = stepper_chip.Stepper(self.bench.now_ms)
        self.chip.attach(9, 10, 11, 12)
        self.motor = Stepper(self.bench.board.bus("pins", (9, 10, 11, 12)))

    def _run(self, steps):
        self.motor.move(steps)
        while self.motor.poll():
            self._pass(1)
            self.assertEqual(self.chip.position, self.motor.position)

    def test_the_rotor_follows_both_ways_without_losing_a_step(self):
        for steps, position in ((4096, 4096), (-100, 3996), (3, 3999), (-4096, -97)):
            self._run(steps)
            self.assertEqual(self.motor.position, position)
            self.assertEqual(self.chip.position, position)
        self.assertEqual(self.chip.lost, 0)

    def test_coils_are_off_at_rest(self):
        self._run(10)
        on_ms = self.chip.on_ms()
        self._pass(10000)
        self.assertEqual(self.chip.on_ms(), on_ms)
        self.assertLess(on_ms, 40)

    def test_a_busy_program_is_slower_but_loses_nothing(self):
        self.motor.move(20)
        while self.motor.poll():
            self._pass(70)
        self.assertEqual(self.chip.position, 20)

    def test_stop(self):
        self.motor.move(1000)
        for _ in range(100):
            self.motor.poll()
            self._pass(1)
        self.motor.stop()
        self.assertFalse(self.motor.poll())
        self.assertEqual(self.chip.position, self.motor.position)

    def test_too_fast(self):
        with self.assertRaises(ConfigError):
            Stepper(self.bench.board.bus("pins", (9, 10, 11, 12)), step_ms=1)


class TestValve(_OnBench):
    def setUp(self):
        _OnBench.setUp(self)
        self.chip = valve_chip.Valve(self.bench.now_ms, is_open=True)
        self.chip.attach(18, 19)

    def _valve(self, **args):
        pins = self.bench.board.bus("pins", (18, 19))
        return Valve(pins, sleep_ms=self._pass, **args)

    def test_closed_at_the_start_whatever_it_was(self):
        self._valve()
        self.assertFalse(self.chip.is_open)

    def test_open_for_a_time_with_two_short_pulses(self):
        valve = self._valve()
        self.assertEqual(valve.on(30000), 30000)
        self.assertTrue(self.chip.is_open)
        self._pass(29900)
        self.assertTrue(valve.poll())
        self._pass(100)
        self.assertFalse(valve.poll())
        self.assertFalse(self.chip.is_open)
        self.assertEqual(self.chip.longest_ms, 60)
        self.assertEqual(self.chip.pulses, 3)
        self.assertEqual(self.chip.shorted, 0)

    def test_the_limit_beats_the_request(self):
        self.assertEqual(self._valve(max_on_ms=5000).on(60000), 5000)

    def test_the_coil_is_off_even_if_the_pulse_is_interrupted(self):
        valve = self._valve()
        valve._pin._sleep_ms = self._broken
        with self.assertRaises(KeyboardInterrupt):
            valve.on(1000)
        self.assertEqual(machine.Pin(18).value(), 0)

    def _broken(self, ms):
        raise KeyboardInterrupt

    def test_bad_pulse(self):
        with self.assertRaises(ConfigError):
            self._valve(pulse_ms=5000)


class TestPump(_OnBench):
    """The pump's water turns the meter: 0.2 l/s are 90 pulses a second."""

    def setUp(self):
        _OnBench.setUp(self)
        self.chip = pump_chip.Pump(self.bench.now_ms, litres_per_min=12)
        machine.on_pin(15, self.chip.on_level)
        self.meter = pulses.FlowMeter(self.bench.now_ms)
        self.meter.drive = lambda level: machine.drive_pin(13, level)
        self.meter.drive(1)
        self.bench.clock.each_ms = self._each_ms
        self.pump = Pump(self.bench.board.bus("pins", (15, 13)))

    def _each_ms(self):
        wet = self.chip.is_on and self.chip.fault != "dry"
        self.meter.flow_l_per_s = 0.2 if wet else 0.0
        self.meter.step()

    def _runs(self, seconds):
        """Whether it is on after that time, polled once a second."""
        for _ in range(seconds):
            self._pass(1000)
            self.pump.poll()
        return self.chip.is_on

    def test_with_water_it_runs_as_long_as_it_was_told(self):
        self.assertEqual(self.pump.on(60000), 60000)
        self.assertTrue(self._runs(59))
        self.assertFalse(self._runs(1))
        self.assertEqual(self.pump.dry_runs, 0)

    def test_dry_from_the_start(self):
        self.chip.fault = "dry"
        self.pump.on(60000)
        self.assertTrue(self._runs(9))  # prime time
        self.assertFalse(self._runs(2))
        self.assertTrue(self.pump.is_locked)
        self.assertEqual(self.pump.on(60000), 0)
        self.assertFalse(self._runs(5))

    def test_the_water_ends_later(self):
        self.pump.on(600000)
        self.assertTrue(self._runs(60))
        self.chip.fault = "dry"
        self.assertFalse(self._runs(11))
        self.assertEqual(self.pump.dry_runs, 1)

    def test_renewed_commands_do_not_put_off_the_guard(self):
        self.chip.fault = "dry"
        for _ in range(15):
            self.pump.on(60000)
            self._runs(1)
        self.assertTrue(self.pump.is_locked)

    def test_the_lock_ends_by_time_or_by_a_person(self):
        self.chip.fault = "dry"
        self.pump.on(60000)
        self._runs(12)
        self.pump.unlock()
        self.assertEqual(self.pump.on(1000), 1000)
        self.pump.off()
        self.pump.on(60000)
        self._runs(12)
        self.assertEqual(self.pump.on(), 0)
        self.bench.clock.now_ms += 3600000
        self.chip.fault = None
        self.assertEqual(self.pump.on(5000), 5000)
        self.assertTrue(self._runs(4))

    def test_a_cut_meter_is_a_dry_pump(self):
        self.meter.present = False
        self.pump.on(60000)
        self.assertFalse(self._runs(12))

    def test_bad_numbers(self):
        with self.assertRaises(ConfigError):
            Pump(self.bench.board.bus("pins", (15, 13)), least_pulses=0)


class TestWS2812(_OnBench):
    def setUp(self):
        _OnBench.setUp(self)
        self.chip = ws2812_chip.WS2812(4)
        machine.attach_bitstream(7, self.chip)
        self.leds = WS2812(self.bench.board.bus("ws2812", 7), count=4)

    def test_colours_and_order(self):
        self.leds.set(0, 255, 160, 0)
        self.leds.set(3, 1, 2, 3)
        self.assertEqual(self.chip.colours[0], (0, 0, 0))
        self.leds.show()
        self.assertEqual(self.chip.colours, [(255, 160, 0), (0, 0, 0), (0, 0, 0), (1, 2, 3)])

    def test_the_current_stays_below_its_limit(self):
        leds = WS2812(self.bench.board.bus("ws2812", 7), count=4, limit_ma=100)
        leds.fill(255, 255, 255)
        self.assertEqual(leds.show(), 100)
        self.assertLess(self.chip.current_ma(), 101)
        self.assertGreater(self.chip.current_ma(), 90)
        leds.fill(10, 0, 0)
        leds.show()
        self.assertEqual(self.chip.colours[2], (10, 0, 0))

    def test_off(self):
        self.leds.fill(9, 9, 9)
        self.leds.show()
        self.leds.off()
        self.assertEqual(self.chip.colours, [(0, 0, 0)] * 4)

    def test_wrong_times_are_not_understood(self):
        self.chip.receive([(600, 600)] * 96)
        self.assertEqual(self.chip.colours[0], (0, 0, 0))

    def test_bad_numbers(self):
        with self.assertRaises(ConfigError):
            WS2812(None, count=0)
        with self.assertRaises(IndexError):
            self.leds.set(4, 0, 0, 0)


class _Pin:
    IN, OUT, PULL_UP, IRQ_FALLING = 0, 1, 1, 4

    def init(self, mode, pull=None, value=None):
        pass

    def irq(self, handler, trigger):
        pass

    def value(self, level):
        pass


class _Writer:
    def write(self, buf):
        pass


@unittest.skipIf(not UPY, "needs the MicroPython heap lock")
class TestAllocation(_OnBench):
    def test_none_in_commands_and_polls(self):
        pins = (_Pin(), _Pin(), _Pin(), _Pin())
        motor, pump, leds = Stepper(pins), Pump(pins), WS2812(_Writer())
        with locked_heap():
            motor.move(5)
            self.bench.clock.now_ms += 10
            motor.poll()
            motor.stop()
            pump.on(1000)
            pump.poll()
            pump.off()
            leds.fill(255, 255, 255)
            leds.show()
        self.assertEqual(motor.position, 1)
