"""UART, pulse timing and bit streams of the simulated machine."""

import unittest

import machine


class _Talker:
    baud = 9600

    def __init__(self):
        self.says = b""
        self.heard = b""

    def take(self):
        said, self.says = self.says, b""
        return said

    def write(self, data):
        self.heard += data


class TestUART(unittest.TestCase):
    def setUp(self):
        machine.clear_bench()
        self.chip = _Talker()
        machine.attach_uart(0, self.chip)
        self.uart = machine.UART(0, baudrate=9600, tx=0, rx=1, rxbuf=16)

    def tearDown(self):
        machine.clear_bench()

    def test_both_ways(self):
        self.assertEqual(self.uart.write(b"ask"), 3)
        self.assertEqual(self.chip.heard, b"ask")
        self.chip.says = b"one\ntwo"
        self.assertEqual(self.uart.any(), 7)
        self.assertEqual(self.uart.readline(), b"one\n")
        buf = bytearray(2)
        self.assertEqual(self.uart.readinto(buf), 2)
        self.assertEqual(bytes(buf), b"tw")
        self.assertEqual(self.uart.read(), b"o")
        self.assertIsNone(self.uart.read())

    def test_what_is_not_read_in_time_is_lost(self):
        self.chip.says = b"0123456789abcdefgh"
        self.assertEqual(self.uart.any(), 16)
        self.chip.says = b"ij"
        self.assertEqual(self.uart.read(), b"0123456789abcdef")

    def test_another_speed_gives_other_bytes_both_ways(self):
        self.uart.init(baudrate=115200)
        self.chip.says = b"abc"
        self.assertNotEqual(self.uart.read(), b"abc")
        self.uart.write(b"abc")
        self.assertNotEqual(self.chip.heard, b"abc")

    def test_nothing_attached_is_silence(self):
        machine.attach_uart(0, None)
        self.uart.write(b"hello")
        self.assertEqual(self.uart.any(), 0)

    def test_bad_settings(self):
        with self.assertRaises(ValueError):
            machine.UART(7)
        with self.assertRaises(ValueError):
            self.uart.init(baudrate=1)


class TestPulses(unittest.TestCase):
    def tearDown(self):
        machine.clear_bench()

    def test_a_pulse_none_and_one_that_does_not_end(self):
        pin = machine.Pin(19, machine.Pin.IN)
        self.assertEqual(machine.time_pulse_us(pin, 1, 1000), -2)
        lengths = [580, 2000, None]
        machine.attach_pulse(19, lambda: lengths.pop(0))
        self.assertEqual(machine.time_pulse_us(pin, 1, 1000), 580)
        self.assertEqual(machine.time_pulse_us(pin, 1, 1000), -1)
        self.assertEqual(machine.time_pulse_us(pin, 1, 1000), -2)

    def test_a_line_whose_level_is_asked_for(self):
        levels = [1, 0, None]
        machine.drive_pin(18, lambda: levels.pop(0))
        pin = machine.Pin(18, machine.Pin.IN, machine.Pin.PULL_UP)
        levels[:] = [1, 0, None]
        self.assertEqual([pin.value() for _ in range(3)], [1, 0, 1])


class TestBitStream(unittest.TestCase):
    def tearDown(self):
        machine.clear_bench()

    def test_most_significant_bit_first(self):
        seen = []
        self.receive = seen.append
        machine.attach_bitstream(7, self)
        machine.bitstream(machine.Pin(7), 0, (1, 2, 3, 4), b"\xa0")
        self.assertEqual(seen[0], [(3, 4), (1, 2), (3, 4)] + [(1, 2)] * 5)
        with self.assertRaises(ValueError):
            machine.bitstream(machine.Pin(7), 1, (1, 2, 3, 4), b"")
