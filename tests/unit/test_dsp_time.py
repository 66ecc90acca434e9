"""Filters, block statistics, autocorrelation and peaks on both Pythons; the numbers are checked
against SciPy in tests/host, here that viper gives the same and allocates nothing."""

import array
import sys
import unittest

from hedge.dsp import fir, iir, peaks, portable_filter, portable_peaks, portable_stats, stats
from hedge.dsp.fir import Cic, Fir
from hedge.dsp.iir import Biquads
from hedge.dsp.peaks import Peaks
from hedge.dsp.stats import Autocorrelation, BlockStats

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    heap_lock = None

MICROPYTHON = sys.implementation.name == "micropython"
# scipy.signal.butter(2, 0.1, output="sos") in q28
LOW_PASS = (5391087, 10782175, 5391087, 419032599, -172161493)
USERS = ((fir, portable_filter), (iir, portable_filter), (stats, portable_stats))
USERS += ((peaks, portable_peaks),)


def noise(n, seed=3):
    x = array.array("h", bytes(2 * n))
    for i in range(n):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        x[i] = (seed >> 16) - 32768
    return x


def make():
    return (
        Biquads(LOW_PASS + LOW_PASS, block=16),
        Fir((1000, -2000, 32767, -2000, 1000), step=2),
        Cic(5, 4),
        BlockStats(),
        Autocorrelation(12),
        Peaks(20, height=100, distance=3, prominence=3000),
    )


def results(parts, x, out):
    """Everything they compute from x, as a list of lists."""
    biquads, half, cic, block, auto, finder = parts
    got = []
    for device in (biquads, half, cic):
        for n in (len(x) - 30, 30):
            device.process(x, out, n)
            got.append(list(out))
    block.run(x, zero=block.mean, level=500)
    got.append([block.mean, block.rms_q8, block.crest_q8, block.crossings, block.peak])
    auto.run(x, zero=5)
    got.append([auto.lag_q8(2), auto.shift] + list(auto.out))
    count = finder.find(x)
    got.append(list(finder.at)[:count])
    return got


class TimeDomainTest(unittest.TestCase):
    def test_low_pass_settles_on_a_step(self):
        device, x = Biquads(LOW_PASS), array.array("h", [1234] * 200)
        device.process(x, x)
        self.assertTrue(x[0] < 50)
        self.assertEqual(list(x[100:]), [1234] * 100)

    def test_fir_sees_the_newest_sample_last(self):
        x, out = array.array("h", (0, 10, 0, 0, 0)), array.array("h", bytes(10))
        self.assertEqual(Fir((100, 200, 300), shift=1).process(x, out), 5)
        self.assertEqual(list(out), [0, 500, 1000, 1500, 0])

    def test_cic_is_a_mean(self):
        x, out = array.array("h", (3, 5, -7, -9)), array.array("h", bytes(4))
        self.assertEqual(Cic(2, 1).process(x, out), 2)
        self.assertEqual(list(out), [4, -8])

    def test_level(self):
        block = BlockStats()
        block.run(array.array("h", (300, -400, 300, -400)))
        self.assertEqual((block.mean, block.min, block.max), (-50, -400, 300))
        self.assertEqual((block.crossings, block.rms_q8 >> 8), (3, 353))  # sqrt(125000)
        self.assertEqual(block.crest_q8, 290)  # 400 / 353.55

    def test_period(self):
        auto = Autocorrelation(30)
        auto.run(array.array("h", [500 if i % 10 < 5 else -500 for i in range(200)]))
        self.assertEqual(auto.lag_q8(5) >> 8, 10)

    def test_peaks(self):
        finder = Peaks(8, prominence=4)
        x = array.array("h", (0, 5, 0, 9, 9, 9, 6, 8, 0, 3, 3))
        self.assertEqual(list(finder.at[: finder.find(x)]), [1, 4])

    @unittest.skipIf(not MICROPYTHON, "viper needs MicroPython")
    def test_viper_equals_portable(self):
        x, out = noise(150), array.array("h", bytes(300))
        viper = results(make(), x, out)
        kernels = [user._K for user, _ in USERS]
        for user, portable in USERS:
            user._K = portable
        plain = results(make(), x, array.array("h", bytes(300)))
        for (user, _), kernel in zip(USERS, kernels):
            user._K = kernel
        self.assertEqual(viper, plain)
        self.assertTrue(len(viper[-1]) > 3)

    @unittest.skipIf(heap_lock is None or not MICROPYTHON, "needs the MicroPython heap lock")
    def test_does_not_allocate(self):
        x, out = noise(150), array.array("h", bytes(300))
        biquads, half, cic, block, auto, finder = make()
        heap_lock()
        try:
            biquads.process(x, out)
            half.process(x, out)
            cic.process(x, out, 100)
            block.run(x, zero=3, level=7)
            auto.run(x)
            auto.lag_q8(2)
            finder.find(x)
        finally:
            heap_unlock()


if __name__ == "__main__":
    unittest.main()
