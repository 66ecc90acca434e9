"""ADD, SUB, MUL with broadcasting. Sources: reference/add.h, sub.h, integer_ops/mul.h."""

import numpy as np

from hedgerow.convert.arithmetic import multiply_by_quantized_multiplier, quantize_multiplier
from hedgerow.convert.graph import Graph, Op, Tensor
from hedgerow.convert.ops.quant import Values, activation_range, lead, requantize

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
    x, y = _aligned(graph, op, values)
    low, high = activation_range(op.options["activation"], out)
    total = share(x, a.zero_point, pair_a) + sign * share(y, b.zero_point, pair_b)
    return requantize(total, [pair], out.zero_point, low, high)


def _aligned(graph: Graph, op: Op, values: Values) -> list[np.ndarray]:
    """Both operands with axes of length 1 between their runs and their own axes, as many as it
    takes to broadcast."""
    ranks = len(graph.tensors[op.outputs[0]].shape)
    aligned = []
    for index in op.inputs[:2]:
        shape = graph.tensors[index].shape
        ones = (1,) * (ranks - len(shape))
        aligned.append(values[index].reshape(*lead(graph, values, index), *ones, *shape))
    return aligned


def add(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return _sum(graph, op, values, 1)


def sub(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return _sum(graph, op, values, -1)


def mul(graph: Graph, op: Op, values: Values) -> np.ndarray:
    a, b = (graph.tensors[i] for i in op.inputs[:2])
    out = graph.tensors[op.outputs[0]]
    x, y = (value.astype(np.int64) for value in _aligned(graph, op, values))
    pair = product_pair(a, b, out)
    low, high = activation_range(op.options["activation"], out)
    product = (x - a.zero_point) * (y - b.zero_point)
    return requantize(product, [pair], out.zero_point, low, high)
