"""The ops of a device graph (passes.py makes them): all numbers final, zero points folded in.

Geometry of "conv", "depthwise" and "pool" is a Window over in_shape; `fill` is what lies outside.
"""

import numpy as np

from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.ops.conv import Window, patches
from hedgerow.convert.ops.quant import Values, requantize
from hedgerow.convert.ops.softmax import softmax_rows


def _finish(graph: Graph, op: Op, acc: np.ndarray) -> np.ndarray:
    o = op.options
    out = requantize(
        acc.astype(np.int64), o["requant"], o["zero_point"], o["act_min"], o["act_max"]
    )
    return out.reshape(graph.tensors[op.outputs[0]].shape)


def _image(op: Op, values: Values) -> np.ndarray:
    """The input as (n, h, w, c): a RESHAPE before the op is gone, its shape kept here."""
    return values[op.inputs[0]].reshape(op.options["in_shape"])


def dense(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """weights: (n_out, n_in) int8; bias has the input's zero point folded in."""
    w = op.options["weights"].astype(np.float64)
    rows = values[op.inputs[0]].reshape(-1, w.shape[1]).astype(np.float64)
    return _finish(graph, op, rows @ w.T + op.options["bias"])


def conv(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """weights: (c_out, kernel_h * kernel_w * c_in) int8."""
    w = op.options["weights"].astype(np.float64)
    view = patches(_image(op, values), op.options["window"], op.options["fill"])
    rows = view.reshape(-1, w.shape[1]).astype(np.float64)
    return _finish(graph, op, rows @ w.T + op.options["bias"])


def depthwise(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """weights: (kernel_h * kernel_w, c) int8; channel j reads input channel j."""
    area: Window = op.options["window"]
    view = patches(_image(op, values), area, op.options["fill"])
    w = op.options["weights"].astype(np.int64).reshape(*area.kernel, -1)
    acc = np.zeros((*view.shape[:3], w.shape[2]), dtype=np.int64)
    for row in range(area.kernel[0]):
        for column in range(area.kernel[1]):
            acc += view[:, :, :, row, column].astype(np.int64) * w[row, column]
    return _finish(graph, op, acc + op.options["bias"])


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
    return np.clip(result, o["act_min"], o["act_max"]).astype(np.int8)


def add(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """Sum of two table values, requantised."""
    a, b = (values[i].astype(np.int64).reshape(-1) + 128 for i in op.inputs)
    return _finish(graph, op, op.options["table_a"][a] + op.options["table_b"][b])


def softmax(graph: Graph, op: Op, values: Values) -> np.ndarray:
    rows = values[op.inputs[0]].reshape(-1, op.options["depth"])
    return softmax_rows(rows, op.options["table"]).astype(np.int8)


def table(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return op.options["table"][values[op.inputs[0]].astype(np.int64) + 128]
