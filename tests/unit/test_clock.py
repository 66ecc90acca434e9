"""Device time can be steered, and an unset clock says so."""

import unittest

from hedge.core import clock


class _Steered:
    def __init__(self, now_s):
        self.now_s = now_s

    def epoch_s(self):
        return self.now_s


class TestClock(unittest.TestCase):
    def test_a_replaced_source_is_asked(self):
        former = clock.use(_Steered(1767225600))
        try:
            self.assertEqual(clock.epoch_s(), 1767225600)
        finally:
            clock.use(former)

    def test_a_correction_moves_device_time(self):
        source = clock.SystemClock()
        source.set_epoch_s(1893456000)
        self.assertAlmostEqual(source.epoch_s(), 1893456000, delta=1)

    def test_an_implausible_clock_reads_as_unknown(self):
        source = clock.SystemClock()
        source.set_epoch_s(1000)
        self.assertEqual(source.epoch_s(), 0)
