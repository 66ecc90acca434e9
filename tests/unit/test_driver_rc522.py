"""RC522: numbers of 4 and 7 bytes, more than one tag, tags that come and go."""

import unittest
from array import array

import machine
from driver_bench import Bench, read

from hedge.core.errors import SensorError
from hedge.drivers.rc522 import RC522, crc_a
from hedgerow.emulate.chips import rc522 as chips

_FOUR = b"\xde\xad\xbe\xef"
_SEVEN = b"\x04\x12\x34\x56\x78\x9a\xbc"


class TestCRC(unittest.TestCase):
    def test_examples_of_iso_14443_3(self):
        """Annex B: 00 00 gives A0 1E, 12 34 gives 26 CF."""
        for data, sent in ((b"\x00\x00", b"\xa0\x1e"), (b"\x12\x34", b"\x26\xcf")):
            self.assertEqual(chips.crc_a(data), sent)
            self.assertEqual(crc_a(data, 2), sent[0] | sent[1] << 8)

    def test_the_driver_and_the_chip_count_alike(self):
        data = bytes(range(3, 250, 7))
        for count in range(len(data)):
            low, high = chips.crc_a(data[:count])
            self.assertEqual(crc_a(data, count), low | high << 8)


class TestRC522(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.chip = chips.RC522(self.bench.now_ms)
        machine.attach_spi(0, 17, self.chip)
        self.reader = RC522(self.bench.board.bus("spi", ("spi0", 17)))
        self.out = array("i", (0, 0))

    def tearDown(self):
        self.bench.close()

    def _uid(self, *tags):
        self.chip.tags = tags
        read(self.reader, self.out)
        return bytes(self.reader.uid[: self.reader.uid_bytes])

    def test_numbers_of_both_lengths_as_often_as_asked(self):
        for _ in range(3):
            self.assertEqual(self._uid(_FOUR), _FOUR)
            self.assertEqual(self._uid(_SEVEN), _SEVEN)
            self.assertEqual(self._uid(), b"")
        self.assertEqual(self._uid(_SEVEN), _SEVEN)
        self.assertEqual(self._uid(_SEVEN), _SEVEN)
        self.assertEqual(list(self.out), [1, 0x789ABC])

    def test_two_tags_are_an_error_and_one_of_them_is_not(self):
        self.assertRaises(SensorError, self._uid, _FOUR, _SEVEN)
        self.assertEqual(self._uid(_FOUR), _FOUR)

    def test_the_field_is_off_between_reads(self):
        self._uid(_FOUR)
        self.assertIsNone(self.chip._field_ms)
        self._uid()
        self.assertIsNone(self.chip._field_ms)
