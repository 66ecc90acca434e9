"""The definition of every op: executes a Graph in NumPy, one int8 input at a time.

    out = run(graph, x)  # x: (n,) int8 -> (m,) int8

Runs graphs of TFLite ops (as imported) and of device ops (after the passes) alike, so a pass is
checked by running both sides. Integer arithmetic of the TFLM reference kernels (arithmetic.py).
"""

from collections.abc import Callable, Mapping

import numpy as np

from hedgerow.convert import arithmetic
from hedgerow.convert.graph import Graph, Op, Tensor, where
from hedgerow.errors import ModelError

Values = dict[int, np.ndarray]


def run(graph: Graph, x: np.ndarray) -> np.ndarray:
    """Output of the graph as flat int8. x: int8 with as many elements as the input.

    Raises ModelError if x does not fit or an op has no definition.
    """
    return run_all(graph, x)[graph.output].reshape(-1)


def run_all(graph: Graph, x: np.ndarray) -> Values:
    """Every tensor's value by index, for comparison layer by layer."""
    wanted = graph.tensors[graph.input]
    if x.dtype != np.int8 or x.size != wanted.elements:
        raise ModelError(f"input is {x.size} x {x.dtype}, must be {wanted.elements} x int8")
    values = {i: t.data for i, t in enumerate(graph.tensors) if t.data is not None}
    values[graph.input] = x.reshape(wanted.shape)
    for op in graph.ops:
        function = OPS.get(op.kind)
        if function is None:
            raise ModelError(f"{where(graph, op)}: no reference for this op")
        values[op.outputs[0]] = function(graph, op, values)
    return values


def activation_range(kind: str, out: Tensor) -> tuple[int, int]:
    """Clamp of a fused activation in the output's int8 (kernel_util.cc)."""
    low, high = {
        "none": (None, None),
        "relu": (0.0, None),
        "relu6": (0.0, 6.0),
        "relu_n1_to_1": (-1.0, 1.0),
    }[kind]

    def bound(real: float | None, limit: int) -> int:
        if real is None:
            return limit
        # TfLiteRound in float32: half away from zero.
        q = np.float32(real) / np.float32(out.scale)
        return out.zero_point + int(np.floor(abs(q) + np.float32(0.5)) * np.sign(q))

    return max(-128, bound(low, -128)), min(127, bound(high, 127))


def effective_scales(x: Tensor, weights: Tensor, out: Tensor) -> list[float]:
    """in * weight / out in double: one (per tensor) or one per channel (kernel_util.cc).

    Measured on the tflite-micro wheel of 2026-10: 0 of 960,000 bytes of the MLPerf Tiny AD model
    differ. Older sources multiply in * weight of a per-tensor layer in float32; 8 then differ.
    """
    return [float(x.scale) * float(w) / float(out.scale) for w in weights.scales]


def _fully_connected(graph: Graph, op: Op, values: Values) -> np.ndarray:
    x, weights = (graph.tensors[i] for i in op.inputs[:2])
    out = graph.tensors[op.outputs[0]]
    w = values[op.inputs[1]].astype(np.int64)
    rows = values[op.inputs[0]].reshape(-1, w.shape[1]).astype(np.int64) - x.zero_point
    acc = rows @ w.T
    if len(op.inputs) > 2 and op.inputs[2] != -1:
        acc = acc + values[op.inputs[2]].astype(np.int64)
    pairs = [arithmetic.quantize_multiplier(s) for s in effective_scales(x, weights, out)]
    low, high = activation_range(op.options["activation"], out)
    return _requantize(acc, pairs, out.zero_point, low, high).reshape(out.shape)


def _requantize(acc: np.ndarray, pairs: list, zero_point: int, low: int, high: int) -> np.ndarray:
    """(rows, n) accumulators to int8 with one (multiplier, shift) for all or one per column."""
    multiply = arithmetic.multiply_by_quantized_multiplier
    if len(pairs) == 1:
        scaled = multiply(acc, *pairs[0])
    else:
        scaled = np.stack([multiply(acc[:, j], *pair) for j, pair in enumerate(pairs)], axis=1)
    return np.clip(scaled + zero_point, low, high).astype(np.int8)


def _logistic(graph: Graph, op: Op, values: Values) -> np.ndarray:
    x = graph.tensors[op.inputs[0]]
    table = arithmetic.logistic_int8_table(x.scale, x.zero_point)
    return table[values[op.inputs[0]].astype(np.int64) + 128]


def _quantize(graph: Graph, op: Op, values: Values) -> np.ndarray:
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    table = arithmetic.requantize_int8_table(x.scale, x.zero_point, out.scale, out.zero_point)
    return table[values[op.inputs[0]].astype(np.int64) + 128]


def _reshape(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return values[op.inputs[0]].reshape(graph.tensors[op.outputs[0]].shape)


def _dense(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """Device op: bias has the input's zero point folded in."""
    o = op.options
    rows = values[op.inputs[0]].reshape(-1, o["weights"].shape[1]).astype(np.int64)
    acc = rows @ o["weights"].astype(np.int64).T + o["bias"]
    out = _requantize(acc, list(o["requant"]), o["zero_point"], o["act_min"], o["act_max"])
    return out.reshape(graph.tensors[op.outputs[0]].shape)


def _table(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return op.options["table"][values[op.inputs[0]].astype(np.int64) + 128]


OPS: Mapping[str, Callable[[Graph, Op, Values], np.ndarray]] = {
    "FULLY_CONNECTED": _fully_connected,
    "LOGISTIC": _logistic,
    "QUANTIZE": _quantize,
    "RESHAPE": _reshape,
    "dense": _dense,
    "table": _table,
}
