"""ADD, SUB, MUL with broadcasting. Sources: reference/add.h, sub.h, integer_ops/mul.h."""

import numpy as np

from hedgerow.convert.arithmetic import multiply_by_quantized_multiplier, quantize_multiplier
from hedgerow.convert.graph import Graph, Op, Tensor
from hedgerow.convert.ops.quant import Values, activation_range, requantize

_LEFT_SHIFT = 20  # add.cc: room for the fraction of both inputs

Pair = tuple[int, int]


def sum_pairs(a: Tensor, b: Tensor, out: Tensor) -> tuple[Pair, Pair, Pair]:
    """(multiplier, shift) of each input's share, and the one that makes the int8 of their sum."""
    twice = 2.0 * max(float(a.scale), float(b.scale))
    shares = [quantize_multiplier(float(tensor.scale) / twice) for tensor in (a, b)]
    scale = twice / ((1 << _LEFT_SHIFT) * float(out.scale))
    return shares[0], shares[1], quantize_multiplier(scale)


def share(x: np.ndarray, zero_point: int, pair: Pair) -> np.ndarray:
    """What a value adds to the sum, int64."""
    wide = x.astype(np.int64) - zero_point
    return multiply_by_quantized_multiplier(wide << _LEFT_SHIFT, *pair)


def product_pair(a: Tensor, b: Tensor, out: Tensor) -> Pair:
    return quantize_multiplier(float(a.scale) * float(b.scale) / float(out.scale))


def _sum(graph: Graph, op: Op, values: Values, sign: int) -> np.ndarray:
    a, b = (graph.tensors[i] for i in op.inputs[:2])
    out = graph.tensors[op.outputs[0]]
    pair_a, pair_b, pair = sum_pairs(a, b, out)
    share_a = share(values[op.inputs[0]], a.zero_point, pair_a)
    share_b = share(values[op.inputs[1]], b.zero_point, pair_b)
    low, high = activation_range(op.options["activation"], out)
    total = share_a + sign * share_b
    return requantize(total, [pair], out.zero_point, low, high).reshape(out.shape)


def add(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return _sum(graph, op, values, 1)


def sub(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return _sum(graph, op, values, -1)


def mul(graph: Graph, op: Op, values: Values) -> np.ndarray:
    a, b = (graph.tensors[i] for i in op.inputs[:2])
    out = graph.tensors[op.outputs[0]]
    product = (values[op.inputs[0]].astype(np.int64) - a.zero_point) * (
        values[op.inputs[1]].astype(np.int64) - b.zero_point
    )
    pair = product_pair(a, b, out)
    low, high = activation_range(op.options["activation"], out)
    return requantize(product, [pair], out.zero_point, low, high).reshape(out.shape)
