"""Audio front ends: the definition against SciPy, the board's integers against the definition,
and both through the models of MLPerf Tiny."""

import array
import dataclasses

import numpy as np
import pytest
import scipy.fft
from audio_clips import clips
from scipy.signal import chirp, get_window

from hedge.core.errors import ModelError as DeviceModelError
from hedge.dsp.logmel import LogMel
from hedgerow.convert.dsp import definition, frontend
from hedgerow.convert.dsp.definition import SPECS, Spec
from hedgerow.errors import ModelError

# Input scale and zero point of the models in ../shared; log_mel_40 has no model.
QUANT = {"kws": (0.5847029, 83), "sww": (0.003701042, -128), "log_mel_40": (0.1, 50)}


def on_board(spec, x, scale, zero_point):
    """(frames, features) int8 of the last frames, as the board computes them."""
    mel = LogMel(frontend.build(spec, scale, zero_point))
    mel.push(array.array("h", x.tolist()))
    out = array.array("b", bytes(mel.frames * mel.features))
    mel.vector_into(out)
    return np.array(out, dtype=np.int8).reshape(mel.frames, mel.features)


def in_float(spec, x, scale, zero_point):
    features = definition.features_of(spec, x)[-spec.frames :]
    return definition.quantised(features, scale, zero_point)


def synthetic(seed):
    """A second of sweep, clicks and noise whose level rises by 40 dB; int16.

    A band 65 dB below the strongest bin of its frame is at the FFT's own noise (README.md).
    """
    rng, t = np.random.default_rng(seed), np.arange(16000) / 16000
    x = 9000 * chirp(t, 100, 1, 7000) + rng.normal(0, 30 * 10 ** (2 * t), 16000)
    x[3000::2500] += 8000
    return np.clip(x, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("name", SPECS)
def test_int8_of_loud_and_quiet_bands(name):
    for seed in range(4):
        x = synthetic(seed)
        got = on_board(SPECS[name], x, *QUANT[name]).astype(int)
        difference = np.abs(got - in_float(SPECS[name], x, *QUANT[name]))
        assert difference.max() <= 3
        assert (difference > 0).mean() < 0.06
        assert (difference > 1).mean() < 0.003
        assert len(np.unique(got)) > 30  # not all clamped


@pytest.mark.parametrize("name", ["kws", "sww"])
def test_recordings_give_the_same_int8(name, need_shared):
    """README.md has the figures: 0.3 % of bytes differ. A byte in a thousand may by more than 1:
    a frame of silence with a sample or two at its edge is near the added epsilon, here a floor.
    """
    differing = []
    for x in clips(need_shared("data/audio"), step=20).values():
        got = on_board(SPECS[name], x, *QUANT[name]).astype(int)
        differing.append(np.abs(got - in_float(SPECS[name], x, *QUANT[name])))
    assert len(differing) > 20
    assert (np.array(differing) > 0).mean() < 0.01
    assert (np.array(differing) > 1).mean() < 0.001


@pytest.mark.parametrize(
    ("name", "file"), [("kws", "kws_ref_model.tflite"), ("sww", "str_ww_ref_model.tflite")]
)
def test_the_model_says_the_same(name, file, need_shared):
    from hedgerow.convert.oracle import run_tflm  # needs the whole converter

    tflite = need_shared(f"models/mlperf_tiny/{file}").read_bytes()
    recordings = clips(need_shared("data/audio"), step=8)
    spec, quant = SPECS[name], QUANT[name]
    board = run_tflm(tflite, np.array([on_board(spec, x, *quant) for x in recordings.values()]))
    exact = run_tflm(tflite, np.array([in_float(spec, x, *quant) for x in recordings.values()]))
    same = board.argmax(axis=1) == exact.argmax(axis=1)
    assert same.mean() >= 0.98, [n for n, s in zip(recordings, same, strict=True) if not s]
    if name == "kws":  # classes 9 and 10 are "yes" and "silence"
        top = dict(zip(recordings, board.argmax(axis=1), strict=True))
        assert (top["yes_1000ms"], top["silence_1000ms"]) == (9, 10)


def test_definition_uses_what_scipy_has():
    spec = SPECS["kws"]
    assert np.allclose(definition.window_of(spec), get_window("hann", 480))
    wanted = get_window("hamming", 1024, fftbins=False)
    assert np.allclose(definition.window_of(SPECS["sww"]), wanted)
    x = np.random.default_rng(0).normal(size=40)
    dct = scipy.fft.dct(x)[:10] / np.sqrt(2 * 40)  # mfcc_ops.py
    assert np.allclose(definition.dct_matrix(spec) @ x, dct)


def test_mel_triangles():
    """Neighbours sum to 1 between the first and the last centre; no DC; nothing above the top."""
    weights = definition.mel_matrix(SPECS["sww"])
    hz = np.linspace(0, 8000, 513)
    mel = 1127 * np.log(1 + hz / 700)
    step = 1127 * np.log(1 + 8000 / 700) / 41
    inside = (mel > step) & (mel < 40 * step)
    assert np.allclose(weights.sum(axis=1)[inside], 1)
    assert not weights[0].any()
    kws = definition.mel_matrix(SPECS["kws"])
    assert not kws[np.linspace(0, 8000, 257) >= 4000].any()


def test_a_band_without_bins_stays_at_the_floor():
    spec = Spec(window=32, hop=32, frames=1, bands=30, low_hz=0, high_hz=8000)
    got = on_board(spec, synthetic(1), 0.1, 50)[0]
    empty = ~definition.mel_matrix(spec).any(axis=0)
    floor = round(np.log(1e-6) / 0.1) + 50
    assert empty.any()
    assert (got[empty] == floor).all()
    assert (got[~empty] > floor + 20).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hop": 481}, "window 480, hop 481"),
        ({"window": 5000, "hop": 1}, "window 5000"),
        ({"high_hz": 9000.0}, "9000.0 Hz: within 0 to 8000.0 Hz"),
        ({"bands": 0}, "0 bands"),
        ({"frames": 0}, "0 frames"),
        ({"shape": "kaiser"}, "no window 'kaiser', known: hann, hamming"),
        ({"low_hz": 30.0, "high_hz": 31.0, "bands": 1}, "no FFT bin lies in any band"),
    ],
)
def test_refuses_what_does_not_fit(change, message):
    with pytest.raises(ModelError, match=message):
        frontend.build(dataclasses.replace(SPECS["kws"], **change), 0.5, 0)


def test_refuses_scales():
    with pytest.raises(ModelError, match="input scale 0"):
        frontend.build(SPECS["kws"], 0.0, 0)
    with pytest.raises(ModelError, match="steps of the model's input per feature unit"):
        frontend.build(SPECS["kws"], 1e-8, 0)


def test_damage_is_seen():
    data = bytearray(frontend.build(SPECS["kws"], 0.5, 0))
    data[2000] ^= 1
    with pytest.raises(DeviceModelError, match="check sum"):
        LogMel(bytes(data))
