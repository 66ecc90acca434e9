"""The DSP kernels: viper source on simulated 32- and 64-bit words equals the portable kernels."""

import array
import importlib

import numpy as np
import pytest
from viper_words import Machine, Word, Word64, copies

from hedge.dsp import tables
from hedge.dsp.iir import Biquads

pytestmark = pytest.mark.parametrize("word", [Word, Word64])


def check(word, stem, name, *args):
    """Run both; same result, same arrays. Returns the result and the arguments as left behind."""
    module = importlib.import_module(f"hedge.dsp.portable_{stem}")
    wanted, got = copies(args), copies(args)
    result = getattr(module, name)(*wanted)
    assert Machine(word, f"hedge/dsp/viper_{stem}.py").call(name, *got) == result
    assert got == wanted
    return result, got


def ints(rng, kind, n, low, high):
    return array.array(kind, rng.integers(low, high, n, endpoint=True).tolist())


def samples(rng, n, seed):
    """Full-scale noise, extremes, quiet noise, one sample."""
    if seed % 4 == 1:
        return array.array("h", rng.choice([-32768, 32767], n).tolist())
    if seed % 4 == 3:
        return array.array("h", [-32768] + [0] * (n - 1))
    return ints(rng, "h", n, *((-32768, 32767) if seed % 4 == 0 else (-3, 3)))


def excess(bits, most):
    return max(0, bits.bit_length() - most)


@pytest.mark.parametrize("how", [0, 1, 2])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [16, 32, 64])
def test_fft(word, n, seed, how):
    rng = np.random.default_rng(seed)
    half, sine = n // 2, tables.sine_q15(n)
    x, work = samples(rng, n, seed), array.array("i", bytes(4 * (n + 2)))
    window = tables.window_q15("hann", n - how)
    args = (x, 3, n, len(window), window, how, -32768, work, half)
    bits, left = check(word, "fft", "load", *args)
    assert bits < 1 << 30, "a small int of a 32-bit board"
    work, length = left[7], 1
    if half & 0xAAA:
        bits, left = check(word, "fft", "radix2", work, half, excess(bits, 15))
        work, length = left[0], 2
    while length < half:
        step = n // (4 * length)
        args = (work, half, length, excess(bits, 15), sine, step)
        bits, left = check(word, "fft", "radix4", *args)
        work, length = left[0], 4 * length
    bits, left = check(word, "fft", "split", work, half, excess(bits, 15), sine)
    assert bits < 1 << 18
    check(word, "fft", "power", left[0], 0, half + 1, excess(bits, 14), left[0])
    out = array.array("i", bytes(4 * (half - 1)))
    check(word, "fft", "magnitude", left[0], 1, half - 1, tables.sqrt_table(), out)


def test_magnitude_of_extremes(word):
    values = [0, 0, 1, 0, 0, -1, 262143, -262143, 32767, 32768, -46341, 1, 15, -15, 1023, 1024]
    out = array.array("i", bytes(32))
    roots = tables.sqrt_table()
    _, left = check(word, "fft", "magnitude", array.array("i", values), 0, 8, roots, out)
    wanted = 1024 * np.hypot(values[::2], values[1::2])
    assert np.abs(np.array(left[4]) - wanted).max() <= (wanted * 2**-13).max()
    assert max(left[4]) < 1 << 30


