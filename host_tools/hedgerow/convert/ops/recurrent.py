"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM; state is kept in values[] under its tensor's index.

*_numbers() are the final numbers of an op, which the device op takes as its options; *_rows()
compute with them, for the TFLite op and the device op alike.

Sources: micro/kernels/svdf_common.cc, lstm_eval.h, lstm_eval_common.cc;
integer_ops/{logistic,tanh}.h for int16.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hedgerow.convert.arithmetic import multiply_by_quantized_multiplier, quantize_multiplier
from hedgerow.convert.graph import Graph, Op, Tensor, where
from hedgerow.convert.ops.quant import Values, constant_of, requantize, shaped, tensors
from hedgerow.errors import ModelError

_GATES = ("input", "forget", "cell", "output")  # the order of an LSTM's inputs
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIAS = 1, 5, 12  # first of four inputs each
HIDDEN, CELL = 18, 19
WEIGHT_PLACES, BIAS_PLACES = range(1, 9), range(_BIAS, _BIAS + 4)
_PLAIN = {0, *WEIGHT_PLACES, *BIAS_PLACES, HIDDEN, CELL}  # no peephole, projection, norms
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
SIGMOID = np.array(
    [math.floor(65536 / (1 + math.exp(-i / 24)) + 0.5) + (i in _ONE_ABOVE) for i in range(256)],
    dtype=np.int64,
)


Options = Mapping[str, Any]


def svdf_numbers(graph: Graph, op: Op) -> dict[str, Any]:
    """inputs: x, feature weights, time weights, bias, state (batch, filters * memory)."""
    x, feature, time, _, state, out = tensors(graph, op, 5)
    w_feature, w_time = constant_of(graph, op, 1), constant_of(graph, op, 2)
    return {
        "feature": w_feature,
        "time": w_time,
        "feature_bias": -x.zero_point * w_feature.astype(np.int64).sum(axis=1),
        "bias": constant_of(graph, op, 3).reshape(-1).astype(np.int64),
        "rank": op.options["rank"],
        "state_pair": _float32_pair(x, feature, state),
        "requant": (_float32_pair(state, time, out),),
        "zero_state": state.zero_point,
        "zero_point": out.zero_point,
        "act_min": -128,
        "act_max": 127,
    }


def _float32_pair(x: Tensor, weights: Tensor, out: Tensor) -> tuple[int, int]:
    """PrepareSvdf multiplies and divides the scales in float32."""
    product = np.float32(x.scale) * np.float32(weights.scale)
    return quantize_multiplier(float(product / np.float32(out.scale)))


def svdf_rows(x: np.ndarray, state: np.ndarray, o: Options) -> tuple[np.ndarray, np.ndarray]:
    """x: (rows, n_in); state: (rows, filters, memory) int8 or int16 -> output and new state."""
    limits = np.iinfo(state.dtype)
    acc = x.astype(np.int64) @ o["feature"].astype(np.int64).T + o["feature_bias"]
    newest = multiply_by_quantized_multiplier(acc, *o["state_pair"]) + o["zero_state"]
    newest = np.clip(newest, limits.min, limits.max).astype(state.dtype)
    new = np.concatenate([state[:, :, 1:], newest[:, :, None]], axis=2)
    acc = ((new.astype(np.int64) - o["zero_state"]) * o["time"]).sum(axis=2)
    acc = acc.reshape(len(x), -1, o["rank"]).sum(axis=2) + o["bias"]
    out = requantize(acc, o["requant"], o["zero_point"], o["act_min"], o["act_max"])
    return out, new


