"""Expanders, PWM outputs and bus switches against their simulated chips: see part_battery.py."""

import os
import unittest
from array import array

import machine
import part_battery
from driver_bench import Bench, read
from driver_rows import driver_module
from part_rows import ROWS

from hedge.core.errors import ConfigError, SensorError
from hedge.drivers.bme280 import BME280
from hedge.drivers.mcp23017 import MCP23017
from hedge.drivers.pca9685 import PCA9685
from hedge.drivers.pcf8574 import PCF8574
from hedge.drivers.relay import Relay
from hedge.drivers.ssd1306 import SSD1306
from hedge.drivers.tca9548a import TCA9548A
from hedgerow.emulate.chips import bme280 as bme280_chip
from hedgerow.emulate.chips import mcp23017 as mcp23017_chip
from hedgerow.emulate.chips import pca9685 as pca9685_chip
from hedgerow.emulate.chips import pcf8574 as pcf8574_chip
from hedgerow.emulate.chips import ssd1306 as ssd1306_chip
from hedgerow.emulate.chips import tca9548a as tca9548a_chip

globals().update(part_battery.cases(ROWS))


class TestEveryPart(unittest.TestCase):
    def test_takes_part_in_the_battery(self):
        folder = part_battery.__file__.rsplit("/", 3)[0] + "/firmware/hedge/drivers"
        known = [row["driver"] for row in ROWS]
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py") and name != "__init__.py":
                entry = getattr(driver_module(name[:-3]), "DRIVER", {})
                if entry.get("kind") == "part":
                    self.assertIn(name[:-3], known)