@pytest.mark.parametrize("seed", range(6))
def test_log_bands(word, seed):
    rng = np.random.default_rng(seed)
    bins = ints(rng, "i", 20, 0, (1 << rng.integers(1, 31)) - 1)
    bins[:4] = array.array("i", [(1 << 30) - 1] * 4)
    bands = array.array("h", [0, 2, -3000, 2, 5, 700, 7, 0, 0, 4, 16, 30000, 4, 1, 0])
    weights = ints(rng, "H", 24, 0, 65535 // 16)
    weights[0], weights[1] = 65535, 0
    out = array.array("h", bytes(10))
    base, floor = int(rng.integers(-40000, 40000)), int(rng.integers(-32768, 10000))
    logs = tables.log2_table()
    live, _ = check(word, "mel", "log_bands", bins, bands, weights, logs, 5, base, floor, out)
    assert 0 <= live <= 5


@pytest.mark.parametrize("extreme", [False, True])
def test_matrix(word, extreme):
    rng = np.random.default_rng(5)
    x, rows = ints(rng, "h", 8, -32768, 32767), ints(rng, "h", 24, -8125, 8125)
    if extreme:
        x, rows = array.array("h", [-32768] * 8), array.array("h", [-8125] * 24)
    for shift in (0, 16, 24):
        check(word, "mel", "matrix", x, 8, rows, shift, 3, array.array("h", bytes(10)), 1)


@pytest.mark.parametrize("gain", [0, -1024, 15360])
def test_quantise(word, gain):
    rng = np.random.default_rng(6)
    x = array.array("h", [-32768, 32767, 0, -1, 1, *rng.integers(-999, 999, 5).tolist()])
    gains = array.array("h", [16384, 32767, -8192, 0, 1, 8192, 8192, 5, 6, 7])
    out = array.array("b", bytes(12))
    for factor, shift in ((32767, 0), (21894, 21), (16384, 24)):
        check(word, "mel", "quantise", x, 0, 10, gains, gain, factor, shift, -128, out, 1)


def test_store(word):
    x = array.array("h", [-32768, 5, 32767, 3])
    ring = array.array("h", bytes(8))
    assert check(word, "mel", "store", x, 1, 3, ring, 1, 7)[0] == 32767
    assert check(word, "mel", "store", x, 0, 2, ring, 0, 7)[0] == 7


@pytest.mark.parametrize("step", [1, 3])
def test_fir(word, step):
    rng = np.random.default_rng(7)
    for seed in range(3):
        x = samples(rng, 20, seed)
        taps = ints(rng, "i", 5, -13000, 13000)
        if seed == 1:
            taps = array.array("i", [65000, 0, 0, 0, 0])
        start = 16384 - 32768 * sum(taps)
        state = array.array("i", [2, step, start, 0])
        ring = array.array("H", [32768] * 10)
        out = array.array("h", bytes(40))
        made, left = check(word, "filter", "fir", x, 20, taps, 5, 15, step, ring, state, out)
        assert made == 20 // step
        check(word, "filter", "fir", x, 20, *left[2:6], *left[6:8], x)  # goes on, in place


COEFS = {
    "positive": [1 << 29, 1 << 29, 1 << 29, 1 << 28, 241591910],
    "negative": [-(1 << 29), -(1 << 29), -(1 << 29), -(1 << 28), -241591910],
    "resonant": [268435, 0, -268435, 536000000, -268000000],
    "odd": [16383, -16384, 16385, -1, (1 << 28) - 1],
}


@pytest.mark.parametrize("coefs", COEFS.values(), ids=COEFS)
def test_biquad(word, coefs):
    Biquads(coefs)  # accepts them
    rng = np.random.default_rng(8)
    most = (1 << 28) - 1
    for low, high in ((-most, most), (most, most), (-most, -most), (-5, 5)):
        work = ints(rng, "i", 12, low, high)
        state = array.array("i", [0] * 5 + [most, -most, most, -most, 16383])
        both = array.array("i", coefs + coefs)
        for section in (0, 1):
            _, left = check(word, "filter", "biquad", work, 12, both, state, section)
            work, state = left[0], left[3]


def test_widen_and_narrow(word):
    x = array.array("h", [0, -32768, 32767, 5])
    work = array.array("i", bytes(12))
    _, left = check(word, "filter", "widen", x, 1, 3, work)
    assert list(left[3]) == [-32768 << 11, 32767 << 11, 5 << 11]
    work = array.array("i", [(1 << 28) - 1, 1 - (1 << 28), 1023, 1024, -1025])
    _, left = check(word, "filter", "narrow", work, 5, array.array("h", bytes(12)), 1)
    assert list(left[2]) == [0, 32767, -32768, 0, 1, -1]


@pytest.mark.parametrize(("step", "order"), [(2, 1), (4, 3), (16, 4)])
def test_cic(word, step, order):
    rng, gain = np.random.default_rng(9), step**order
    down = gain.bit_length() - 1
    for seed in range(3):
        x = samples(rng, 40, seed)
        state = array.array("I", [step, 0] + [0xFFFFFFF0] * order + [0] * order)
        out = array.array("h", bytes(80))
        args = (x, 40, order, step, down, (1 << (15 + down)) // gain, state, out)
        made, left = check(word, "filter", "cic", *args)
        assert made == 40 // step
        check(word, "filter", "cic", x, 40, *left[2:7], x)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("zero", "level"), [(0, 0), (-32768, 100), (32767, 32767), (-3, 2)])
def test_scan_and_lags(word, seed, zero, level):
    x = samples(np.random.default_rng(seed), 30, seed)
    check(word, "stats", "scan", x, 30, zero, level, array.array("i", bytes(24)))
    for shift in (9, 15, 20):
        check(word, "stats", "lags", x, 30, zero, 0, 8, shift, array.array("i", bytes(32)))


def test_scan_of_the_longest_block(word):
    for value in (-32768, 32767):
        x = array.array("h", [value]) * 300
        _, left = check(word, "stats", "scan", x, 300, 0, 0, array.array("i", bytes(24)))
        assert 32767 * left[4][1] // 300 < 1 << 30  # 32767 of them are still small ints


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("wide", [0, 1])
def test_peaks(word, seed, wide):
    rng = np.random.default_rng(seed)
    low, high = ((-(1 << 29), 1 << 29) if wide else (-32768, 32767)) if seed % 2 else (-2, 2)
    x = ints(rng, "i" if wide else "h", 40, low, high)
    out = array.array("H", bytes(12))
    found, left = check(word, "peaks", "maxima", x, wide, 40, -1, out, 6)
    assert found > 3
    for at in left[4][: min(found, 6)]:
        check(word, "peaks", "prominence", x, wide, 40, at, array.array("i", [0]))
    assert check(word, "peaks", "maxima", x, wide, 1, 0, out, 6)[0] == 0
