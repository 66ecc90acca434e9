"""ADD, SUB, MUL with broadcasting. Sources: reference/add.h, sub.h, integer_ops/mul.h."""

import numpy as np

from hedgerow.convert.arithmetic import multiply_by_quantized_multiplier, quantize_multiplier
from hedgerow.convert.graph import Graph, Op, Tensor
from hedgerow.convert.ops.quant import Values, activation_range, requantize

_LEFT_SHIFT = 20  # add.cc: room for the fraction of both inputs


def sum_tables(
    a: Tensor, b: Tensor, out: Tensor, *, subtract: bool
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """(256,) int64 of each input's share, and the pair that makes the int8 of their sum."""
    twice = 2.0 * max(float(a.scale), float(b.scale))
    tables = []
    for tensor, sign in ((a, 1), (b, -1 if subtract else 1)):
        x = np.arange(-128, 128, dtype=np.int64) - tensor.zero_point
        pair = quantize_multiplier(float(tensor.scale) / twice)
        tables.append(sign * multiply_by_quantized_multiplier(x << _LEFT_SHIFT, *pair))
    scale = twice / ((1 << _LEFT_SHIFT) * float(out.scale))
    return tables[0], tables[1], quantize_multiplier(scale)


def _sum(graph: Graph, op: Op, values: Values, *, subtract: bool) -> np.ndarray:
    a, b = (graph.tensors[i] for i in op.inputs[:2])
    out = graph.tensors[op.outputs[0]]
    first, second, pair = sum_tables(a, b, out, subtract=subtract)
    share_a = first[values[op.inputs[0]].astype(np.int64) + 128]
    share_b = second[values[op.inputs[1]].astype(np.int64) + 128]
    low, high = activation_range(op.options["activation"], out)
    return requantize(share_a + share_b, [pair], out.zero_point, low, high).reshape(out.shape)


def add(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return _sum(graph, op, values, subtract=False)


def sub(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return _sum(graph, op, values, subtract=True)


def mul(graph: Graph, op: Op, values: Values) -> np.ndarray:
    a, b = (graph.tensors[i] for i in op.inputs[:2])
    out = graph.tensors[op.outputs[0]]
    product = (values[op.inputs[0]].astype(np.int64) - a.zero_point) * (
        values[op.inputs[1]].astype(np.int64) - b.zero_point
    )
    pair = quantize_multiplier(float(a.scale) * float(b.scale) / float(out.scale))
    low, high = activation_range(op.options["activation"], out)
    return requantize(product, [pair], out.zero_point, low, high).reshape(out.shape)
