"""The simulated machine's pins and buses behave like a board's."""

import errno
import unittest

import machine
from machine import ADC, I2C, PWM, RTC, SPI, Pin, Signal, SoftI2C


class _Memory:
    """An I2C chip with 256 registers that counts up after each byte (an EEPROM)."""

    def __init__(self):
        self.data = bytearray(256)
        self.pointer = None
        self.answers = True
        self.room = 1000  # data bytes it still acknowledges
        self.stops = 0

    def start(self, reading):
        if self.answers and not reading:
            self.pointer = None
        return self.answers

    def write(self, byte):
        if self.pointer is None:
            self.pointer = byte
            return True
        if not self.room:
            return False
        self.room -= 1
        self.data[self.pointer] = byte
        self.pointer = self.pointer + 1 & 0xFF
        return True

    def read(self):
        value = self.data[self.pointer or 0]
        self.pointer = (self.pointer or 0) + 1 & 0xFF
        return value

    def stop(self):
        self.stops += 1


class _Case(unittest.TestCase):
    def setUp(self):
        machine.clear_bench()

    def tearDown(self):
        machine.clear_bench()

    def _oserror(self, function, *args):
        with self.assertRaises(OSError) as caught:
            function(*args)
        return caught.exception.args[0]


class TestI2C(_Case):
    def setUp(self):
        _Case.setUp(self)
        self.chip = _Memory()
        machine.attach_i2c("i2c0", 0x50, self.chip)
        self.i2c = I2C(0, scl=Pin(5), sda=Pin(4), freq=100000)

    def test_registers(self):
        self.assertEqual(self.i2c.writeto_mem(0x50, 0x10, b"abc"), None)
        self.assertEqual(self.i2c.readfrom_mem(0x50, 0x11, 2), b"bc")
        buf = bytearray(3)
        self.i2c.readfrom_mem_into(0x50, 0x10, buf)
        self.assertEqual(buf, b"abc")

    def test_plain_transfers(self):
        self.assertEqual(self.i2c.writeto(0x50, b"\x20xy"), 3)
        self.assertEqual(self.i2c.writevto(0x50, [b"\x22", b"z"]), 2)
        self.i2c.writeto(0x50, b"\x20", False)
        self.assertEqual(self.i2c.readfrom(0x50, 3), b"xyz")

    def test_repeated_start_has_no_stop(self):
        stops = self.chip.stops
        self.i2c.writeto(0x50, b"\x20", False)
        self.assertEqual(self.chip.stops, stops)

    def test_sixteen_bit_register_addresses(self):
        self.i2c.readfrom_mem(0x50, 0x1234, 1, addrsize=16)
        self.assertEqual(self.chip.data[0x12], 0x34)

    def test_scan_sees_what_answers_in_the_usual_range(self):
        machine.attach_i2c(0, 0x03, _Memory())
        machine.attach_i2c(0, 0x76, _Memory())
        machine.attach_i2c(1, 0x40, _Memory())
        self.assertEqual(self.i2c.scan(), [0x50, 0x76])
        self.chip.answers = False
        self.assertEqual(self.i2c.scan(), [0x76])
        machine.detach_i2c(0, 0x76)
        self.assertEqual(self.i2c.scan(), [])

    def test_nobody_at_the_address(self):
        self.assertEqual(self._oserror(self.i2c.readfrom, 0x51, 1), errno.ENODEV)
        self.assertEqual(self._oserror(self.i2c.writeto, 0x51, b""), errno.ENODEV)
        I2C.nack_errno = errno.EIO  # RP2
        self.assertEqual(self._oserror(self.i2c.readfrom_mem, 0x51, 0, 1), errno.EIO)

    def test_data_byte_not_acknowledged(self):
        self.chip.room = 1
        self.assertEqual(self._oserror(self.i2c.writeto_mem, 0x50, 0, b"ab"), errno.EIO)
        self.assertEqual(self.chip.data[0], ord("a"))

    def test_stuck_bus(self):
        machine.stick_i2c("i2c0")
        self.assertEqual(self._oserror(self.i2c.readfrom, 0x50, 1), errno.ETIMEDOUT)
        self.assertEqual(self.i2c.scan(), [])
        machine.stick_i2c("i2c0", False)
        self.assertEqual(len(self.i2c.readfrom(0x50, 1)), 1)

    def test_clock_stretched_past_the_time_out(self):
        self.chip.stretch_us = 60000
        self.assertEqual(self._oserror(self.i2c.readfrom, 0x50, 1), errno.ETIMEDOUT)
        patient = I2C(0, timeout=100000)
        self.assertEqual(len(patient.readfrom(0x50, 1)), 1)

    def test_soft_i2c_is_found_by_its_pins(self):
        machine.attach_i2c((9, 8), 0x20, _Memory())
        soft = SoftI2C(Pin(9), Pin(8))
        self.assertEqual(soft.scan(), [0x20])
        self.assertEqual(self._oserror(soft.readfrom, 0x50, 1), errno.ENODEV)

    def test_bad_settings(self):
        for make in (lambda: I2C(2), lambda: I2C(0, freq=0), lambda: I2C(0, scl=77)):
            with self.assertRaises(ValueError):
                make()


