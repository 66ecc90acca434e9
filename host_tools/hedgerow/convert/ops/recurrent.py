"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM; state is kept in values[] under its tensor's index.

Sources: micro/kernels/svdf_common.cc, lstm_eval.h, lstm_eval_common.cc;
integer_ops/{logistic,tanh}.h for int16.
"""

import math

import numpy as np

from hedgerow.convert.arithmetic import multiply_by_quantized_multiplier, quantize_multiplier
from hedgerow.convert.graph import Graph, Op, Tensor, where
from hedgerow.convert.ops.quant import Values, requantize, tensors
from hedgerow.errors import ModelError

_GATES = ("input", "forget", "cell", "output")  # the order of an LSTM's inputs
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIAS = 1, 5, 12  # first of four inputs each
_HIDDEN, _CELL = 18, 19
_PLAIN = {0, *range(1, 9), *range(12, 16), _HIDDEN, _CELL}  # no peephole, projection, norms
_GATE_SCALE, _UNIT_SCALE = 2.0**-12, 2.0**-15  # before and after an int16 activation

# sigmoid(i / 24) in Q0.16. TFLM's table (common.h sigmoid_table_uint16) is one above the rounded
# value at these places, which no formula explains.
# fmt: off
_ONE_ABOVE = frozenset((
    4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33,
    34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49, 50, 54, 62, 63, 64, 66, 82,
    86, 93, 100, 103, 112, 116, 135, 255,
))
# fmt: on
_SIGMOID = np.array(
    [math.floor(65536 / (1 + math.exp(-i / 24)) + 0.5) + (i in _ONE_ABOVE) for i in range(256)],
    dtype=np.int64,
)


def svdf(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """inputs: x, feature weights, time weights, bias, state (batch, filters * memory)."""
    x, feature, time, _, state, out = tensors(graph, op, 5)
    rows = values[op.inputs[0]].astype(np.int64) - x.zero_point
    w_feature, w_time = (values[i].astype(np.int64) for i in op.inputs[1:3])
    old = values[op.inputs[4]].reshape(len(rows), len(w_feature), -1).astype(np.int64)
    pair = _float32_pair(x, feature, state)
    newest = multiply_by_quantized_multiplier(rows @ w_feature.T, *pair) + state.zero_point
    limits = np.iinfo(state.dtype)
    newest = np.clip(newest, limits.min, limits.max)
    new = np.concatenate([old[:, :, 1:], newest[:, :, None]], axis=2)
    values[op.inputs[4]] = new.reshape(state.shape).astype(state.dtype)
    acc = ((new - state.zero_point) * w_time).sum(axis=2)
    acc = acc.reshape(len(rows), -1, op.options["rank"]).sum(axis=2) + values[op.inputs[3]]
    pair = _float32_pair(state, time, out)
    return requantize(acc, [pair], out.zero_point, -128, 127).reshape(out.shape)


def _float32_pair(x: Tensor, weights: Tensor, out: Tensor) -> tuple[int, int]:
    """PrepareSvdf multiplies and divides the scales in float32."""
    product = np.float32(x.scale) * np.float32(weights.scale)
    return quantize_multiplier(float(product / np.float32(out.scale)))


def lstm(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """int8 input, hidden state and output; int16 cell state. (batch, time, n) unless time_major.

    Raises ModelError for peephole, projection and layer norm, which TFLM has not either.
    """
    present = {place for place, index in enumerate(op.inputs) if index != -1}
    if present != _PLAIN or op.options["activation"] != "tanh":
        raise ModelError(f"{where(graph, op)}: only the plain LSTM with TANH is supported")
    out = graph.tensors[op.outputs[0]]
    major = op.options["time_major"]
    sequence = values[op.inputs[0]] if major else values[op.inputs[0]].swapaxes(0, 1)
    steps = np.stack([_step(graph, op, values, x.astype(np.int64)) for x in sequence])
    return (steps if major else steps.swapaxes(0, 1)).reshape(out.shape)


def _step(graph: Graph, op: Op, values: Values, x: np.ndarray) -> np.ndarray:
    """One time step: (batch, n_in) int64 -> (batch, n) int8, the new hidden state."""
    hidden, cell = (graph.tensors[op.inputs[i]] for i in (_HIDDEN, _CELL))
    gates = dict(zip(_GATES, (_gate(graph, op, values, x, g) for g in range(4)), strict=True))
    kept = _product(gates["forget"], _cell_of(op, values), _UNIT_SCALE * cell.scale, cell)
    new = _product(gates["input"], gates["cell"], _UNIT_SCALE**2, cell)
    state = np.clip(kept + new, -32768, 32767)
    if op.options["cell_clip"] > 0:
        limit = int(min(op.options["cell_clip"] / cell.scale, 32767))
        state = np.clip(state, -limit, limit)
    power = round(math.log2(cell.scale)) + 12  # of the cell's scale over that of a gate
    activated = _tanh16(state << max(power, 0) if power >= 0 else state >> -power)
    if power < 0:
        state = state >> -power  # as TFLM does, in place
    output = _product(gates["output"], activated, _UNIT_SCALE**2, hidden, -128, 127)
    values[op.inputs[_CELL]] = state.reshape(cell.shape).astype(np.int16)
    values[op.inputs[_HIDDEN]] = output.reshape(hidden.shape).astype(np.int8)
    return output.astype(np.int8)


def _cell_of(op: Op, values: Values) -> np.ndarray:
    cell = values[op.inputs[_CELL]].astype(np.int64)
    return cell.reshape(-1, values[op.inputs[_BIAS]].size)


def _gate(graph: Graph, op: Op, values: Values, x: np.ndarray, gate: int) -> np.ndarray:
    """Activated int16 of one gate: two matrix products, each rounded to 2**-12 first."""
    hidden_index = op.inputs[_HIDDEN]
    bias = values[op.inputs[_BIAS + gate]].reshape(-1).astype(np.int64)
    hidden = values[hidden_index].reshape(len(x), -1).astype(np.int64)
    a = _matrix(graph, values, x, op.inputs[0], op.inputs[_INPUT_WEIGHTS + gate], bias)
    b = _matrix(graph, values, hidden, hidden_index, op.inputs[_RECURRENT_WEIGHTS + gate], None)
    total = np.clip(a + b, -32768, 32767)
    return _tanh16(total) if _GATES[gate] == "cell" else _sigmoid16(total)


def _matrix(
    graph: Graph, values: Values, x: np.ndarray, source: int, matrix: int, bias: np.ndarray | None
) -> np.ndarray:
    w = graph.tensors[matrix]
    acc = (x - graph.tensors[source].zero_point) @ values[matrix].astype(np.int64).T
    if bias is not None:
        acc = acc + bias
    scale = float(graph.tensors[source].scale) * float(w.scale) / _GATE_SCALE
    scaled = multiply_by_quantized_multiplier(acc, *quantize_multiplier(scale))
    return np.clip(scaled, -32768, 32767)


def _product(
    a: np.ndarray, b: np.ndarray, scale: float, out: Tensor, low: int = -32768, high: int = 32767
) -> np.ndarray:
    pair = quantize_multiplier(scale / float(out.scale))
    return np.clip(multiply_by_quantized_multiplier(a * b, *pair) + out.zero_point, low, high)


def _interpolate(x: np.ndarray, bits: int) -> np.ndarray:
    """sigmoid table between its points; x >= 0 with `bits` fraction bits."""
    place = np.minimum(x >> bits, 254)
    low, high = _SIGMOID[place], _SIGMOID[place + 1]
    return (low << bits) + (x & ((1 << bits) - 1)) * (high - low)


def _sigmoid16(x: np.ndarray) -> np.ndarray:
    """Q3.12 -> Q0.15 (integer_ops/logistic.h)."""
    scaled = 3 * x
    size = np.abs(scaled)
    result = np.where(size >> 9 >= 255, 0x7FFF << 10, _interpolate(size, 9))
    negative = (1 << 25) - result + (1 << 9) - 1
    return np.where(scaled >= 0, result + (1 << 9), negative) >> 10


def _tanh16(x: np.ndarray) -> np.ndarray:
    """Q3.12 -> Q0.15 (integer_ops/tanh.h): 2 * sigmoid(2 x) - 1."""
    scaled = 3 * x
    size = np.abs(scaled)
    result = np.where(size >> 8 >= 255, 0xFFFF << 8, _interpolate(size, 8))
    half = 1 << 23
    return np.where(scaled >= 0, result - half + (1 << 7), -result + half + (1 << 7) - 1) >> 8
