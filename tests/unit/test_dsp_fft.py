"""RealFFT and LogMel's kernels on both Pythons; viper against plain Python on MicroPython."""

import array
import math
import sys
import unittest

from hedge.core.errors import ConfigError
from hedge.dsp import fft as fft_module
from hedge.dsp import portable_fft, tables
from hedge.dsp.fft import RealFFT

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    heap_lock = None

MICROPYTHON = sys.implementation.name == "micropython"


def noise(n, seed=1, most=32768):
    """int16 of a linear congruential generator (Numerical Recipes)."""
    x = array.array("h", bytes(2 * n))
    for i in range(n):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        x[i] = (seed >> 16) * most // 32768 - most
    return x


def dft(x, k):
    """Bin k of the sum itself, in floats."""
    turn = 2 * math.pi * k / len(x)
    re = sum(v * math.cos(turn * i) for i, v in enumerate(x))
    im = -sum(v * math.sin(turn * i) for i, v in enumerate(x))
    return re, im


class RealFFTTest(unittest.TestCase):
    def test_equals_the_sum(self):
        for n in (16, 32, 128):
            x = noise(n, seed=n)
            fft = RealFFT(n)
            unit = 2.0 ** fft.run(x)
            most = 0
            for k in range(n // 2 + 1):
                re, im = dft(x, k)
                most = max(most, abs(fft.bins[2 * k] * unit - re))
                most = max(most, abs(fft.bins[2 * k + 1] * unit - im))
            self.assertTrue(most < 1e-3 * 32768 * math.sqrt(n), (n, most))

    def test_magnitude_of_a_sine(self):
        n = 64
        x = array.array("h", [round(16000 * math.sin(2 * math.pi * 5 * i / n)) for i in range(n)])
        fft = RealFFT(n)
        fft.run(x)
        out = array.array("i", bytes(4 * 33))
        fft.magnitude_into(out)
        self.assertTrue(abs(out[5] * 2.0**fft.magnitude_exponent - 16000 * n / 2) < 100)
        self.assertTrue(max(out[:5]) * 2.0**fft.magnitude_exponent < 100)

    def test_refuses_sizes(self):
        for n in (0, 8, 100, 8192):
            with self.assertRaises(ConfigError):
                RealFFT(n)
        with self.assertRaises(ConfigError):
            RealFFT(16).run(array.array("h", bytes(30)))

    @unittest.skipIf(not MICROPYTHON, "viper needs MicroPython")
    def test_viper_equals_portable(self):
        from hedge.dsp import viper_fft

        for n in (16, 32, 512, 1024):
            window = tables.window_q15("hamming", n - 1)
            for more in ({}, {"window": window}, {"window": window, "emphasis": True}):
                results = []
                for kernels in (viper_fft, portable_fft):
                    fft_module._K = kernels
                    results.append(self._all(RealFFT(n, **more), noise(n, most=32768 // n)))
                fft_module._K = viper_fft
                self.assertEqual(results[0], results[1])

    def _all(self, fft, x):
        exponent = fft.run(x, 3)
        out = array.array("i", bytes(4 * (fft.n // 2)))
        fft.magnitude_into(out, 1)
        magnitude = list(out)
        fft.power_into(out, 1)
        return exponent, list(fft.bins), magnitude, list(out), fft.power_exponent

    @unittest.skipIf(heap_lock is None or not MICROPYTHON, "needs the MicroPython heap lock")
    def test_does_not_allocate(self):
        fft, x = RealFFT(128, tables.window_q15("hann", 120)), noise(128)
        out = array.array("i", bytes(4 * 65))
        heap_lock()
        try:
            fft.run(x, 7)
            fft.magnitude_into(out)
            fft.power_into(fft.bins, 2, 30)
        finally:
            heap_unlock()


class TablesTest(unittest.TestCase):
    def test_known_values(self):
        self.assertEqual(
            list(tables.sine_q15(8)), [0, 23170, 32767, 23170, 0, -23170, -32768, -23170]
        )
        hann = [0, 16384, 32767, 16384]
        self.assertEqual(list(tables.window_q15("hann", 4)), hann)
        self.assertEqual(list(tables.window_q15("hamming", 3, False)), [2621, 32767, 2621])
        self.assertEqual(list(tables.window_q15("blackman", 3, False)), [0, 32767, 0])

    def test_isqrt(self):
        for value in (0, 1, 2, 3, 4, 24, 25, 26, 2**40 - 1, 2**40):
            root = tables.isqrt(value)
            self.assertTrue(root * root <= value < (root + 1) * (root + 1))


if __name__ == "__main__":
    unittest.main()
