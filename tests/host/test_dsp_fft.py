"""RealFFT, windows and tables against NumPy and SciPy."""

import array

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.signal import get_window

from hedge.core.errors import ConfigError
from hedge.dsp import tables
from hedge.dsp.fft import RealFFT

SIZES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096]


def spectrum(x, window=None, **more):
    """(complex bins of RealFFT, RealFFT) of int16 samples."""
    fft = RealFFT(len(x), window, **more)
    fft.run(array.array("h", np.asarray(x).astype(np.int16).tolist()))
    parts = np.array(fft.bins) * 2.0**fft.exponent
    return parts[::2] + 1j * parts[1::2], fft


def snr_db(got, wanted):
    return 10 * np.log10((np.abs(wanted) ** 2).sum() / (np.abs(got - wanted) ** 2).sum())


def signals(n):
    t, rng = np.arange(n), np.random.default_rng(n)
    return {
        "noise": rng.integers(-32768, 32768, n),
        "quiet noise": rng.integers(-3, 4, n),
        "sine": np.round(32767 * np.sin(2 * np.pi * 3.3 * t / n)),
        "quiet sine": np.round(100 * np.sin(2 * np.pi * 3.3 * t / n)),
        "impulse": 32767 * (t == 3),
    }


@pytest.mark.parametrize("n", SIZES)
def test_error_against_numpy(n):
    """SNR over all bins as README.md states it; the worst bin 60 dB below the largest."""
    for name, x in signals(n).items():
        wanted = np.fft.rfft(x)
        got, _ = spectrum(x)
        assert snr_db(got, wanted) > (65 if n <= 1024 else 60), name
        assert np.abs(got - wanted).max() < 1e-3 * np.abs(wanted).max(), name


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("level", [-32768, 32767, 1, -1])
def test_dc_and_nyquist_are_exact(n, level):
    got, _ = spectrum(np.full(n, level))
    assert got[0] == level * n
    assert np.abs(got[1:]).max() == 0
    if level < 32767:
        got, _ = spectrum(np.where(np.arange(n) % 2, level, -(level + 1)))
        assert abs(got[-1] - -n * (level + 0.5)) <= 1e-3 * n * abs(level + 0.5)


def test_silence():
    got, fft = spectrum(np.zeros(64))
    assert not got.any()
    out = array.array("i", [7] * 33)
    fft.magnitude_into(out)
    assert not any(out)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([16, 32, 64, 128]).flatmap(
        lambda n: hnp.arrays(np.int16, n, elements=st.integers(-32768, 32767))
    )
)
@example(np.array([-32768, 32767] * 32, dtype=np.int16))
def test_any_samples(x):
    wanted = np.fft.rfft(x.astype(float))
    got, _ = spectrum(x)
    assert np.abs(got - wanted).max() <= 1e-3 * np.abs(wanted).max()


@pytest.mark.parametrize("shape", ["hann", "hamming", "blackman"])
def test_windowed(shape):
    """A window shorter than the transform: zeros behind it; start goes round the ring."""
    rng = np.random.default_rng(3)
    x = rng.integers(-20000, 20000, 500)
    fft = RealFFT(512, tables.window_q15(shape, 480))
    fft.run(array.array("h", x.tolist()), start=100)
    parts = np.array(fft.bins) * 2.0**fft.exponent
    wanted = np.fft.rfft(np.roll(x, -100)[:480] * get_window(shape, 480), 512)
    assert snr_db(parts[::2] + 1j * parts[1::2], wanted) > 70


def test_emphasis():
    rng = np.random.default_rng(4)
    x = rng.integers(-30000, 30000, 256)
    fft = RealFFT(256, tables.window_q15("hamming", 256, False), emphasis=True)
    fft.run(array.array("h", x.tolist()), before=1000)
    y = x - 31 / 32 * np.concatenate([[1000], x[:-1]])
    wanted = np.fft.rfft(y * get_window("hamming", 256, False))
    parts = np.array(fft.bins) * 2.0**fft.exponent
    assert snr_db(parts[::2] + 1j * parts[1::2], wanted) > 70


@pytest.mark.parametrize("first", [0, 5])
def test_magnitude_and_power(first):
    rng = np.random.default_rng(5)
    bins, fft = spectrum(rng.integers(-30000, 30000, 256))
    out = array.array("i", bytes(4 * 100))
    fft.magnitude_into(out, first, 100)
    wanted = np.abs(bins[first : first + 100])
    assert np.abs(np.array(out) * 2.0**fft.magnitude_exponent / wanted - 1).max() < 2**-12.5
    fft.power_into(out, first, 100)
    error = np.array(out) * 2.0**fft.power_exponent - wanted**2
    assert np.abs(error).max() < 2**-13 * (np.abs(bins) ** 2).max()


@pytest.mark.parametrize("shape", ["hann", "hamming", "blackman"])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("n", [2, 3, 16, 480, 481, 1024])
def test_windows_equal_scipy(shape, periodic, n):
    wanted = np.clip(get_window(shape, n, periodic) * 32768, 0, 32767)
    assert np.abs(np.array(tables.window_q15(shape, n, periodic)) - wanted).max() <= 0.5001


def test_tables_are_rounded_values():
    i = np.arange(65)
    assert np.abs(np.array(tables.log2_table()) - 16384 * np.log2(1 + i / 64)).max() <= 0.51
    i = np.arange(32, 257)
    assert np.abs(np.array(tables.sqrt_table()) - np.sqrt(i * 2.0**23)).max() <= 0.5
    for n in (16, 512, 4096):
        wanted = np.minimum(32768 * np.sin(2 * np.pi * np.arange(n) / n), 32767)
        assert np.abs(np.array(tables.sine_q15(n)) - wanted).max() <= 0.5001


@pytest.mark.parametrize("n", [0, 8, 15, 48, 8192])
def test_refuses_sizes(n):
    with pytest.raises(ConfigError, match="power of two from 16 to 4096"):
        RealFFT(n)


def test_refuses_what_does_not_fit():
    with pytest.raises(ConfigError, match="window of 33 for 32"):
        RealFFT(32, array.array("h", bytes(66)))
    fft = RealFFT(32)
    for samples, start in ((31, 0), (32, 32), (32, -1)):
        with pytest.raises(ConfigError, match="needs 32"):
            fft.run(array.array("h", bytes(2 * samples)), start)
    with pytest.raises(ConfigError, match="bins 10 \\+ 8 of 17 into 20"):
        fft.power_into(array.array("i", bytes(80)), 10, 8)
    with pytest.raises(ConfigError, match="window"):
        tables.window_q15("kaiser", 16)