class _Bench(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()

    def tearDown(self):
        self.bench.close()

    def _attach(self, addr, make):
        chip = make(self.bench.now_ms)
        machine.attach_i2c(0, addr, chip)
        return chip, self.bench.board_at(100000).i2c("i2c0")


class TestPCF8574(_Bench):
    def test_inputs_and_outputs_side_by_side(self):
        chip, i2c = self._attach(0x20, pcf8574_chip.PCF8574)
        expander = PCF8574(i2c)
        expander.write(0xFE)
        chip.grounded = 0x80
        self.assertEqual(expander.read(), 0x7E)
        chip.grounded = 0
        self.assertEqual(expander.read(), 0xFE)

    def test_a_relay_on_it_is_off_from_the_first_moment(self):
        chip, i2c = self._attach(0x20, pcf8574_chip.PCF8574)
        pump = Relay(PCF8574(i2c).pin(3), active_high=False)
        self.assertEqual(chip.levels(), 0xFF)
        pump.on(1000)
        self.assertEqual(chip.levels(), 0xF7)
        self.bench.clock.now_ms += 1000
        self.assertFalse(pump.poll())
        self.assertEqual(chip.levels(), 0xFF)

    def test_restore_after_a_brown_out(self):
        chip, i2c = self._attach(0x20, pcf8574_chip.PCF8574)
        expander = PCF8574(i2c)
        expander.write(0x0F)
        chip.present = False
        chip.present = True
        with self.assertRaises(SensorError):
            expander.read()
        expander.restore()
        self.assertEqual(expander.read(), 0x0F)

    def test_pins_keep_each_others_levels(self):
        chip, i2c = self._attach(0x20, pcf8574_chip.PCF8574)
        expander = PCF8574(i2c)
        first, second = expander.pin(0), expander.pin(7)
        first.init(first.OUT, value=0)
        second.init(second.OUT, value=0)
        first.value(1)
        self.assertEqual(chip.latch, 0x7F)
        second.init(second.IN)
        chip.grounded = 0x80
        self.assertEqual((first.value(), second.value()), (1, 0))


class TestMCP23017(_Bench):
    def test_outputs_begin_at_their_level(self):
        chip, i2c = self._attach(0x20, mcp23017_chip.MCP23017)
        seen = []
        store = chip.store
        chip.store = lambda reg, value: (store(reg, value), seen.append(chip.levels() & 1))
        MCP23017(i2c).start(inputs=0xFFFE, pull_ups=0x0001, levels=0x0001)
        self.assertNotIn(0, seen[seen.index(1) :])

    def test_the_other_register_map_is_switched_back(self):
        chip, i2c = self._attach(0x20, mcp23017_chip.MCP23017)
        i2c.writeto_mem(0x20, 0x0A, b"\xa0")  # BANK, byte mode
        self.assertEqual(chip.iocon, 0xA0)
        expander = MCP23017(i2c)
        expander.start(inputs=0x00FF, levels=0xA500)
        self.assertEqual(chip.iocon, 0)
        self.assertEqual(chip.levels(), 0xA500)

    def test_inputs_with_pull_ups(self):
        chip, i2c = self._attach(0x20, mcp23017_chip.MCP23017)
        expander = MCP23017(i2c)
        expander.start(inputs=0xFF00, pull_ups=0x0F00)
        self.assertEqual(expander.read(), 0x0F00)
        chip.driven = {8: 0, 15: 1}
        self.assertEqual(expander.read(), 0x8E00)

    def test_a_relay_on_it_is_off_from_the_first_moment(self):
        for active_high in (False, True):
            chip, i2c = self._attach(0x20, mcp23017_chip.MCP23017)
            expander = MCP23017(i2c)
            expander.start()
            on_level = 1 if active_high else 0
            seen = []
            store = chip.store

            def watch(reg, value, store=store, chip=chip, seen=seen):
                store(reg, value)
                if not chip.word(0) & 1 << 9:
                    seen.append(chip.levels() >> 9 & 1)

            chip.store = watch
            pump = Relay(expander.pin(9), active_high=active_high)
            pump.on(10)
            pump.off()
            self.assertEqual(seen[0], 1 - on_level)
            self.assertIn(on_level, seen)
            self.assertEqual(seen[-1], 1 - on_level)


class TestPCA9685(_Bench):
    def test_prescaler_of_the_datasheet(self):
        chip, i2c = self._attach(0x40, pca9685_chip.PCA9685)
        self.assertEqual(chip.regs[0xFE], 0x1E)  # DS: 200 Hz at power-on
        chip.regs[0xFE] = 0
        PCA9685(i2c, freq_hz=200).start()
        self.assertEqual(chip.regs[0xFE], 0x1E)  # DS 7.3.5: 200 Hz is 0x1E

    def test_frequencies_from_end_to_end(self):
        chip, i2c = self._attach(0x40, pca9685_chip.PCA9685)
        for freq_hz in (24, 50, 60, 333, 1000, 1526):
            PCA9685(i2c, freq_hz=freq_hz).start()
            self.assertAlmostEqual(chip.freq_hz(), freq_hz, delta=freq_hz * 0.1)
        for freq_hz in (23, 1527):
            with self.assertRaises(ConfigError):
                PCA9685(i2c, freq_hz=freq_hz)

    def test_duty_from_off_to_always_on(self):
        chip, i2c = self._attach(0x40, pca9685_chip.PCA9685)
        pwm = PCA9685(i2c)
        pwm.start()
        for duty in (0, 1, 255, 256, 2048, 4095, 4096, 0):
            pwm.set_duty(7, duty)
            self.assertEqual(chip.share(7), duty / 4096)
        self.assertEqual(chip.share(6) + chip.share(8), 0)

    def test_servo_pulses(self):
        chip, i2c = self._attach(0x40, pca9685_chip.PCA9685)
        pwm = PCA9685(i2c)
        pwm.start()
        for pulse_us in (500, 1000, 1500, 2500, 30000):
            pwm.set_pulse_us(0, pulse_us)
            self.assertAlmostEqual(chip.high_us(0), min(pulse_us, 20000), delta=20)

    def test_start_switches_all_off(self):
        chip, i2c = self._attach(0x40, pca9685_chip.PCA9685)
        pwm = PCA9685(i2c)
        pwm.start()
        pwm.set_duty(2, 4096)
        PCA9685(i2c).start()  # the board restarted, the chip did not
        self.assertEqual([chip.share(n) for n in range(16)], [0.0] * 16)

    def test_bad_arguments(self):
        pwm = PCA9685(self._attach(0x40, pca9685_chip.PCA9685)[1])
        for n, duty in ((-1, 0), (16, 0), (0, -1), (0, 4097)):
            with self.assertRaises(ValueError):
                pwm.set_duty(n, duty)


class TestTCA9548A(_Bench):
    """Two BME280 at one address."""

    def setUp(self):
        _Bench.setUp(self)
        self.switch, i2c = self._attach(0x70, tca9548a_chip.TCA9548A)
        self.chips = [bme280_chip.BME280(self.bench.now_ms) for _ in range(2)]
        for n, chip in enumerate(self.chips):
            chip.temp_c = 10.0 + 20 * n
            self.switch.attach(3 * n, 0x76, chip)
        machine.attach_i2c(0, 0x76, self.switch.behind(0x76))
        part = TCA9548A(i2c)
        self.buses = [part.channel(0), part.channel(3)]
        self.sensors = [BME280(bus) for bus in self.buses]
        self.out = array("i", (0, 0, 0))

    def _temp(self, n):
        return read(self.sensors[n], self.out)[0]

    def test_each_channel_has_its_own_chip(self):
        for n in (0, 1, 1, 0):
            self.assertAlmostEqual(self._temp(n), 1000 + 2000 * n, delta=1)

    def test_scan_sees_what_is_connected(self):
        self.assertEqual(self.buses[0].scan(), [0x70, 0x76])
        self.chips[1].present = False
        self.assertEqual(self.buses[1].scan(), [0x70])

    def test_a_missing_chip_does_not_answer_from_the_other_channel(self):
        self._temp(0)
        self.chips[1].present = False
        with self.assertRaises(OSError):
            self._temp(1)
        self.assertAlmostEqual(self._temp(0), 1000, delta=1)

    def test_a_switch_that_lost_its_supply_comes_back(self):
        self._temp(0)
        self.switch.present = False
        self.switch.present = True  # now no channel is connected
        with self.assertRaises(OSError):
            self._temp(0)
        self.assertAlmostEqual(self._temp(0), 1000, delta=1)

    def test_a_chip_that_holds_its_bus_does_so_only_while_connected(self):
        self._temp(0)
        self.chips[1].fault = "bus"
        self.assertAlmostEqual(self._temp(0), 1000, delta=1)
        with self.assertRaises(OSError):
            self._temp(1)
        self.chips[1].fault = None
        self.assertAlmostEqual(self._temp(0), 1000, delta=1)

    def test_there_are_eight_channels(self):
        part = TCA9548A(self.bench.board.i2c("i2c0"))
        for n in (-1, 8):
            with self.assertRaises(ValueError):
                part.channel(n)


class TestSSD1306(_Bench):
    def test_no_noise_is_seen_at_the_start(self):
        chip, i2c = self._attach(0x3C, ssd1306_chip.SSD1306)
        seen = []
        execute = chip._execute

        def watch(code, arguments):
            execute(code, arguments)
            if chip.on:
                seen.append(any(chip.lit(x, y) for x in range(0, 128, 9) for y in range(64)))

        chip._execute = watch
        SSD1306(i2c).start()
        self.assertTrue(seen)
        self.assertNotIn(True, seen)

    def test_every_pixel_of_every_size(self):
        for width, height in ((128, 64), (128, 32), (72, 48), (64, 32)):
            chip, i2c = self._attach(0x3C, ssd1306_chip.SSD1306)
            display = SSD1306(i2c, width=width, height=height)
            display.start()
            self.assertEqual(len(display.buffer), width * height // 8)
            self.assertEqual(chip.settings[0xA8], height - 1)
            first = (128 - width) // 2
            for x, y in ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)):
                display.buffer[y // 8 * width + x] = 1 << y % 8
                display.show()
                self.assertTrue(chip.lit(first + x, y), (width, height, x, y))
                display.buffer[y // 8 * width + x] = 0
                display.show()
                self.assertFalse(chip.lit(first + x, y), (width, height, x, y))

    def test_invert_and_power(self):
        chip, i2c = self._attach(0x3C, ssd1306_chip.SSD1306)
        display = SSD1306(i2c)
        display.start()
        display.invert(True)
        self.assertTrue(chip.lit(5, 5))
        display.power(False)
        self.assertFalse(chip.lit(5, 5))
        display.power(True)
        display.invert(False)
        self.assertFalse(chip.lit(5, 5))
        self.assertTrue(chip.on)

    def test_sizes_that_do_not_exist(self):
        i2c = self._attach(0x3C, ssd1306_chip.SSD1306)[1]
        for width, height in ((130, 64), (127, 64), (6, 64), (128, 60), (128, 0)):
            with self.assertRaises(ConfigError):
                SSD1306(i2c, width=width, height=height)
