"""Biquads, Fir and Cic against scipy.signal, within the errors that README.md states."""

import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import signal

from hedge.core.errors import ConfigError
from hedge.dsp.fir import Cic, Fir
from hedge.dsp.iir import Biquads
from hedgerow.convert.dsp import filters
from hedgerow.errors import ModelError

SOS = {
    "low pass 0.1": signal.butter(4, 0.1, output="sos"),
    "low pass 0.01": signal.butter(2, 0.01, output="sos"),
    "high pass": signal.butter(4, 0.02, "high", output="sos"),
    "band pass": signal.butter(3, [0.05, 0.1], "band", output="sos"),
    "narrow band": signal.butter(2, [0.05, 0.06], "band", output="sos"),
    "notch": signal.tf2sos(*signal.iirnotch(0.1, 30)),
    "elliptic": signal.ellip(6, 1, 60, 0.2, output="sos"),
    "chebyshev": signal.cheby1(8, 0.5, 0.3, output="sos"),
    "odd order": signal.bessel(3, 0.2, output="sos"),
}
INT16 = hnp.arrays(np.int16, st.integers(1, 300), elements=st.integers(-32768, 32767))


def signals(n=3000):
    rng = np.random.default_rng(1)
    return {
        "noise": rng.integers(-32768, 32768, n),
        "step": np.full(n, 30000),
        "quiet": rng.integers(-20, 21, n),
        "sine": np.round(20000 * np.sin(0.05 * np.arange(n))),
    }


def run(device, x):
    out = array.array("h", bytes(2 * len(x)))
    made = device.process(array.array("h", np.asarray(x).astype(np.int16).tolist()), out)
    return np.array(out[: len(x) if made is None else made])


@pytest.mark.parametrize("name", SOS)
def test_biquads_are_within_a_rounding_of_sosfilt(name):
    """0.53 of a unit; 0.5 is the rounding to int16 itself."""
    device = Biquads(filters.biquads(SOS[name]))
    for kind, x in signals().items():
        wanted = signal.sosfilt(SOS[name], x.astype(float))
        fits = np.abs(wanted) < 32767
        device.reset()
        assert np.abs(run(device, x) - wanted)[fits].max() < 0.53, kind


@settings(max_examples=30, deadline=None)
@given(INT16, st.sampled_from(sorted(SOS)), st.integers(1, 70))
def test_biquads_of_any_samples_in_any_blocks(x, name, block):
    """Cutting the stream changes nothing; full-scale squares may clip inside: then no claim."""
    coefs = filters.biquads(SOS[name])
    whole, cut = Biquads(coefs), Biquads(coefs, block)
    got = run(whole, x)
    assert np.array_equal(got, np.concatenate([run(cut, x[:7]), run(cut, x[7:])]))
    wanted = signal.sosfilt(SOS[name], x.astype(float))
    clipped = np.clip(wanted, -32768, 32767)
    assert np.abs(got - clipped).max() < 0.53


def test_no_limit_cycle_and_no_offset():
    """After a step the output settles to it exactly, and to zero exactly."""
    device = Biquads(filters.biquads(signal.butter(2, 0.01, output="sos")))
    x = np.concatenate([np.full(3000, 12345), np.zeros(3000)])
    got = run(device, x)
    assert set(got[2500:3000]) == {12345}
    assert set(got[5500:]) == {0}


@pytest.mark.parametrize("step", [1, 4])
@pytest.mark.parametrize("n", [2, 8, 31, 101])
def test_fir_is_within_its_taps_rounding_of_lfilter(n, step):
    """n / 2**shift / 2 of full scale for the taps, half a unit for the output; exact at DC."""
    taps = signal.firwin(n, 0.2)
    values, shift = filters.fir(taps)
    for kind, x in signals().items():
        got = run(Fir(values, shift, step), x)
        wanted = np.clip(signal.lfilter(taps, 1, x), -32768, 32767)[step - 1 :: step]
        assert len(got) == len(wanted)
        bound = 0.51 + n * np.abs(x).max() / 2 ** (shift + 1)
        assert np.abs(got - wanted).max() < bound, kind
        if kind == "step":
            assert np.abs(got - wanted)[n:].max() <= 1


