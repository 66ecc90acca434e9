"""Audio front ends in float64 NumPy: what the board's integers are held against.

Formulas of tf.signal (stft, hann_window, hamming_window: python/ops/signal/window_ops.py;
linear_to_mel_weight_matrix: mel_ops.py; mfccs_from_log_mel_spectrograms: mfcc_ops.py), put
together as MLPerf Tiny does (mlcommons/tiny, benchmark/training: keyword_spotting/get_dataset.py
and streaming_wakeword/get_dataset.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hedgerow.errors import ModelError

Floats = NDArray[np.float64]
WINDOWS = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46)}


@dataclass(frozen=True)
class Spec:
    """From samples / 32768 to features.

    real feature = log_scale * ln(band + epsilon) + log_offset, clipped to clip; of magnitudes, or
    with power of |X|**2 * power_gain. coefficients: of the DCT-II, None for the bands themselves.
    normalise: the clip is first divided by its largest sample. emphasis: x[i] - 31/32 x[i-1].
    """

    fs_hz: int = 16000
    window: int = 480
    hop: int = 320
    frames: int = 49
    shape: str = "hann"
    periodic: bool = True
    bands: int = 40
    low_hz: float = 20.0
    high_hz: float = 4000.0
    power: bool = False
    power_gain: float = 1.0
    emphasis: bool = False
    epsilon: float = 1e-6
    log_scale: float = 1.0
    log_offset: float = 0.0
    clip: tuple[float, float] | None = None
    coefficients: int | None = None
    normalise: bool = False

    @property
    def n_fft(self) -> int:
        """Smallest power of two that holds the window, at least 16."""
        return max(16, 1 << (self.window - 1).bit_length())

    @property
    def features(self) -> int:
        return self.bands if self.coefficients is None else self.coefficients


SPECS = {
    # MLPerf Tiny keyword spotting: 49 frames of 10 MFCCs.
    "kws": Spec(coefficients=10, normalise=True),
    # MLPerf Tiny streaming wake word: 30 frames of 40 log-mel energies in 0..1.
    "sww": Spec(
        window=1024,
        hop=512,
        frames=30,
        shape="hamming",
        periodic=False,
        low_hz=0.0,
        high_hz=8000.0,
        power=True,
        power_gain=1 / 1024,
        emphasis=True,
        epsilon=1e-30,
        log_scale=10 / np.log(10) / 64,
        log_offset=52 / 64,
        clip=(0.0, 1.0),
    ),
    # The shape of TFLM's micro_speech, without its noise reduction and PCAN.
    "log_mel_40": Spec(low_hz=125.0, high_hz=7500.0),
}


def window_of(spec: Spec) -> Floats:
    """(window,) in 0..1. Raises ModelError for a shape that is not in WINDOWS."""
    if spec.shape not in WINDOWS:
        raise ModelError(f"front end: no window {spec.shape!r}, known: {', '.join(WINDOWS)}")
    a0, a1 = WINDOWS[spec.shape]
    turn = spec.window if spec.periodic else spec.window - 1
    return np.asarray(a0 - a1 * np.cos(2 * np.pi * np.arange(spec.window) / turn))


def mel_matrix(spec: Spec) -> Floats:
    """(n_fft / 2 + 1, bands): triangles that are linear in mel, DC left out."""

    def mel(hz: Floats | float) -> Floats:
        return np.asarray(1127.0 * np.log1p(np.asarray(hz) / 700.0))

    edges = np.linspace(mel(spec.low_hz), mel(spec.high_hz), spec.bands + 2)
    bins = mel(np.linspace(0, spec.fs_hz / 2, spec.n_fft // 2 + 1))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights


def dct_matrix(spec: Spec) -> Floats:
    """(coefficients, bands): DCT-II * sqrt(2 / bands), HTK's scaling; identity without DCT."""
    if spec.coefficients is None:
        return np.eye(spec.bands)
    k, j = np.arange(spec.coefficients)[:, None], np.arange(spec.bands)
    return np.asarray(np.sqrt(2 / spec.bands) * np.cos(np.pi * k * (2 * j + 1) / (2 * spec.bands)))


def bands_of(spec: Spec, samples: NDArray[np.int16]) -> Floats:
    """(n, bands): mel energies or magnitudes of every whole frame, before the logarithm."""
    x = samples.astype(np.float64) / 32768
    if spec.normalise and x.max(initial=0.0) > 0:
        x = x / x.max()
    if spec.emphasis:
        x = x - 31 / 32 * np.concatenate([[0.0], x[:-1]])
    frames = np.lib.stride_tricks.sliding_window_view(x, spec.window)[:: spec.hop]
    spectrum = np.abs(np.fft.rfft(frames * window_of(spec), spec.n_fft))
    if spec.power:
        spectrum = spec.power_gain * spectrum**2
    return np.asarray(spectrum @ mel_matrix(spec))


def features_of(spec: Spec, samples: NDArray[np.int16]) -> Floats:
    """(n, features): real features of every whole frame of the samples."""
    levels = spec.log_scale * np.log(bands_of(spec, samples) + spec.epsilon) + spec.log_offset
    if spec.clip is not None:
        levels = np.clip(levels, *spec.clip)
    return np.asarray(levels @ dct_matrix(spec).T)


def quantised(features: Floats, scale: float, zero_point: int) -> NDArray[np.int8]:
    """int8 as TFLite's QUANTIZE: halves away from zero, clamped."""
    steps = features / scale
    rounded = np.sign(steps) * np.floor(np.abs(steps) + 0.5)
    return np.clip(rounded + zero_point, -128, 127).astype(np.int8)
