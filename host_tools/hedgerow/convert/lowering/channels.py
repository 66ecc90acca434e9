"""What layers with weights share: weights, bias, multipliers and clamp, all numbers final."""

from typing import Any

import numpy as np

from hedgerow.convert.emit.layout import MAX_SIDE, MAX_TAPS
from hedgerow.convert.lowering.build import Builder
from hedgerow.convert.ops.quant import ACTIVATIONS, activation_range, multipliers
from hedgerow.errors import ModelError

INT32 = 1 << 31
_MIN_SHIFT, _MAX_SHIFT = -31, 30


def clamp(build: Builder, activation: str) -> dict[str, int]:
    known = activation in ACTIVATIONS
    build.need(known, f"fused activation {activation} is not supported: use {ACTIVATIONS}")
    low, high = activation_range(activation, build.output)
    build.need(low <= high, f"fused activation {activation} leaves nothing of the output's range")
    return {"zero_point": build.output.zero_point, "act_min": low, "act_max": high}


def weights(build: Builder, place: int, ranks: int, axis: int) -> np.ndarray:
    """The constant int8 weights; channels along `axis`."""
    tensor = build.input(place)
    data = tensor.data
    if data is None or tensor.dtype != "int8" or data.ndim != ranks or not data.size:
        build.need(False, f"weights must be constant int8 of rank {ranks}")
        raise AssertionError
    symmetric = not tensor.zero_point and tensor.scales and all(tensor.scales)
    fits = len(tensor.scales) in (1, data.shape[axis])
    build.need(symmetric and fits, "weights must be symmetric, per tensor or channel")
    return data


def bias(build: Builder, place: int, channels: int) -> np.ndarray:
    """(channels,) int64; zeros if the op has none."""
    if not build.has(place):
        return np.zeros(channels, dtype=np.int64)
    tensor = build.input(place)
    fits = tensor.data is not None and tensor.dtype == "int32" and tensor.elements == channels
    build.need(fits, f"bias must be {channels} constant int32")
    return np.asarray(tensor.data).reshape(-1).astype(np.int64)


def channels(
    build: Builder, matrix: np.ndarray, activation: str, places: tuple[int, int, int] = (0, 1, 2)
) -> dict[str, Any]:
    """matrix: (channels, taps of a channel); places: of input, weights and bias."""
    x, w = build.input(places[0]), build.input(places[1])
    count, taps = matrix.shape
    fits = taps <= MAX_TAPS and count <= MAX_SIDE
    build.need(fits, f"{count} channels of {taps} weights, at most {MAX_SIDE} of {MAX_TAPS}")
    sums = matrix.astype(np.int64).sum(axis=1)
    options = {
        "bias": bias(build, places[2], count) - x.zero_point * sums,
        "requant": tuple(multipliers(x, w, build.output)),
        **clamp(build, activation),
    }
    check_int32(build, matrix, options["bias"], options["requant"])
    return options


def check_int32(
    build: Builder, matrix: np.ndarray, start: np.ndarray, pairs: tuple[tuple[int, int], ...]
) -> None:
    """No int8 input may drive an accumulator out of int32, before and after its left shift: then
    every order of adding is exact modulo 2**32.

    start: (channels,) int64, of sum x * w. What lies outside the image is an int8 too.
    """
    w = matrix.astype(np.int64)
    positive, negative = np.maximum(w, 0).sum(axis=1), np.minimum(w, 0).sum(axis=1)
    high = start + 127 * positive - 128 * negative
    low = start - 128 * positive + 127 * negative
    check_pairs(build, pairs)
    left = np.maximum([shift for _, shift in pairs], 0)
    folded = start - 128 * w.sum(axis=1)  # as the file holds it
    worst = max(
        *(int((np.abs(value) << left).max()) for value in (low, high)), int(np.abs(folded).max())
    )
    build.need(worst < INT32, "accumulator may overflow int32; rescale the layer")


def check_pairs(build: Builder, pairs: tuple[tuple[int, int], ...]) -> None:
    shifts = [shift for _, shift in pairs]
    fits = _MIN_SHIFT <= min(shifts) and max(shifts) <= _MAX_SHIFT
    build.need(fits, "output scale is too fine for the input's; rescale the layer")
    if any(multiplier < 0 for multiplier, _ in pairs):
        raise ModelError("a negative multiplier")