@settings(max_examples=40, deadline=None)
@given(INT16, st.lists(st.integers(-6000, 6000), min_size=1, max_size=10), st.integers(1, 5))
def test_fir_is_exact_for_integer_taps(x, taps, step):
    device = Fir(taps, 12, step)
    got = np.concatenate([run(device, x[:9]), run(device, x[9:])])
    acc = np.convolve(x.astype(int), taps)[: len(x)][step - 1 :: step]
    assert np.array_equal(got, np.clip((acc + 2048) >> 12, -32768, 32767))


@pytest.mark.parametrize(("step", "order"), [(2, 1), (8, 3), (10, 4), (40, 3), (2, 6)])
def test_cic_is_a_cascade_of_moving_means(step, order):
    kernel = np.ones(1)
    for _ in range(order):
        kernel = np.convolve(kernel, np.ones(step) / step)
    for x in signals().values():
        wanted = signal.lfilter(kernel, 1, x)[step - 1 :: step]
        assert np.abs(run(Cic(step, order), x) - wanted).max() < (0.51 if step in (2, 8) else 1.26)


def test_cic_then_fir_decimates_a_tone():
    """32 kHz to 1 kHz: a 60 Hz tone stays, one at 5 kHz is gone, as scipy.signal.decimate."""
    t = np.arange(32000) / 32000
    x = 8000 * np.sin(2 * np.pi * 60 * t) + 8000 * np.sin(2 * np.pi * 5000 * t)
    values, shift = filters.fir(signal.firwin(33, 0.4))
    got = run(Fir(values, shift, 2), run(Cic(16, 3), x))[100:]
    spectrum = np.abs(np.fft.rfft(got * signal.get_window("hann", len(got)))) / len(got) * 4
    assert len(got) == 900
    assert abs(spectrum[54] / 8000 - 1) < 0.02
    assert np.delete(spectrum, [52, 53, 54, 55, 56]).max() < 8


@pytest.mark.parametrize(
    ("sos", "message"),
    [
        ([[1, 0, 0, 1, -2.1, 1.2]], "section 0 is not stable"),
        ([[1, 0, 0, 1, 0, 0], [1, 0, 0, 1, -2, 1]], "section 1 is not stable"),
        ([[5, -10, 5, 1, 0, 0]], "section 0 sums to 20.00"),
        ([[1, 2, 3]], "needs \\(sections, 6\\)"),
        ([[1, 2, np.nan, 1, 0, 0]], "finite"),
    ],
)
def test_biquads_refuses(sos, message):
    with pytest.raises(ModelError, match=message):
        filters.biquads(sos)


@pytest.mark.parametrize(
    ("taps", "message"),
    [([], "0 taps"), ([0.0, 0.0], "sum to 0"), ([999.0], "at most 128"), ([np.inf], "inf")],
)
def test_fir_refuses(taps, message):
    with pytest.raises(ModelError, match=message):
        filters.fir(taps)


def test_device_refuses():
    for make in (
        lambda: Biquads([1, 2, 3]),
        lambda: Biquads([1 << 29] * 5),
        lambda: Fir([]),
        lambda: Fir([65001]),
        lambda: Fir([1], step=0),
        lambda: Cic(1),
        lambda: Cic(41, 3),
    ):
        with pytest.raises(ConfigError):
            make()
    x, short = array.array("h", bytes(20)), array.array("h", bytes(8))
    for device in (Biquads([1, 0, 0, 0, 0]), Fir([1]), Cic(2)):
        with pytest.raises(ConfigError):
            device.process(x, short)
        with pytest.raises(ConfigError):
            device.process(short, x, 5)