def svdf(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return svdf_with(svdf_numbers(graph, op), graph, op, values, 4)


def svdf_with(o: Options, graph: Graph, op: Op, values: Values, state_place: int) -> np.ndarray:
    index = op.inputs[state_place]
    filters, n_in = o["feature"].shape
    old = values[index]
    x = values[op.inputs[0]].reshape(-1, n_in)
    out, new = svdf_rows(x, old.reshape(len(x), filters, -1), o)
    values[index] = new.reshape(old.shape)
    return shaped(graph, op, values, out)


def lstm_numbers(graph: Graph, op: Op) -> dict[str, Any]:
    """Numbers of the plain LSTM: int8 input, hidden state and output; int16 cell.

    Raises ModelError for peephole, projection and layer norm, which TFLM has not either.
    """
    present = {place for place, index in enumerate(op.inputs) if index != -1}
    if present != _PLAIN or op.options["activation"] != "tanh":
        raise ModelError(f"{where(graph, op)}: only the plain LSTM with TANH is supported")
    hidden, cell = (graph.tensors[op.inputs[i]] for i in (HIDDEN, CELL))
    clip = op.options["cell_clip"]
    gates = range(4)
    biases = [constant_of(graph, op, _BIAS + g).reshape(-1).astype(np.int64) for g in gates]
    return {
        "cells": biases[0].size,
        "time_major": op.options["time_major"],
        "power": round(math.log2(cell.scale)) + 12,  # of the cell's scale over that of a gate
        "cell_clip": int(min(clip / cell.scale, 32767)) if clip > 0 else 32767,
        "zero_hidden": hidden.zero_point,
        "input": tuple(_part(graph, op, 0, _INPUT_WEIGHTS + g, biases[g]) for g in gates),
        "recurrent": tuple(
            _part(graph, op, HIDDEN, _RECURRENT_WEIGHTS + g, np.zeros_like(biases[g]))
            for g in gates
        ),
        "products": (
            quantize_multiplier(_UNIT_SCALE * cell.scale / float(cell.scale)),
            quantize_multiplier(_UNIT_SCALE**2 / float(cell.scale)),
            quantize_multiplier(_UNIT_SCALE**2 / float(hidden.scale)),
        ),
    }


def _part(graph: Graph, op: Op, source: int, place: int, bias: np.ndarray) -> tuple:
    """(weights (n, inputs) int8, bias (n,) int64 with the zero point folded in, pair)."""
    x, w = graph.tensors[op.inputs[source]], graph.tensors[op.inputs[place]]
    weights = constant_of(graph, op, place)
    scale = float(x.scale) * float(w.scale) / _GATE_SCALE
    folded = bias - x.zero_point * weights.astype(np.int64).sum(axis=1)
    return weights, folded, quantize_multiplier(scale)


def lstm(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """(batch, time, n) unless time_major."""
    return lstm_with(lstm_numbers(graph, op), graph, op, values, (HIDDEN, CELL))


def lstm_with(
    o: Options, graph: Graph, op: Op, values: Values, places: tuple[int, int]
) -> np.ndarray:
    """places: of hidden state and cell among the op's inputs."""
    x = values[op.inputs[0]].astype(np.int64)
    x = x.swapaxes(-3, -2) if o["time_major"] else x
    rows = x.reshape(-1, *x.shape[-2:])
    hidden, cell = (values[op.inputs[p]] for p in places)
    h, c = (v.reshape(len(rows), -1).astype(np.int64) for v in (hidden, cell))
    steps = []
    for step in rows.swapaxes(0, 1):
        h, c = lstm_step(step, h, c, o)
        steps.append(h)
    values[op.inputs[places[0]]] = h.reshape(hidden.shape).astype(hidden.dtype)
    values[op.inputs[places[1]]] = c.reshape(cell.shape).astype(cell.dtype)
    out = np.stack(steps, axis=1).astype(np.int8).reshape(*x.shape[:-1], -1)
    return shaped(graph, op, values, out.swapaxes(-3, -2) if o["time_major"] else out)


def lstm_step(
    x: np.ndarray, hidden: np.ndarray, cell: np.ndarray, o: Options
) -> tuple[np.ndarray, np.ndarray]:
    """One time step of (rows, n_in), (rows, n), (rows, n) int64 -> new hidden state and cell."""
    input_gate, forget, new, output = (_gate(x, hidden, o, gate) for gate in range(4))
    products = o["products"]
    state = clip16(_scaled(forget * cell, products[0]) + _scaled(input_gate * new, products[1]))
    state = np.clip(state, -o["cell_clip"], o["cell_clip"]) if o["cell_clip"] < 32767 else state
    activated = _tanh16(_thrice(state, o["power"]))
    scaled = multiply_by_quantized_multiplier(output * activated, *products[2])
    return np.clip(scaled + o["zero_hidden"], -128, 127), state


def _thrice(x: np.ndarray, power: int) -> np.ndarray:
    """3 * x * 2**power, which the int16 activations start from; tanh.h rounds it half up."""
    if power >= 0:
        return (3 * x) << power
    return (3 * x + (1 << (-power - 1))) >> -power


def _gate(x: np.ndarray, hidden: np.ndarray, o: Options, gate: int) -> np.ndarray:
    """Activated int16 of one gate: two matrix products, each rounded to 2**-12 first."""
    total = np.zeros(1, dtype=np.int64)
    for source, (weights, bias, pair) in ((x, o["input"][gate]), (hidden, o["recurrent"][gate])):
        total = total + _scaled(source @ weights.astype(np.int64).T + bias, pair)
    scaled = _thrice(clip16(total), 0)
    return _tanh16(scaled) if _GATES[gate] == "cell" else _sigmoid16(scaled)


def _scaled(acc: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    return clip16(multiply_by_quantized_multiplier(acc, *pair))


def clip16(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -32768, 32767)


def _interpolate(x: np.ndarray, bits: int) -> np.ndarray:
    """sigmoid table between its points; x >= 0 with `bits` fraction bits."""
    place = np.minimum(x >> bits, 254)
    low, high = SIGMOID[place], SIGMOID[place + 1]
    return (low << bits) + (x & ((1 << bits) - 1)) * (high - low)


def _sigmoid16(scaled: np.ndarray) -> np.ndarray:
    """_thrice() of Q3.12 -> Q0.15 (integer_ops/logistic.h)."""
    size = np.abs(scaled)
    result = np.where(size >> 9 >= 255, 0x7FFF << 10, _interpolate(size, 9))
    negative = (1 << 25) - result + (1 << 9) - 1
    return np.where(scaled >= 0, result + (1 << 9), negative) >> 10


def _tanh16(scaled: np.ndarray) -> np.ndarray:
    """_thrice() of Q3.12 -> Q0.15 (integer_ops/tanh.h): 2 * sigmoid(2 x) - 1."""
    size = np.abs(scaled)
    result = np.where(size >> 8 >= 255, 0xFFFF << 8, _interpolate(size, 8))
    half = 1 << 23
    return np.where(scaled >= 0, result - half + (1 << 7), -result + half + (1 << 7) - 1) >> 8
