"""From a Spec and a model's input to the board's .hfe file (firmware/hedge/dsp/SPEC.md)."""

import binascii
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedge.dsp import frontend as device
from hedge.dsp import tables
from hedgerow.convert.dsp import definition
from hedgerow.convert.dsp.definition import Floats, Spec
from hedgerow.errors import ModelError

_HEADER_BYTES = 76
_WEIGHTS_SUM = 65000  # below 65535 by more than rounding can add
_ROW_SUM = 65000
_Q10 = 1024 / np.log(2)  # levels of the board per neper


@dataclass(frozen=True)
class _Bands:
    """first, count, offset: of each band; weights: all; first_bin, bin_count: of all bands."""

    triples: NDArray[np.int16]
    weights: NDArray[np.uint16]
    first_bin: int
    bin_count: int


def build(spec: Spec, scale: float, zero_point: int) -> bytes:
    """The .hfe file for a model with this input scale and zero point.

    Raises ModelError naming the setting that does not fit.
    """
    _check(spec, scale)
    bands = _bands(spec)
    rows, shift, feature_scale = _matrix(spec)
    factor, quant_shift = _factor(feature_scale / scale)
    response = 2 if spec.power else 1
    dct = rows.reshape(-1, spec.bands).sum(1) / (1 << shift) if rows.size else np.ones(spec.bands)
    sections = [
        np.array(tables.sine_q15(spec.n_fft), np.int16),
        np.array(tables.sqrt_table(), np.uint16),
        np.array(tables.log2_table(), np.uint16),
        _window(spec),
        bands.triples,
        bands.weights,
        rows,
        np.round(8192 * response * dct).astype(np.int16),
    ]
    flags = device.POWER * spec.power | device.EMPHASIS * spec.emphasis
    flags |= device.MATRIX * (rows.size > 0) | device.NORMALISE * spec.normalise
    fields = [spec.n_fft, spec.window, spec.hop, spec.frames, spec.bands, spec.features]
    fields += [bands.first_bin, bands.bin_count, flags, _floor(spec), _base(spec)]
    fields += [shift, quant_shift, zero_point, factor]
    rest = (feature_scale, spec.fs_hz & 0xFFFF, spec.fs_hz >> 16, len(bands.weights), 0)
    header = struct.pack("<9HhiBBhi", *fields) + struct.pack("<f4H", *rest)
    return _sealed(header, sections)


def _check(spec: Spec, scale: float) -> None:
    wrong = ""
    if not 2 <= spec.window <= 4096 or not 1 <= spec.hop <= spec.window:
        wrong = f"window {spec.window}, hop {spec.hop}: 1 <= hop <= window <= 4096"
    elif not 1 <= spec.bands <= 256 or not 1 <= spec.features <= 256:
        wrong = f"{spec.bands} bands, {spec.features} features: 1 to 256"
    elif not 1 <= spec.frames <= 1024:
        wrong = f"{spec.frames} frames: 1 to 1024"
    elif not 0 <= spec.low_hz < spec.high_hz <= spec.fs_hz / 2:
        wrong = f"{spec.low_hz} to {spec.high_hz} Hz: within 0 to {spec.fs_hz / 2} Hz"
    elif not scale > 0:
        wrong = f"input scale {scale}: above 0"
    if wrong:
        raise ModelError(f"front end: {wrong}")


def _window(spec: Spec) -> NDArray[np.int16]:
    definition.window_of(spec)  # knows the shapes
    return np.array(tables.window_q15(spec.shape, spec.window, spec.periodic), np.int16)


def _bands(spec: Spec) -> _Bands:
    matrix = definition.mel_matrix(spec)
    used = np.flatnonzero(matrix.any(axis=1))
    if not used.size:
        raise ModelError(
            "front end: no FFT bin lies in any band: use fewer bands or a longer window"
        )
    first_bin, bin_count = int(used[0]), int(used[-1] - used[0] + 1)
    triples, weights = [], []
    for column in matrix.T:
        bins = np.flatnonzero(column)
        if not bins.size:
            triples.append((0, 0, 0))
            continue
        gain = min(_WEIGHTS_SUM / column.sum(), 2.0**30)
        values = np.round(column[bins[0] : bins[-1] + 1] * gain)
        triples.append((bins[0] - first_bin, len(values), round(-1024 * np.log2(gain))))
        weights.append(values)
    flat = np.concatenate(weights).astype(np.uint16)
    return _Bands(np.array(triples, np.int16).reshape(-1), flat, first_bin, bin_count)


def _zero_offset_q10(spec: Spec) -> float:
    """Level that stands for a real 0 before the matrix, of real = log_scale * ln + log_offset."""
    return float(spec.log_offset / spec.log_scale * _Q10)


def _base(spec: Spec) -> int:
    """Samples to +-1, power_gain, and the offset of the real feature."""
    samples = -15 * 1024 * (2 if spec.power else 1)
    gain = _Q10 * np.log(spec.power_gain) if spec.power else 0.0
    return round(samples + gain + _zero_offset_q10(spec))


def _floor(spec: Spec) -> int:
    level = _Q10 * np.log(spec.epsilon) + _zero_offset_q10(spec)
    if spec.clip is not None:
        level = max(level, spec.clip[0] / spec.log_scale * _Q10)
    return round(max(level, -32768))


def _matrix(spec: Spec) -> tuple[NDArray[np.int16], int, float]:
    """(rows, shift, real value of a feature unit). Without DCT no rows."""
    if spec.coefficients is None:
        return np.array([], np.int16), 0, float(spec.log_scale / _Q10)
    real: Floats = definition.dct_matrix(spec) * spec.log_scale / _Q10  # per unit of level
    # The first row is constant and its sum large: its entries are made exact integers.
    entry = int(min(_ROW_SUM / np.abs(real).sum(axis=1).max() * real[0, 0], 32767))
    rows = np.round(real / real[0, 0] * entry).astype(np.int16)
    most = np.abs(rows.astype(int)).sum(axis=1).max()
    shift = 0
    while most > 1 << shift:  # levels within +-32767 give features within +-32767
        shift += 1
    return rows, shift, float(real[0, 0] / entry * (1 << shift))


def _factor(ratio: float) -> tuple[int, int]:
    """(factor, shift) with ratio = factor / 2**shift, factor 15 bits."""
    shift = 0
    while ratio * (1 << shift) < 16384 and shift < 24:
        shift += 1
    factor = round(ratio * (1 << shift))
    if not 0 < factor <= 32767:
        raise ModelError(f"front end: {ratio:g} steps of the model's input per feature unit")
    return factor, shift


def _sealed(fields: bytes, sections: list[NDArray[Any]]) -> bytes:
    offsets, body, at = [], b"", _HEADER_BYTES
    for section in sections:
        offsets.append((at + len(body)) // 4)
        data = section.astype(section.dtype.newbyteorder("<")).tobytes()
        body += data + bytes(-len(data) % 4)
    rest = fields + struct.pack("<8H", *offsets) + body
    head = struct.pack("<4sHHI", b"HFE1", 1, _HEADER_BYTES, 16 + len(rest))
    return head + struct.pack("<I", binascii.crc32(rest)) + rest
