"""TFLite ops to device ops: zero points folded into biases, multipliers and clamps final.

One function per kind, one row in LOWERINGS; each takes (graph, op) and returns the device op.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from hedge.infer.ops import MAX_DEPTH, MAX_IN, MAX_OUT, MAX_SIDE, MAX_STEP
from hedgerow.convert.graph import Graph, Op, where
from hedgerow.convert.ops import unary
from hedgerow.convert.ops.conv import Window, window
from hedgerow.convert.ops.elementwise import sum_tables
from hedgerow.convert.ops.quant import ACTIVATIONS, activation_range, multipliers, tensors
from hedgerow.convert.ops.softmax import exp_table
from hedgerow.errors import ModelError

_INT32 = 1 << 31


def _device(kind: str, op: Op, inputs: int, options: Mapping[str, Any]) -> Op:
    return Op(kind, op.inputs[:inputs], op.outputs, MappingProxyType(dict(options)))


def _need(ok: bool, graph: Graph, op: Op, what: str) -> None:
    if not ok:
        raise ModelError(f"{where(graph, op)}: {what}")


def _clamp(graph: Graph, op: Op) -> dict[str, int]:
    out = graph.tensors[op.outputs[0]]
    activation = op.options["activation"]
    _need(activation in ACTIVATIONS, graph, op, f"fused activation {activation} is not supported")
    low, high = activation_range(activation, out)
    return {"zero_point": out.zero_point, "act_min": low, "act_max": high}


def _weights(graph: Graph, op: Op, ranks: int, axis: int) -> np.ndarray:
    """The constant int8 weights; channels along `axis`."""
    _need(len(op.inputs) > 1 and op.inputs[1] != -1, graph, op, "has no weights")
    weights = graph.tensors[op.inputs[1]]
    data = weights.data
    if data is None or weights.dtype != "int8" or data.ndim != ranks or not data.size:
        raise ModelError(f"{where(graph, op)}: weights must be constant int8 of rank {ranks}")
    symmetric = not weights.zero_point and weights.scales and all(weights.scales)
    fits = len(weights.scales) in (1, data.shape[axis])
    _need(bool(symmetric and fits), graph, op, "weights must be symmetric, per tensor or channel")
    return data


def _bias(graph: Graph, op: Op, channels: int) -> np.ndarray:
    """(channels,) int64; zeros if the op has none."""
    if len(op.inputs) < 3 or op.inputs[2] == -1:
        return np.zeros(channels, dtype=np.int64)
    bias = graph.tensors[op.inputs[2]]
    if bias.data is None or bias.dtype != "int32" or bias.elements != channels:
        raise ModelError(f"{where(graph, op)}: bias must be {channels} constant int32")
    return bias.data.reshape(-1).astype(np.int64)


def _channels(graph: Graph, op: Op, weights: np.ndarray) -> dict[str, Any]:
    """What dense, conv and depthwise share; weights: (channels, taps of a channel)."""
    x, w, out = tensors(graph, op, 2)
    channels, taps = weights.shape
    _need(taps <= MAX_IN and channels <= MAX_OUT, graph, op, f"{channels} channels of {taps}")
    options = {
        "bias": _bias(graph, op, channels) - x.zero_point * weights.astype(np.int64).sum(axis=1),
        "requant": tuple(multipliers(x, w, out)),
        **_clamp(graph, op),
    }
    _check_int32(graph, op, weights, options)
    return options


def _check_int32(graph: Graph, op: Op, weights: np.ndarray, options: dict[str, Any]) -> None:
    """No input may drive an accumulator out of int32: then every order of adding is exact."""
    shifts = max(0, *(shift for _, shift in options["requant"]))
    worst = np.abs(options["bias"]) + 256 * np.abs(weights.astype(np.int64)).sum(axis=1)
    fits = shifts <= 30 and int(worst.max()) << shifts < _INT32
    _need(fits, graph, op, "accumulator may overflow int32; rescale the layer")


def _dense(graph: Graph, op: Op) -> Op:
    weights = _weights(graph, op, 2, 0)
    n_out, n_in = weights.shape
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    _need(op.options["weights_format"] == 0, graph, op, "weights are shuffled")
    _need(x.elements % n_in == 0, graph, op, f"{x.elements} inputs for weights {weights.shape}")
    _need(out.elements == x.elements // n_in * n_out, graph, op, "output does not fit the weights")
    options = {"weights": weights, **_channels(graph, op, weights)}
    return _device("dense", op, 1, options)


def _geometry(graph: Graph, op: Op, kernel: tuple[int, int]) -> Window:
    """The op's window, within what the device format holds."""
    area = window(graph, op, kernel)
    steps = (*area.kernel, *area.stride, *area.dilation)
    sides = (*graph.tensors[op.inputs[0]].shape[1:3], *area.out)
    small = max(steps) <= MAX_STEP and max(sides) <= MAX_SIDE and min(sides) > 0
    _need(small, graph, op, f"kernel, steps {steps} or image {sides} too large")
    return area


def _conv(graph: Graph, op: Op) -> Op:
    """weights: (c_out, kernel_h, kernel_w, c_in)."""
    weights = _weights(graph, op, 4, 0)
    area = _geometry(graph, op, weights.shape[1:3])
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    _need(weights.shape[3] == x.shape[3], graph, op, "grouped convolution")
    wanted = (x.shape[0], *area.out, len(weights))
    _need(out.shape == wanted, graph, op, f"output {out.shape}, must be {wanted}")
    return _conv_op(graph, op, weights.reshape(len(weights), -1), area)


