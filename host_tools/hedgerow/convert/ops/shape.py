"""Ops that move int8 values without arithmetic: RESHAPE, PAD, CONCATENATION, STRIDED_SLICE."""

from typing import Any

import numpy as np

from hedgerow.convert.graph import Graph, Op, where
from hedgerow.convert.ops.quant import Values, constant, lead, shaped
from hedgerow.errors import ModelError


def reshape(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return shaped(graph, op, values, values[op.inputs[0]])


def pad(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """PAD fills with the output's zero point, PADV2 with its third input (micro pad_common.cc)."""
    fill = constant(graph, op, 2, values)
    value = graph.tensors[op.outputs[0]].zero_point if fill is None else int(fill.reshape(-1)[0])
    runs = [(0, 0)] * len(lead(graph, values, op.inputs[0]))
    widths = [*runs, *values[op.inputs[1]].reshape(-1, 2).tolist()]
    return np.pad(values[op.inputs[0]], widths, constant_values=value)


def concatenation(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """Inputs are copied as they are: TFLM does not rescale, so scales must agree."""
    runs = max((lead(graph, values, i) for i in op.inputs), key=len)
    parts = [np.broadcast_to(values[i], (*runs, *graph.tensors[i].shape)) for i in op.inputs]
    ranks = len(graph.tensors[op.outputs[0]].shape)
    return np.concatenate(parts, axis=op.options["axis"] % ranks - ranks)


def strided_slice(graph: Graph, op: Op, values: Values) -> np.ndarray:
    o = op.options
    if o["ellipsis_mask"] or o["new_axis_mask"]:
        raise ModelError(f"{where(graph, op)}: ellipsis and new axes are not supported")
    begin, end, step = (values[i].reshape(-1).tolist() for i in op.inputs[1:4])
    slices = []
    for axis, stride in enumerate(step):
        first = None if o["begin_mask"] >> axis & 1 else begin[axis]
        last = None if o["end_mask"] >> axis & 1 else end[axis]
        if o["shrink_mask"] >> axis & 1:
            size = graph.tensors[op.inputs[0]].shape[axis]
            first, stride = begin[axis] % size, 1
            last = first + 1
        elif stride < 0 and last == -1:
            raise ModelError(f"{where(graph, op)}: backwards to before the first")
        slices.append(slice(first, last, stride))
    taken: tuple[Any, ...] = (..., *slices)
    return shaped(graph, op, values, values[op.inputs[0]][taken])
