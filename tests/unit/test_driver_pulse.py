"""MAX30102: the FIFO, emptied in time and too late."""

import unittest
from array import array

import machine
from driver_bench import Bench, read

from hedge.core.errors import SensorError
from hedge.drivers import max30102
from hedgerow.emulate.chips import max30102 as max30102_chip

_MS = 10  # between samples


def _rising(ms):
    return round(ms / _MS) / 262143  # a sample counts samples


class TestFifo(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.chip = max30102_chip.MAX30102(self.bench.now_ms)
        self.chip.red, self.chip.infrared = _rising, 0.25
        machine.attach_i2c(0, 0x57, self.chip)
        self.sensor = max30102.MAX30102(self.bench.board.i2c("i2c0"))
        self.red, self.infrared = array("i", [-1] * 32), array("i", [-1] * 32)
        read(self.sensor, self.red)
        self.last = self.red[0]

    def tearDown(self):
        self.bench.close()

    def _take(self):
        n = self.sensor.take(self.red, self.infrared)
        return list(self.red[:n])

    def _take_after(self, samples):
        self.bench.clock.now_ms += samples * _MS
        return self._take()

    def test_every_sample_once_and_in_order(self):
        for samples in (1, 0, 5, 31, 17, 1, 30):
            first = self.last + 1
            self.last += samples
            self.assertEqual(self._take_after(samples), list(range(first, self.last + 1)))
        self.assertEqual(self.infrared[0], 65536)
        self.assertEqual(self.sensor.lost, 0)

    def test_full_is_seen_with_the_next_sample(self):
        self.assertEqual(self._take_after(32), [])  # the pointers say nothing
        self.assertEqual(len(self._take_after(1)), 32)
        self.assertEqual(self.sensor.lost, 1)

    def test_too_late(self):
        kept = list(range(self.last + 1, self.last + 33))
        self.assertEqual(self._take_after(37), kept)
        self.assertEqual(self.sensor.lost, 5)
        self.assertEqual(self._take_after(2), [self.last + 38, self.last + 39])
        self.assertEqual(self.sensor.lost, 5)

    def test_much_too_late_counts_some(self):
        self.assertEqual(len(self._take_after(1000)), 32)
        self.assertEqual(self.sensor.lost, 31)

    def test_brown_out_then_read_into(self):
        self.chip.power_on()
        self.assertEqual(self._take_after(10), [])
        with self.assertRaises(SensorError):  # the mode is gone
            read(self.sensor, self.red)
        read(self.sensor, self.red)
        self.last = self.red[0]
        self.assertEqual(self._take_after(2), [self.last + 1, self.last + 2])


if __name__ == "__main__":
    unittest.main()
