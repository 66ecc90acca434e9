"""The ops of a device graph (passes.py makes them): all numbers final, zero points folded in.

Geometry of "conv", "depthwise" and "pool" is a Window over in_shape; `fill` is what lies outside.
"""

import numpy as np

from hedgerow.convert.arithmetic import multiply_by_quantized_multiplier
from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.ops.conv import Window, depthwise_sums, patches, product
from hedgerow.convert.ops.elementwise import share
from hedgerow.convert.ops.quant import Values, lead, requantize, shaped
from hedgerow.convert.ops.recurrent import lstm_with, svdf_with
from hedgerow.convert.ops.softmax import exp_table, softmax_rows


def _finish(graph: Graph, op: Op, values: Values, acc: np.ndarray) -> np.ndarray:
    o = op.options
    out = requantize(
        acc.astype(np.int64), o["requant"], o["zero_point"], o["act_min"], o["act_max"]
    )
    return shaped(graph, op, values, out)


def _image(op: Op, values: Values) -> np.ndarray:
    """The input as (n, h, w, c): a RESHAPE before the op is gone, its shape kept here."""
    return values[op.inputs[0]].reshape(-1, *op.options["in_shape"][1:])


def conv(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """weights: (c_out, kernel_h * kernel_w * c_in) int8."""
    w = op.options["weights"]
    view = patches(_image(op, values), op.options["window"], op.options["fill"])
    acc = product(view.reshape(-1, w.shape[1]), w).astype(np.int64)
    return _finish(graph, op, values, acc + op.options["bias"])


def depthwise(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """weights: (kernel_h * kernel_w, c) int8; channel j reads input channel j."""
    area: Window = op.options["window"]
    view = patches(_image(op, values), area, op.options["fill"])
    acc = depthwise_sums(view, op.options["weights"].reshape(*area.kernel, -1))
    return _finish(graph, op, values, acc + op.options["bias"])


def pool(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """options["average"]: mean of the cells inside, halves away from zero; else their maximum."""
    o, x = op.options, _image(op, values).astype(np.int64)
    view = patches(x, o["window"], 0 if o["average"] else -128)
    if o["average"]:
        inside = patches(np.ones((1, *x.shape[1:3], 1), dtype=np.int64), o["window"], 0)
        count, total = inside.sum(axis=(3, 4)), view.sum(axis=(3, 4))
        result = np.sign(total) * ((np.abs(total) + count // 2) // count)
    else:
        result = view.max(axis=(3, 4))
    result = np.clip(result, o["act_min"], o["act_max"]).astype(np.int8)
    return shaped(graph, op, values, result)


def _operands(graph: Graph, op: Op, values: Values) -> tuple[np.ndarray, np.ndarray]:
    """(runs, elements) of a, and b's element for each of a's."""
    a, b = (values[i].reshape(-1, graph.tensors[i].elements) for i in op.inputs)
    return a, b[:, np.arange(a.shape[1]) // op.options["b_run"] % b.shape[1]]


def add(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """ADD and SUB: the shares of both, requantised."""
    o, (a, b) = op.options, _operands(graph, op, values)
    share_a = share(a, o["zero_a"], o["pair_a"]) * (-1 if o["negate_a"] else 1)
    share_b = share(b, o["zero_b"], o["pair_b"]) * (-1 if o["negate_b"] else 1)
    return _finish(graph, op, values, share_a + share_b)


def mul(graph: Graph, op: Op, values: Values) -> np.ndarray:
    o, (a, b) = op.options, _operands(graph, op, values)
    wide = a.astype(np.int64) - o["zero_a"]
    return _finish(graph, op, values, wide * (b.astype(np.int64) - o["zero_b"]))


def softmax(graph: Graph, op: Op, values: Values) -> np.ndarray:
    o, out = op.options, graph.tensors[op.outputs[0]]
    rows = values[op.inputs[0]].reshape(-1, o["depth"])
    powers = exp_table(o["multiplier"], o["shift"], o["radius"])
    return shaped(graph, op, values, softmax_rows(rows, powers, o["bits"]).astype(out.dtype))


def table(graph: Graph, op: Op, values: Values) -> np.ndarray:
    result = op.options["table"][values[op.inputs[0]].astype(np.int64) + 128]
    return shaped(graph, op, values, result)


def mean(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """Sums over the middle of (outer, n, inner); the multiplier divides."""
    o = op.options
    x = values[op.inputs[0]].reshape(-1, o["n"], o["inner"]).astype(np.int64)
    scaled = multiply_by_quantized_multiplier(x.sum(axis=1) - o["total_zero"], *o["requant"][0])
    result = np.clip(scaled + o["zero_point"], -128, 127).astype(np.int8)
    return shaped(graph, op, values, result)


def requantize_type(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """int8 or int16 to int8, int16 or int32."""
    o, out = op.options, graph.tensors[op.outputs[0]]
    wide = values[op.inputs[0]].astype(np.int64) - o["zero_in"]
    scaled = multiply_by_quantized_multiplier(wide, *o["requant"][0]) + o["zero_point"]
    limits = np.iinfo(out.dtype)
    result = np.clip(scaled, limits.min, limits.max).astype(out.dtype)
    return shaped(graph, op, values, result)


def move(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """options["fills"]: (offset, count, value); options["copies"]: see lowering/move.py."""
    out = graph.tensors[op.outputs[0]]
    runs = max((lead(graph, values, i) for i in op.inputs), key=len)
    flat = np.zeros((*runs, out.elements), dtype=np.int8)
    for at, count, value in op.options["fills"]:
        flat[..., at : at + count] = value
    for place, source, counts, steps, target, target_steps in op.options["copies"]:
        k = np.indices(counts).reshape(len(counts), -1)
        index = op.inputs[place]
        given = values[index].reshape(*lead(graph, values, index), -1)
        flat[..., target + np.array(target_steps) @ k] = given[..., source + np.array(steps) @ k]
    return flat.reshape(*runs, *out.shape)


def svdf(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """inputs: x, state."""
    return svdf_with(op.options, graph, op, values, 1)


def lstm(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """inputs: x, hidden state, cell."""
    return lstm_with(op.options, graph, op, values, (1, 2))