class TestPin(_Case):
    def test_output_and_listener(self):
        levels = []
        machine.on_pin(3, levels.append)
        pin = Pin(3, Pin.OUT, value=1)
        pin(1)
        pin.off()
        pin.toggle()
        pin.init(Pin.IN)
        self.assertEqual(levels, [1, 0, 1, None])

    def test_input_levels(self):
        pin = Pin(3, Pin.IN)
        self.assertEqual(pin.value(), 0)
        self.assertEqual(Pin(3, Pin.IN, Pin.PULL_UP).value(), 1)
        machine.drive_pin(3, 0)
        self.assertEqual(pin.value(), 0)
        machine.drive_pin(3, None)
        self.assertEqual(pin.value(), 1)

    def test_open_drain_can_be_pulled_low_by_others(self):
        pin = Pin(3, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1)
        self.assertEqual(pin(), 1)
        machine.drive_pin(3, 0)
        self.assertEqual(pin(), 0)
        machine.drive_pin(3, None)
        pin(0)
        self.assertEqual(pin(), 0)

    def test_two_objects_are_one_pin(self):
        Pin(3, Pin.OUT, value=1)
        self.assertEqual(Pin(3).value(), 1)

    def test_writing_an_input_sets_the_latch_only(self):
        pin = Pin(3, Pin.IN)
        pin(1)
        self.assertEqual(pin(), 0)
        pin.init(Pin.OUT)
        self.assertEqual(pin(), 1)

    def test_interrupts_on_the_chosen_edges(self):
        seen = []
        pin = Pin(3, Pin.IN)
        pin.irq(lambda p: seen.append(p()), Pin.IRQ_RISING, hard=True)
        machine.drive_pin(3, 1)
        machine.drive_pin(3, 0)
        self.assertEqual(seen, [1])
        pin.irq(None)
        machine.drive_pin(3, 1)
        self.assertEqual(seen, [1])

    def test_bad_pins_and_modes(self):
        for number in (-1, 49, 4.0, "GP4", None, True):
            with self.assertRaises(ValueError):
                Pin(number)
        with self.assertRaises(ValueError):
            Pin(3, 9)

    def test_signal_inverts(self):
        pin = Pin(3, Pin.OUT, value=0)
        signal = Signal(pin, invert=True)
        self.assertEqual(signal.value(), 1)
        signal.off()
        self.assertEqual(pin(), 1)


