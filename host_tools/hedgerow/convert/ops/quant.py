"""What many ops share: scales, fused activations, requantisation of whole arrays."""

from collections.abc import Sequence

import numpy as np

from hedgerow.convert.arithmetic import multiply_by_quantized_multiplier, quantize_multiplier
from hedgerow.convert.graph import Graph, Op, Tensor, where
from hedgerow.errors import ModelError

Values = dict[int, np.ndarray]
Pairs = Sequence[tuple[int, int]]

_RANGES: dict[str, tuple[float | None, float | None]] = {
    "none": (None, None),
    "relu": (0.0, None),
    "relu6": (0.0, 6.0),
    "relu_n1_to_1": (-1.0, 1.0),
}
ACTIVATIONS = tuple(_RANGES)


def activation_range(kind: str, out: Tensor) -> tuple[int, int]:
    """Clamp of a fused activation in the output's int8 (kernel_util.cc).

    Raises ModelError for an activation that is not a clamp, or a scale too fine for it.
    """
    if kind not in _RANGES:
        raise ModelError(f"{out.name!r}: fused activation {kind} is not supported")
    low, high = _RANGES[kind]

    def bound(real: float | None, limit: int) -> int:
        if real is None:
            return limit
        # TfLiteRound in float32: half away from zero.
        q = np.float32(real) / np.float32(out.scale)
        if abs(q) >= 1 << 30:  # TFLM's int32 would overflow
            raise ModelError(f"{out.name!r}: scale {out.scale:g} is too fine for {kind}")
        return out.zero_point + int(np.floor(abs(q) + np.float32(0.5)) * np.sign(q))

    return max(-128, bound(low, -128)), min(127, bound(high, 127))


def effective_scales(x: Tensor, weights: Tensor, out: Tensor) -> list[float]:
    """in * weight / out in double: one (per tensor) or one per channel (kernel_util.cc).

    Measured on the tflite-micro wheel of 2026-10: 0 of 960,000 bytes of the MLPerf Tiny AD model
    differ. Older sources multiply in * weight of a per-tensor layer in float32; 8 then differ.
    """
    return [float(x.scale) * float(w) / float(out.scale) for w in weights.scales]


def multipliers(x: Tensor, weights: Tensor, out: Tensor) -> list[tuple[int, int]]:
    """effective_scales() as (multiplier, shift)."""
    return [quantize_multiplier(scale) for scale in effective_scales(x, weights, out)]


def requantize(acc: np.ndarray, pairs: Pairs, zero_point: int, low: int, high: int) -> np.ndarray:
    """int64 accumulators to int8; one (multiplier, shift) for all or one per last index."""
    multiplier, shift = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    scaled = multiply_by_quantized_multiplier(acc, multiplier, shift)
    return np.clip(scaled + zero_point, low, high).astype(np.int8)


def constant(graph: Graph, op: Op, place: int, values: Values) -> np.ndarray | None:
    """Value of input `place`, None if the op has none there."""
    if len(op.inputs) <= place or op.inputs[place] == -1:
        return None
    return values[op.inputs[place]]


def constant_of(graph: Graph, op: Op, place: int) -> np.ndarray:
    """Data of input `place`. Raises ModelError if it is computed or absent."""
    tensor = graph.tensors[op.inputs[place]] if len(op.inputs) > place else None
    if tensor is None or op.inputs[place] == -1 or tensor.data is None:
        raise ModelError(f"{where(graph, op)}: input {place} must be a constant")
    return tensor.data


def lead(graph: Graph, values: Values, index: int) -> tuple[int, ...]:
    """The axes of a value before those of its tensor: several runs are computed at once."""
    value = values[index]
    return value.shape[: value.ndim - len(graph.tensors[index].shape)]


def shaped(graph: Graph, op: Op, values: Values, result: np.ndarray) -> np.ndarray:
    """A result of any shape in the output's, with the leading axes of the first input."""
    runs = lead(graph, values, op.inputs[0])
    return result.reshape(*runs, *graph.tensors[op.outputs[0]].shape)


def tensors(graph: Graph, op: Op, count: int) -> tuple[Tensor, ...]:
    """The first `count` inputs and the output. Raises ModelError if an input is absent."""
    if len(op.inputs) < count or -1 in op.inputs[:count]:
        raise ModelError(f"{where(graph, op)} lacks one of its {count} inputs")
    return (*(graph.tensors[i] for i in op.inputs[:count]), graph.tensors[op.outputs[0]])
