"""AVERAGE_POOL_2D, MAX_POOL_2D, MEAN. Sources: integer_ops/pooling.h, reference/reduce.h."""

import numpy as np

from hedgerow.convert.arithmetic import multiply_by_quantized_multiplier, quantize_multiplier
from hedgerow.convert.graph import Graph, Op, Tensor
from hedgerow.convert.ops.conv import image, patches, window
from hedgerow.convert.ops.quant import Values, activation_range, constant_of, shaped


def _cells(graph: Graph, op: Op, values: Values, fill: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches (.., kernel_h, kernel_w, c) as int64 and how many cells of each are inside."""
    area = window(graph, op, (op.options["filter_h"], op.options["filter_w"]))
    x = image(graph, values, op.inputs[0])
    inside = patches(np.ones((1, *x.shape[1:3], 1), dtype=np.int64), area, 0)
    return patches(x.astype(np.int64), area, fill), inside.sum(axis=(3, 4))


def average_pool_2d(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """Mean of the cells inside, halves away from zero; no rescaling."""
    view, count = _cells(graph, op, values, 0)
    total = view.sum(axis=(3, 4))
    mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
    low, high = activation_range(op.options["activation"], graph.tensors[op.outputs[0]])
    return shaped(graph, op, values, np.clip(mean, low, high).astype(np.int8))


def max_pool_2d(graph: Graph, op: Op, values: Values) -> np.ndarray:
    view, _ = _cells(graph, op, values, -128)
    low, high = activation_range(op.options["activation"], graph.tensors[op.outputs[0]])
    result = np.clip(view.max(axis=(3, 4)), low, high).astype(np.int8)
    return shaped(graph, op, values, result)


def mean_pair(x: Tensor, out: Tensor) -> tuple[int, int]:
    """The multiplier takes the division in: (m << s) / n, s as large as fits (reduce.h)."""
    count = x.elements // max(1, out.elements)
    multiplier, shift = quantize_multiplier(float(x.scale) / float(out.scale))
    room = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << room) // count, shift - room


def mean(graph: Graph, op: Op, values: Values) -> np.ndarray:
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    axes = tuple({int(a) % len(x.shape) - len(x.shape) for a in constant_of(graph, op, 1).flat})
    total = values[op.inputs[0]].astype(np.int64).sum(axis=axes)
    count = x.elements // max(1, out.elements)
    acc = total - x.zero_point * count
    scaled = multiply_by_quantized_multiplier(acc, *mean_pair(x, out)) + out.zero_point
    return shaped(graph, op, values, np.clip(scaled, -128, 127).astype(np.int8))