class TestADC(_Case):
    def test_full_range_and_clamps(self):
        for mv, u16 in ((-100, 0), (0, 0), (1650, 32776), (3300, 65535), (9000, 65535)):
            machine.attach_adc(26, mv)
            self.assertEqual(ADC(26).read_u16(), u16)

    def test_microvolts(self):
        machine.attach_adc(26, lambda: 1234)
        self.assertAlmostEqual(ADC(Pin(26)).read_uv(), 1234000, delta=403)

    def test_reference_of_the_board(self):
        machine.set_vref_mv(1100)
        machine.attach_adc(26, 550)
        self.assertAlmostEqual(ADC(26).read_u16(), 32768, delta=16)

    def test_open_pins_read_almost_nothing(self):
        machine.attach_adc(26, lambda: None)
        for pin in (26, 27):
            for _ in range(20):
                self.assertLessEqual(ADC(pin).read_uv(), 11000)

    def test_noise_is_bounded_and_there(self):
        machine.attach_adc(26, 1000, noise_mv=20)
        seen = [ADC(26).read_uv() for _ in range(200)]
        self.assertLess(max(seen), 1021000)
        self.assertGreater(min(seen), 979000)
        self.assertGreater(max(seen) - min(seen), 20000)


class _Echo:
    """SPI chip that answers with the byte before."""

    def __init__(self):
        self.events = []
        self.last = 0

    def select(self):
        self.events.append("select")

    def deselect(self):
        self.events.append("deselect")

    def transfer(self, mosi):
        miso, self.last = self.last, mosi
        return miso


class TestSPI(_Case):
    def test_only_the_selected_chip_answers(self):
        chip = _Echo()
        machine.attach_spi(0, 17, chip)
        spi, cs = (
            SPI(0, 1000000, sck=Pin(18), mosi=Pin(19), miso=Pin(16)),
            Pin(17, Pin.OUT, value=1),
        )
        self.assertEqual(spi.read(2), b"\xff\xff")
        cs(0)
        got = bytearray(3)
        spi.write_readinto(b"\x01\x02\x03", got)
        spi.write(b"\x09")
        self.assertEqual(got, b"\x00\x01\x02")
        self.assertEqual(spi.read(1, 0x55), b"\x09")
        cs(1)
        self.assertEqual(chip.events, ["select", "deselect"])

    def test_bad_settings(self):
        with self.assertRaises(ValueError):
            SPI(0, bits=16)
        with self.assertRaises(ValueError):
            SPI(0).write_readinto(b"ab", bytearray(3))


class TestPWM(_Case):
    def test_frequency_and_duty(self):
        pwm = PWM(Pin(2), freq=50, duty_ns=1500000)  # a servo in the middle
        self.assertAlmostEqual(machine.pwm_on(2).duty_u16(), 0.075 * 65535, delta=1)
        self.assertAlmostEqual(pwm.duty_ns(), 1500000, delta=400)
        pwm.duty_u16(70000)
        self.assertEqual(pwm.duty_u16(), 65535)
        pwm.deinit()
        self.assertIsNone(machine.pwm_on(2))
        with self.assertRaises(ValueError):
            pwm.freq(1)


class TestRTC(_Case):
    def tearDown(self):
        machine.use_epoch_ms(None)
        _Case.tearDown(self)

    def _at(self, epoch_s):
        machine.use_epoch_ms(lambda: epoch_s * 1000 + 250)
        rtc = RTC()
        rtc.datetime((2024, 2, 29, 0, 23, 59, 58, 250000))
        return rtc

    def test_calendar_follows_device_time(self):
        rtc = self._at(1000)
        self.assertEqual(rtc.datetime(), (2024, 2, 29, 3, 23, 59, 58, 250000))
        machine.use_epoch_ms(lambda: 1002250)
        self.assertEqual(rtc.datetime(), (2024, 3, 1, 4, 0, 0, 0, 250000))
        machine.use_epoch_ms(lambda: (1002 + 366 * 86400) * 1000)
        self.assertEqual(rtc.datetime()[:3], (2025, 3, 2))

    def test_memory_has_a_limit(self):
        rtc = RTC()
        former = rtc.memory()
        with self.assertRaises(ValueError):
            rtc.memory(bytes(2049))
        self.assertEqual(rtc.memory(), former)


class TestModule(_Case):
    def test_it_is_the_simulated_one(self):
        self.assertTrue(hasattr(machine, "attach_i2c"))

    def test_frequency_is_checked(self):
        former = machine.freq()
        machine.freq(48000000)
        self.assertEqual(machine.freq(), 48000000)
        machine.freq(former)
        with self.assertRaises(ValueError):
            machine.freq(1)