def _conv_op(graph: Graph, op: Op, matrix: np.ndarray, area: Window) -> Op:
    channels = _channels(graph, op, matrix)
    return _device("conv", op, 1, {"weights": matrix, **channels, **_image(graph, op, area)})


def _image(graph: Graph, op: Op, area: Window) -> dict[str, Any]:
    x = graph.tensors[op.inputs[0]]
    return {"window": area, "in_shape": x.shape, "fill": x.zero_point}


def _depthwise(graph: Graph, op: Op) -> Op:
    """weights: (1, kernel_h, kernel_w, c_out). A channel multiplier makes it a conv with zeros."""
    weights = _weights(graph, op, 4, 3)
    area = _geometry(graph, op, weights.shape[1:3])
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    c_in, c_out = x.shape[3], weights.shape[3]
    _need(weights.shape[0] == 1 and c_out % c_in == 0, graph, op, f"weights {weights.shape}")
    wanted = (x.shape[0], *area.out, c_out)
    _need(out.shape == wanted, graph, op, f"output {out.shape}, must be {wanted}")
    taps = weights.reshape(-1, c_out)
    if c_in != c_out:
        return _conv_op(graph, op, _expand(taps, c_in), area)
    channels = _channels(graph, op, taps.T)
    return _device("depthwise", op, 1, {"weights": taps, **channels, **_image(graph, op, area)})


def _expand(taps: np.ndarray, c_in: int) -> np.ndarray:
    """(taps, c_out) of a depthwise with multiplier -> (c_out, taps * c_in) of an equal conv."""
    count, c_out = taps.shape
    full = np.zeros((c_out, count, c_in), dtype=np.int8)
    channels = np.arange(c_out)
    full[channels, :, channels // (c_out // c_in)] = taps.T
    return full.reshape(c_out, -1)


def _pool(graph: Graph, op: Op) -> Op:
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    area = _geometry(graph, op, (op.options["filter_h"], op.options["filter_w"]))
    wanted = (x.shape[0], *area.out, x.shape[3])
    _need(out.shape == wanted, graph, op, f"output {out.shape}, must be {wanted}")
    _need((x.scales, x.zero_point) == (out.scales, out.zero_point), graph, op, "changes the scale")
    options = {"average": op.kind == "AVERAGE_POOL_2D", **_clamp(graph, op)}
    return _device("pool", op, 1, {**options, **_image(graph, op, area)})


def _add(graph: Graph, op: Op) -> Op:
    a, b, out = tensors(graph, op, 2)
    _need(a.data is None and b.data is None, graph, op, "a constant operand is not supported")
    _need(a.shape == b.shape == out.shape, graph, op, f"broadcasts {a.shape} and {b.shape}")
    first, second, pair = sum_tables(a, b, out, subtract=op.kind == "SUB")
    worst = int(np.abs(first).max() + np.abs(second).max())
    _need(worst << max(pair[1], 0) < _INT32, graph, op, "scales too far apart")
    options = {"table_a": first, "table_b": second, "requant": (pair,), **_clamp(graph, op)}
    return _device("add", op, 2, options)


def _softmax(graph: Graph, op: Op) -> Op:
    x, out = tensors(graph, op, 1)
    _need((out.scale, out.zero_point) == (1 / 256, -128), graph, op, "output scale is not 1/256")
    _need(x.shape == out.shape and len(x.shape) > 0, graph, op, f"shape {x.shape}")
    _need(x.shape[-1] <= MAX_DEPTH, graph, op, f"more than {MAX_DEPTH} classes")
    _need(x.elements // x.shape[-1] <= MAX_OUT, graph, op, f"shape {x.shape}")
    _need(0 < op.options["beta"] * x.scale < 32, graph, op, "scale or beta out of range")
    _need(op.options["beta"] * x.scale * (1 << 26) >= 1, graph, op, "scale or beta too small")
    table = exp_table(x.scale, op.options["beta"])
    return _device("softmax", op, 1, {"table": table, "depth": x.shape[-1]})


_FIXED_OUTPUT = ("LOGISTIC", "TANH")  # far inputs saturate before anything is multiplied


def _table(graph: Graph, op: Op) -> Op:
    x, out = tensors(graph, op, 1)
    _need(x.elements == out.elements, graph, op, f"shapes {x.shape} and {out.shape}")
    if op.kind not in _FIXED_OUTPUT:
        steepest = max(1.0, abs(op.options.get("alpha", 0.0)))
        fits = x.scale * steepest / out.scale < 1 << 22  # 255 steps of it stay in int32
        _need(fits, graph, op, "output scale is too fine for the input's")
    return _device("table", op, 1, {"table": unary.table_of(graph, op)})


LOWERINGS: Mapping[str, Callable[[Graph, Op], Op]] = {
    "ADD": _add,
    "AVERAGE_POOL_2D": _pool,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "MAX_POOL_2D": _pool,
    "SOFTMAX": _softmax,
    "SUB": _add,
    **dict.fromkeys(unary.TABLES, _table),
}
