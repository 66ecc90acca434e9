"""Gradients of the float ops, for fine-tuning and distillation without a training framework.

    values = run_batch(graph, x)
    gradients = backward(graph, values, dy)  # of the loss by every float tensor, by index

Each function takes (graph, op, values, dy) and returns the gradients of the op's inputs, in
order, None for what has none. dy: by the op's output before its fused activation.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hedgerow.convert.graph import Graph, Op, where
from hedgerow.convert.ops import shape
from hedgerow.convert.ops.conv import Window, patches, transposed_cut, window
from hedgerow.convert.ops.quant import Values
from hedgerow.errors import ModelError
from hedgerow.train.float_ops import LIMITS, mean_axes

Gradients = tuple[np.ndarray | None, ...]


def backward(graph: Graph, values: Values, dy: np.ndarray) -> Values:
    """Gradients by tensor index. values: of run_batch(); dy: of the loss by the output."""
    totals: Values = {graph.output: dy}
    for op in reversed(graph.ops):
        if op.outputs[0] not in totals:
            continue
        if op.kind not in GRADIENTS:
            raise ModelError(f"{where(graph, op)} cannot be trained")
        through = _unclamped(op, values[op.outputs[0]], totals[op.outputs[0]])
        parts = GRADIENTS[op.kind](graph, op, values, through)
        for index, part in zip(op.inputs, parts, strict=False):  # an op may have no bias
            if part is not None and index != -1:
                totals[index] = totals[index] + part if index in totals else part
    return totals


def _unclamped(op: Op, y: np.ndarray, dy: np.ndarray) -> np.ndarray:
    low, high = LIMITS[op.options.get("activation", "none")]
    return dy.reshape(y.shape) * ((y > low) & (y < high))


def _bias(dy: np.ndarray) -> np.ndarray:
    return dy.reshape(-1, dy.shape[-1]).sum(axis=0)


def _unpatched(parts: np.ndarray, area: Window, image: tuple[int, ...]) -> np.ndarray:
    """Sum of what every window sends back to an image (n, h, w, c); the inverse of patches()."""
    n, rows, columns, c = image
    (top, left), (down, right), (a, b) = area.pad, area.stride, area.dilation
    height = max(top + rows, (area.out[0] - 1) * down + (area.kernel[0] - 1) * a + 1)
    width = max(left + columns, (area.out[1] - 1) * right + (area.kernel[1] - 1) * b + 1)
    canvas = np.zeros((n, height, width, c), dtype=parts.dtype)
    for i in range(area.kernel[0]):
        for j in range(area.kernel[1]):
            view = canvas[:, i * a :: down, j * b :: right]
            view[:, : area.out[0], : area.out[1]] += parts[:, :, :, i, j]
    return canvas[:, top : top + rows, left : left + columns]


def conv_2d(graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    x, w = values[op.inputs[0]], values[op.inputs[1]]
    area = window(graph, op, w.shape[1:3])
    view = patches(x, area, 0)
    rows, back = view.reshape(-1, w[0].size), dy.reshape(-1, len(w))
    parts = (back @ w.reshape(len(w), -1)).reshape(view.shape)
    return _unpatched(parts, area, x.shape), (back.T @ rows).reshape(w.shape), _bias(dy)


def depthwise_conv_2d(graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    x, w = values[op.inputs[0]], values[op.inputs[1]]
    area = window(graph, op, w.shape[1:3])
    taps = w[0].reshape(*w.shape[1:3], x.shape[3], -1)
    back = dy.reshape(*dy.shape[:3], *taps.shape[2:])
    parts = np.einsum("nyxcm,ijcm->nyxijc", back, taps, optimize=True)
    dw = np.einsum("nyxijc,nyxcm->ijcm", patches(x, area, 0), back, optimize=True)
    return _unpatched(parts, area, x.shape), dw.reshape(w.shape), _bias(dy)


def fully_connected(_graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    x, w = values[op.inputs[0]], values[op.inputs[1]]
    back = dy.reshape(-1, len(w))
    return (back @ w).reshape(x.shape), back.T @ x.reshape(-1, w.shape[1]), _bias(dy)


def transpose_conv(graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    w, x = values[op.inputs[1]], values[op.inputs[2]]
    strides = (op.options["stride_h"], op.options["stride_w"])
    same = op.options["padding"] == "same"
    sides = []
    for axis in (1, 2):
        reach = (x.shape[axis] - 1) * strides[axis - 1] + w.shape[axis]
        before = transposed_cut(w.shape[axis], strides[axis - 1], dy.shape[axis]) * same
        sides.append((before, max(0, reach - before - dy.shape[axis])))
    canvas = np.pad(dy, [(0, 0), *sides, (0, 0)])
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(w.shape[1]):
        for j in range(w.shape[2]):
            part = canvas[:, i :: strides[0], j :: strides[1]][:, : x.shape[1], : x.shape[2]]
            dx += part @ w[:, i, j]
            dw[:, i, j] = np.einsum("nyxo,nyxc->oc", part, x, optimize=True)
    return None, dw, dx, _bias(dy)


def _cells(graph: Graph, op: Op, values: Values, fill: float) -> tuple[Window, np.ndarray]:
    area = window(graph, op, (op.options["filter_h"], op.options["filter_w"]))
    return area, patches(values[op.inputs[0]], area, fill)  # type: ignore[arg-type]


def average_pool_2d(graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    x = values[op.inputs[0]]
    area, view = _cells(graph, op, values, 0)
    inside = patches(np.ones((1, *x.shape[1:3], 1), dtype=np.float32), area, 0)
    share = dy / inside.sum(axis=(3, 4))
    parts = np.broadcast_to(share[:, :, :, None, None], view.shape)
    return (_unpatched(parts, area, x.shape),)


def max_pool_2d(graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    area, view = _cells(graph, op, values, -np.inf)
    best = view == view.max(axis=(3, 4), keepdims=True)
    parts = best / best.sum(axis=(3, 4), keepdims=True) * dy[:, :, :, None, None]
    return (_unpatched(parts, area, values[op.inputs[0]].shape),)


def mean(graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    x, axes = values[op.inputs[0]], mean_axes(graph, op, values)
    kept = [1 if axis in axes else n for axis, n in enumerate(x.shape)]
    count = int(np.prod([x.shape[axis] for axis in axes]))
    return (np.broadcast_to(dy.reshape(kept) / count, x.shape),)


def pad(_graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    sizes, widths = values[op.inputs[0]].shape, values[op.inputs[1]].reshape(-1, 2)
    starts = widths[:, 0].tolist()
    return (dy[tuple(slice(a, a + n) for a, n in zip(starts, sizes, strict=True))],)


def concatenation(graph: Graph, op: Op, _values: Values, dy: np.ndarray) -> Gradients:
    axis = op.options["axis"]
    ends = np.cumsum([graph.tensors[i].shape[axis] for i in op.inputs])
    return tuple(np.split(dy, ends[:-1].tolist(), axis=axis))


def strided_slice(graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    """The same slice of an array of places says where each number came from."""
    x = values[op.inputs[0]]
    places = np.arange(x[0].size).reshape(1, *x.shape[1:])
    picked = shape.strided_slice(graph, op, {**values, op.inputs[0]: places}).reshape(-1)
    dx = np.zeros((len(x), x[0].size), dtype=dy.dtype)
    dx[:, picked] = dy.reshape(len(x), -1)
    return (dx.reshape(x.shape),)


def softmax(_graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    p = values[op.outputs[0]]
    return (op.options["beta"] * p * (dy - (dy * p).sum(axis=-1, keepdims=True)),)


def _summed(part: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """The gradient of an operand that was broadcast; one without a batch is a constant."""
    extra = part.ndim - len(sizes)
    part = part.sum(axis=tuple(range(extra)))
    wide = tuple(i for i, n in enumerate(sizes) if n == 1 and part.shape[i] != 1)
    return part.sum(axis=wide, keepdims=True)


def _binary(
    left: Callable, right: Callable
) -> Callable[[Graph, Op, Values, np.ndarray], Gradients]:
    def gradients(_graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
        a, b = (values[i] for i in op.inputs[:2])
        return _summed(left(a, b, dy), a.shape), _summed(right(a, b, dy), b.shape)

    return gradients


def _unary(slope: Callable) -> Callable[[Graph, Op, Values, np.ndarray], Gradients]:
    """slope(x, y, options): of the output by the input, element by element."""

    def gradients(_graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
        x, y = values[op.inputs[0]], values[op.outputs[0]]
        return ((dy.reshape(y.shape) * slope(x, y, op.options)).reshape(x.shape),)

    return gradients


def _reshape(_graph: Graph, op: Op, values: Values, dy: np.ndarray) -> Gradients:
    return (dy.reshape(values[op.inputs[0]].shape),)


def _hard_swish(x: np.ndarray, _y: np.ndarray, _options: Mapping) -> np.ndarray:
    return np.where(x <= -3.0, 0.0, np.where(x >= 3.0, 1.0, (2.0 * x + 3.0) / 6.0))


GRADIENTS: Mapping[str, Callable[[Graph, Op, Values, np.ndarray], Gradients]] = {
    "ADD": _binary(lambda a, b, dy: dy, lambda a, b, dy: dy),
    "AVERAGE_POOL_2D": average_pool_2d,
    "CONCATENATION": concatenation,
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
    "HARD_SWISH": _unary(_hard_swish),
    "LEAKY_RELU": _unary(lambda x, y, options: np.where(x >= 0, 1.0, options["alpha"])),
    "LOGISTIC": _unary(lambda x, y, options: y * (1.0 - y)),
    "MAX_POOL_2D": max_pool_2d,
    "MEAN": mean,
    "MUL": _binary(lambda a, b, dy: dy * b, lambda a, b, dy: dy * a),
    "PAD": pad,
    "PADV2": pad,
    "RELU": _unary(lambda x, y, options: x > 0),
    "RELU6": _unary(lambda x, y, options: (x > 0) & (x < 6)),
    "RESHAPE": _reshape,
    "SOFTMAX": softmax,
    "STRIDED_SLICE": strided_slice,
    "SUB": _binary(lambda a, b, dy: dy, lambda a, b, dy: -dy),
    "TANH": _unary(lambda x, y, options: 1.0 - y * y),
    "TRANSPOSE_CONV": transpose_conv,
}
