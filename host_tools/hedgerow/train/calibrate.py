"""Ranges of a float graph's activations on representative samples.

    ranges = calibrate(graph, samples, method="mse")

Methods: minmax covers all that was seen; percentile leaves out the rarest values; mse takes the
range whose int8 values are nearest to the seen ones in the mean square.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.convert.ops.quant import Values
from hedgerow.errors import ModelError, UsageError
from hedgerow.train.float_ops import run_chunks

# Output in the scale of the input (restrictions of the 8-bit specification; RELU6:
# micro/activations.cc of TFLM), so the input's range is theirs.
SAME_SCALE = (
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "MAX_POOL_2D",
    "PAD",
    "PADV2",
    "RELU6",
    "RESHAPE",
    "STRIDED_SLICE",
)
Range = tuple[float, float]
_BINS = 2048
_TAIL = 1e-4  # share of the values that `percentile` leaves out at each end
_SHRINKS = np.linspace(0.3, 1.0, 36)  # of the range, that `mse` tries
_LEVELS = 255


def calibrate(graph: Graph, x: np.ndarray, *, method: str = "minmax") -> dict[int, Range]:
    """(low, high) of every computed tensor by index, 0 included.

    x: (n, ...) float32 samples. Raises ModelError if the model computes no finite number.
    """
    if method not in METHODS:
        raise UsageError(f"calibration {method!r} is not known: use {', '.join(METHODS)}")
    ranges = dict.fromkeys((graph.input, *(op.outputs[0] for op in graph.ops)), (0.0, 0.0))
    seen = {graph.input, *(op.outputs[0] for op in graph.ops if op.kind not in SAME_SCALE)}
    for values in run_chunks(graph, x):
        for i in seen:
            low, high = ranges[i]
            ends = (float(values[i].min()), float(values[i].max()))
            if not np.isfinite(ends).all():
                raise ModelError(f"{graph.tensors[i].name!r} is not finite on the given samples")
            ranges[i] = (min(low, ends[0]), max(high, ends[1]))
    choose = METHODS[method]
    if choose is None:
        return ranges
    counts = _histograms(graph, x, ranges)
    return {i: choose(counts[i], ends) for i, ends in ranges.items()}


def _histograms(graph: Graph, x: np.ndarray, ranges: Mapping[int, Range]) -> Values:
    counts: Values = {i: np.zeros(_BINS, dtype=np.int64) for i in ranges}
    for values in run_chunks(graph, x):
        for i, ends in ranges.items():
            if ends[0] < ends[1]:
                counts[i] += np.histogram(values[i], _BINS, ends)[0]
    return counts


def _percentile(counts: np.ndarray, ends: Range) -> Range:
    if not counts.any():
        return ends
    edges = np.linspace(*ends, _BINS + 1)
    share = np.cumsum(counts) / counts.sum()
    low = edges[int(np.searchsorted(share, _TAIL))]
    high = edges[int(np.searchsorted(share, 1.0 - _TAIL)) + 1]
    return min(float(low), 0.0), max(float(high), 0.0)


def _mse(counts: np.ndarray, ends: Range) -> Range:
    if not counts.any():
        return ends
    edges = np.linspace(*ends, _BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    errors = []
    for shrink in _SHRINKS:
        low, high = ends[0] * shrink, ends[1] * shrink
        step = (high - low) / _LEVELS
        nearest = np.clip(np.round(middles / step) * step, low, high)
        errors.append(float((counts * (nearest - middles) ** 2).sum()))
    best = float(_SHRINKS[int(np.argmin(errors))])
    return ends[0] * best, ends[1] * best


METHODS: Mapping[str, Callable[[np.ndarray, Range], Range] | None] = {
    "minmax": None,
    "percentile": _percentile,
    "mse": _mse,
}
