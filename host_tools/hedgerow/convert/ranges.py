"""What values each channel of each tensor can take, whatever the input: interval arithmetic.

    bounds = channel_ranges(graph)   # tensor index -> (low, high), each (channels,) int64

Proven, not sampled: every input byte may be -128 .. 127. A channel with low = high is constant.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.ops.conv import patches
from hedgerow.convert.ops.quant import requantize
from hedgerow.convert.overlap import sees_border

Range = tuple[np.ndarray, np.ndarray]


def channel_ranges(graph: Graph) -> dict[int, Range]:
    """Range of every computed tensor, by channel (its last axis)."""
    found = {graph.input: _any(graph, graph.input)}
    for op in graph.ops:
        rule = _RULES.get(op.kind)
        out = op.outputs[0]
        found[out] = rule(op, found[op.inputs[0]]) if rule else _any(graph, out)
    return found


def _any(graph: Graph, tensor: int) -> Range:
    """Nothing known. Of types other than int8 it does not matter: such tensors stay."""
    channels = (graph.tensors[tensor].shape or (1,))[-1]
    return np.full(channels, -128, dtype=np.int64), np.full(channels, 127, dtype=np.int64)


def _inputs(op: Op, given: Range) -> Range:
    """The input's range for each of the op's input channels.

    After a RESHAPE an op may see several of the tensor's pixels as one, or cut pixels in parts.
    """
    channels = op.options["in_shape"][-1]
    low, high = given
    if channels % len(low):
        return np.full(channels, low.min()), np.full(channels, high.max())
    repeats = channels // len(low)
    return np.tile(low, repeats), np.tile(high, repeats)


def _conv(op: Op, given: Range) -> Range:
    weights = op.options["weights"].astype(np.int64)
    taps = weights.shape[1] // op.options["in_shape"][-1]
    low, high = (np.tile(bound, taps) for bound in _inputs(op, given))
    if sees_border(op):
        low, high = np.minimum(low, op.options["fill"]), np.maximum(high, op.options["fill"])
    positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
    return _outputs(op, positive @ low + negative @ high, positive @ high + negative @ low)


def _depthwise(op: Op, given: Range) -> Range:
    """Each way in which the border cuts the kernel on its own: exact for a constant channel."""
    weights = op.options["weights"].astype(np.int64)
    low, high = _inputs(op, given)
    positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
    ends = []
    for inside in _border_patterns(op):
        outside = weights[~inside].sum(axis=0) * op.options["fill"]
        p, n = positive[inside].sum(axis=0), negative[inside].sum(axis=0)
        ends.append(_outputs(op, p * low + n * high + outside, p * high + n * low + outside))
    lows, highs = zip(*ends, strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _border_patterns(op: Op) -> np.ndarray:
    """(patterns, taps) bool: which taps lie inside the input, each combination once."""
    image = np.ones((1, *op.options["in_shape"][1:3], 1), dtype=bool)
    view = patches(image, op.options["window"], 0)
    return np.unique(view.reshape(-1, len(op.options["weights"])), axis=0)


def _outputs(op: Op, low: np.ndarray, high: np.ndarray) -> Range:
    """Requantised ends: multipliers are not negative, so order is kept."""
    o = op.options
    rest = (o["requant"], o["zero_point"], o["act_min"], o["act_max"])
    low, high = (requantize(bound + o["bias"], *rest).astype(np.int64) for bound in (low, high))
    return low, high


def _pool(op: Op, given: Range) -> Range:
    limits = op.options["act_min"], op.options["act_max"]
    low, high = (np.clip(bound, *limits) for bound in _inputs(op, given))
    return low, high


def _table(op: Op, given: Range) -> Range:
    values = op.options["table"].astype(np.int64)
    parts = [values[a + 128 : b + 129] for a, b in zip(*given, strict=True)]
    return np.array([p.min() for p in parts]), np.array([p.max() for p in parts])


_RULES: Mapping[str, Callable[[Op, Range], Range]] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "pool": _pool,
    "table": _table,
}
