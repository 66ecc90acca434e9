"""Translates ONNX nodes to ops of a float graph: one function per family, one row in NODES.

A function takes (builder, node) and returns the node's first output as a Value.
Source: onnx.ai/onnx/operators (semantics by opset where they changed).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hedgerow.convert.ops.conv import transposed_cut
from hedgerow.errors import ModelError
from hedgerow.train.graph_builder import GraphBuilder
from hedgerow.train.onnx_value import (
    Value,
    constant_like,
    from_nhwc,
    reshaped,
    stored,
    tensor_axis,
    to_nhwc,
    to_rows,
)
from hedgerow.train.onnx_window import padded, side_pairs, transposed_spans


@dataclass(frozen=True)
class Node:
    """what: how errors name it; inputs: Value if computed, array if constant, None if absent."""

    what: str
    opset: int
    attributes: Mapping[str, Any]
    inputs: list[Value | np.ndarray | None]

    def value(self, place: int = 0) -> Value:
        found = self.inputs[place]
        if not isinstance(found, Value):
            raise ModelError(f"{self.what}: input {place} must be computed by the model")
        return found

    def array(self, place: int, default: Any = None) -> np.ndarray:
        """A constant input; `default` if it is absent and a default is given."""
        found = self.inputs[place] if place < len(self.inputs) else None
        if found is None and default is not None:
            return np.asarray(default)
        if not isinstance(found, np.ndarray):
            raise ModelError(f"{self.what}: input {place} must be a constant")
        return found

    def has(self, place: int) -> bool:
        return place < len(self.inputs) and self.inputs[place] is not None

    def whole_numbers(self, name: str, place: int) -> list[int] | None:
        """Attribute of old opsets, input of new ones (axes, pads); None if it has neither."""
        if name in self.attributes:
            return [int(v) for v in self.attributes[name]]
        if self.has(place):
            return [int(v) for v in self.array(place).reshape(-1)]
        return None


Translate = Callable[[GraphBuilder, Node], Value]


def _conv(b: GraphBuilder, node: Node) -> Value:
    """Groups of one channel become DEPTHWISE_CONV_2D; other groups are refused."""
    value, a = node.value(), node.attributes
    weights = _with_height(node.array(1))
    group, c_out = int(a.get("group", 1)), weights.shape[0]
    pairs = side_pairs(a, value.order.ndim - 2, weights.shape[2:])
    x = to_nhwc(b, value, node.what)
    x, padding, (h, w) = padded(b, x, pairs, 0.0)
    options = {**pairs.steps(), "padding": padding}
    bias = b.constant("bias", node.array(2, np.zeros(c_out)).astype(np.float32))
    shape = (1, h, w, c_out)
    if group == 1:
        kernel = b.constant("weights", weights.transpose(0, 2, 3, 1))
        y = b.op("CONV_2D", [x, kernel, bias], shape, node.what, **options)
    elif weights.shape[1] == 1 and c_out % group == 0:
        options["depth_multiplier"] = c_out // group
        kernel = b.constant("weights", weights.transpose(1, 2, 3, 0))
        y = b.op("DEPTHWISE_CONV_2D", [x, kernel, bias], shape, node.what, **options)
    else:
        raise ModelError(f"{node.what}: {group} groups; use 1, or as many as input channels")
    return from_nhwc(y, shape, value.order.ndim)


def _with_height(weights: np.ndarray) -> np.ndarray:
    return weights[:, :, None, :] if weights.ndim == 3 else weights


def _conv_transpose(b: GraphBuilder, node: Node) -> Value:
    """As TFLite's SAME cuts, or VALID, with a STRIDED_SLICE behind it where rows go first."""
    value, a = node.value(), node.attributes
    weights = _with_height(node.array(1))
    pairs = side_pairs(a, value.order.ndim - 2, weights.shape[2:])
    x = to_nhwc(b, value, node.what)
    if int(a.get("group", 1)) != 1 or pairs.dilation != (1, 1):
        raise ModelError(f"{node.what}: groups and dilation are not supported")
    spans = transposed_spans(a, pairs, b.tensors[x].shape[1:3])
    same = all(
        transposed_cut(kernel, stride, out) == start
        for kernel, stride, (start, out) in zip(pairs.kernel, pairs.stride, spans, strict=True)
    )
    shape = (1, *(out if same else start + out for start, out in spans), weights.shape[1])
    kernel = b.constant("weights", weights.transpose(1, 2, 3, 0))
    bias = b.constant("bias", node.array(2, np.zeros(shape[3])).astype(np.float32))
    steps = {"stride_h": pairs.stride[0], "stride_w": pairs.stride[1]}
    padding = "same" if same else "valid"
    inputs = [b.constant("size", list(shape)), kernel, x, bias]
    y = b.op("TRANSPOSE_CONV", inputs, shape, node.what, padding=padding, **steps)
    if not same and any(start for start, _ in spans):
        y = _cut(b, node, y, [0, *(start for start, _ in spans), 0], list(shape), [1] * 4)
        shape = b.tensors[y].shape
    return from_nhwc(y, shape, value.order.ndim)


def _pool(kind: str) -> Translate:
    def translate(b: GraphBuilder, node: Node) -> Value:
        value, a = node.value(), node.attributes
        rank = value.order.ndim
        pairs = side_pairs(a, rank - 2, (1,) * (4 - rank) + tuple(a["kernel_shape"]))
        x = to_nhwc(b, value, node.what)
        if int(a.get("ceil_mode", 0)) and not pairs.divides(b.tensors[x].shape[1:3]):
            raise ModelError(f"{node.what}: ceil_mode that adds a cell is not supported")
        if pairs.dilation != (1, 1):
            raise ModelError(f"{node.what}: dilation is not supported")
        counted = kind == "MAX_POOL_2D" or bool(a.get("count_include_pad", 0))
        fill = -np.inf if kind == "MAX_POOL_2D" else 0.0
        may_be_same = kind == "MAX_POOL_2D" or not counted
        x, padding, (h, w) = padded(b, x, pairs, fill, may_be_same=may_be_same)
        if not counted and padding == "valid" and any(map(any, pairs.pads)):
            raise ModelError(f"{node.what}: use count_include_pad=True, or pads as of SAME")
        shape = (1, h, w, b.tensors[x].shape[3])
        options = {"padding": padding, "filter_h": pairs.kernel[0], "filter_w": pairs.kernel[1]}
        steps = {"stride_h": pairs.stride[0], "stride_w": pairs.stride[1]}
        return from_nhwc(b.op(kind, [x], shape, node.what, **options, **steps), shape, rank)

    return translate


def _global_pool(b: GraphBuilder, node: Node) -> Value:
    value = node.value()
    return _mean_over(b, node, value, list(range(2, value.order.ndim)), keep=True)


def _reduce_mean(b: GraphBuilder, node: Node) -> Value:
    value = node.value()
    axes = node.whole_numbers("axes", 1) or list(range(value.order.ndim))
    keep = bool(node.attributes.get("keepdims", 1))
    return _mean_over(b, node, value, [a % value.order.ndim for a in axes], keep=keep)


def _mean_over(b: GraphBuilder, node: Node, value: Value, axes: list[int], *, keep: bool) -> Value:
    places = sorted(tensor_axis(b, value, axis, node.what) for axis in axes)
    shape = [1 if i in places else n for i, n in enumerate(b.tensors[value.tensor].shape)]
    inputs = [value.tensor, b.constant("axes", places)]
    y = b.op("MEAN", inputs, shape, node.what, keep_dims=True)
    kept = [1 if axis in axes else n for axis, n in enumerate(value.shape)]
    back = [tensor_axis(b, value, axis, node.what) for axis in range(len(kept))]
    order = stored(y, shape, back).order
    if not keep:
        order = order.reshape([n for axis, n in enumerate(kept) if axis not in axes])
    return Value(y, order)


def _gemm(b: GraphBuilder, node: Node) -> Value:
    a = node.attributes
    if a.get("transA", 0):
        raise ModelError(f"{node.what}: transA is not supported")
    weights = node.array(1) * a.get("alpha", 1.0)
    weights = weights if a.get("transB", 0) else weights.T
    bias = node.array(2, np.zeros(len(weights))) * a.get("beta", 1.0)
    return _dense(b, node, weights, np.broadcast_to(bias.reshape(-1), (len(weights),)))


def _matmul(b: GraphBuilder, node: Node) -> Value:
    weights = node.array(1).T
    return _dense(b, node, weights, np.zeros(len(weights)))


def _dense(b: GraphBuilder, node: Node, weights: np.ndarray, bias: np.ndarray) -> Value:
    """weights: (n_out, n_in) in ONNX's order of inputs, stored in that of the tensor."""
    x, places = to_rows(b, node.value(), node.what)
    own = np.empty(weights.shape, dtype=np.float32)
    own[:, places] = weights
    shape = (1, len(own))
    inputs = [x, b.constant("weights", own), b.constant("bias", bias.astype(np.float32))]
    return stored(b.op("FULLY_CONNECTED", inputs, shape, node.what), shape, (0, 1))


def _binary(kind: str) -> Translate:
    def translate(b: GraphBuilder, node: Node) -> Value:
        left, right = node.inputs[:2]
        if isinstance(left, Value) and isinstance(right, Value):
            return _combined(b, node, kind, left, right)
        value = node.value(0 if isinstance(left, Value) else 1)
        data = node.array(1 if isinstance(left, Value) else 0)
        other = constant_like(b, "operand", data, value)
        inputs = [value.tensor, other] if isinstance(left, Value) else [other, value.tensor]
        shape = b.tensors[value.tensor].shape
        return Value(b.op(kind, inputs, shape, node.what), value.order)

    return translate


def _combined(b: GraphBuilder, node: Node, kind: str, left: Value, right: Value) -> Value:
    wide, small = (left, right) if left.order.size >= right.order.size else (right, left)
    same = left.shape == right.shape and (left.order == right.order).all()
    inputs = [left.tensor, right.tensor]
    if same and b.tensors[left.tensor].shape != b.tensors[right.tensor].shape:
        shape = b.tensors[wide.tensor].shape
        inputs = [reshaped(b, tensor, shape) for tensor in inputs]
    elif not same:
        if (
            len(left.shape) != len(right.shape)
            or np.broadcast_shapes(left.shape, right.shape) != wide.shape
        ):
            raise ModelError(f"{node.what}: shapes {left.shape} and {right.shape}")
        for axis in range(len(wide.shape)):
            if tensor_axis(b, wide, axis, node.what) != tensor_axis(b, small, axis, node.what):
                raise ModelError(f"{node.what}: its inputs lie in different orders")
    shape = b.tensors[wide.tensor].shape
    return Value(b.op(kind, inputs, shape, node.what), wide.order)


def _divide(b: GraphBuilder, node: Node) -> Value:
    factor = 1.0 / node.array(1).astype(np.float64)
    by = Node(node.what, node.opset, node.attributes, [node.value(), factor.astype(np.float32)])
    return _binary("MUL")(b, by)


def _batch_norm(b: GraphBuilder, node: Node) -> Value:
    gain, offset, mean, variance = (node.array(i).astype(np.float64) for i in range(1, 5))
    factor = gain / np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
    value = node.value()
    shape = (1, -1) + (1,) * (value.order.ndim - 2)
    for kind, data in (("MUL", factor), ("ADD", offset - mean * factor)):
        other = constant_like(b, "norm", data.astype(np.float32).reshape(shape), value)
        tensor = b.op(kind, [value.tensor, other], b.tensors[value.tensor].shape, node.what)
        value = Value(tensor, value.order)
    return value


def _unary(kind: str) -> Translate:
    def translate(b: GraphBuilder, node: Node) -> Value:
        value = node.value()
        y = b.op(kind, [value.tensor], b.tensors[value.tensor].shape, node.what)
        return Value(y, value.order)

    return translate


def _leaky(b: GraphBuilder, node: Node) -> Value:
    value, alpha = node.value(), float(node.attributes.get("alpha", 0.01))
    y = b.op("LEAKY_RELU", [value.tensor], b.tensors[value.tensor].shape, node.what, alpha=alpha)
    return Value(y, value.order)


def _clip(b: GraphBuilder, node: Node) -> Value:
    """0 .. 6, 0 .. or -1 .. 1; the rest has no TFLite op."""
    a = node.attributes
    low = float(node.array(1, a.get("min", -np.inf)))
    high = float(node.array(2, a.get("max", np.inf)))
    kinds = {(0.0, 6.0): "RELU6", (0.0, np.inf): "RELU", (-1.0, 1.0): "RELU_N1_TO_1"}
    if (low, high) not in kinds:
        raise ModelError(f"{node.what}: {low} to {high}; use 0 to 6, 0 to infinity, or -1 to 1")
    return _unary(kinds[low, high])(b, node)


def _softmax(b: GraphBuilder, node: Node) -> Value:
    value = node.value()
    axis = int(node.attributes.get("axis", -1 if node.opset >= 13 else 1))
    behind = value.shape[axis % len(value.shape) + 1 :]
    if node.opset < 13 and any(n != 1 for n in behind):
        raise ModelError(
            f"{node.what}: before opset 13 it is over all axes from {axis} on: export with opset "
            "13 or later"
        )
    last = len(b.tensors[value.tensor].shape) - 1
    if tensor_axis(b, value, axis, node.what) != last:
        raise ModelError(f"{node.what}: only over the channels")
    return _unary("SOFTMAX")(b, node)


def _concat(b: GraphBuilder, node: Node) -> Value:
    values = [node.value(i) for i in range(len(node.inputs))]
    axis = int(node.attributes["axis"])
    places = {tensor_axis(b, v, axis, node.what) for v in values}
    order = values[0]
    ranks = [[tensor_axis(b, v, i, node.what) for i in range(len(v.shape))] for v in values]
    if len(places) != 1 or any(r != ranks[0] for r in ranks):
        raise ModelError(f"{node.what}: its inputs lie in different orders")
    place = places.pop()
    shape = list(b.tensors[order.tensor].shape)
    shape[place] = sum(b.tensors[v.tensor].shape[place] for v in values)
    y = b.op("CONCATENATION", [v.tensor for v in values], shape, node.what, axis=place)
    return stored(y, shape, ranks[0])


def _pad(b: GraphBuilder, node: Node) -> Value:
    value = node.value()
    pads = node.whole_numbers("pads", 1) or []
    mode = node.attributes.get("mode", "constant")
    fill = float(node.array(2, node.attributes.get("value", 0.0)).reshape(-1)[0])
    rank = len(value.shape)
    if mode != "constant" or len(pads) != 2 * rank or min(pads) < 0:
        raise ModelError(f"{node.what}: mode {mode}, pads {pads}; use constant, not negative")
    places = [tensor_axis(b, value, axis, node.what) for axis in range(rank)]
    widths = np.zeros((rank, 2), dtype=np.int32)
    for axis, place in enumerate(places):
        widths[place] = pads[axis], pads[axis + rank]
    shape = [n + int(w.sum()) for n, w in zip(b.tensors[value.tensor].shape, widths, strict=True)]
    inputs = [value.tensor, b.constant("pads", widths)]
    inputs += [b.constant("fill", np.array([fill], dtype=np.float32))] if fill else []
    y = b.op("PADV2" if fill else "PAD", inputs, shape, node.what)
    return stored(y, shape, places)


def _slice(b: GraphBuilder, node: Node) -> Value:
    value = node.value()
    starts, ends = (node.whole_numbers(n, i) or [] for n, i in (("starts", 1), ("ends", 2)))
    axes = node.whole_numbers("axes", 3) or list(range(len(starts)))
    steps = node.whole_numbers("steps", 4) or [1] * len(starts)
    shape = list(b.tensors[value.tensor].shape)
    begin, end, step = [0] * len(shape), list(shape), [1] * len(shape)
    for axis, first, last, stride in zip(axes, starts, ends, steps, strict=True):
        if stride < 1:
            raise ModelError(f"{node.what}: step {stride}; only forwards")
        place = tensor_axis(b, value, axis, node.what)
        begin[place], end[place], step[place] = slice(first, last, stride).indices(shape[place])
    y = _cut(b, node, value.tensor, begin, end, step)
    places = [tensor_axis(b, value, axis, node.what) for axis in range(len(value.shape))]
    return stored(y, b.tensors[y].shape, places)


def _cut(
    b: GraphBuilder, node: Node, tensor: int, begin: list[int], end: list[int], step: list[int]
) -> int:
    """STRIDED_SLICE of a tensor; one number for each of its axes."""
    out = [len(range(*ends)) for ends in zip(begin, end, step, strict=True)]
    if min(out) < 1:
        raise ModelError(f"{node.what}: nothing is left")
    numbers = [b.constant(n, v) for n, v in (("begin", begin), ("end", end), ("step", step))]
    return b.op("STRIDED_SLICE", [tensor, *numbers], out, node.what)


def _reordered(change: Callable[[Node, np.ndarray], np.ndarray]) -> Translate:
    """Ops that move no numbers: only how the model sees them changes."""
    return lambda _b, node: Value(node.value().tensor, change(node, node.value().order))


def _flatten(node: Node, order: np.ndarray) -> np.ndarray:
    axis = int(node.attributes.get("axis", 1)) % (order.ndim + 1)
    return order.reshape(int(np.prod(order.shape[:axis])), -1)


def _reshape(node: Node, order: np.ndarray) -> np.ndarray:
    sizes = node.whole_numbers("shape", 1) or []
    zero_is_zero = node.attributes.get("allowzero", 0)
    shape = [order.shape[i] if n == 0 and not zero_is_zero else n for i, n in enumerate(sizes)]
    return order.reshape(shape)


def _squeeze(node: Node, order: np.ndarray) -> np.ndarray:
    axes = node.whole_numbers("axes", 1)
    return order.squeeze(None if axes is None else tuple(axes))


def _unsqueeze(node: Node, order: np.ndarray) -> np.ndarray:
    return np.expand_dims(order, tuple(node.whole_numbers("axes", 1) or ()))


def _transpose(node: Node, order: np.ndarray) -> np.ndarray:
    return order.transpose(node.attributes.get("perm"))


NODES: Mapping[str, Translate] = {
    "Add": _binary("ADD"),
    "AveragePool": _pool("AVERAGE_POOL_2D"),
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Div": _divide,
    "Dropout": _reordered(lambda _, order: order),
    "Flatten": _reordered(_flatten),
    "Gemm": _gemm,
    "GlobalAveragePool": _global_pool,
    "HardSwish": _unary("HARD_SWISH"),
    "Identity": _reordered(lambda _, order: order),
    "LeakyRelu": _leaky,
    "MatMul": _matmul,
    "MaxPool": _pool("MAX_POOL_2D"),
    "Mul": _binary("MUL"),
    "Pad": _pad,
    "ReduceMean": _reduce_mean,
    "Relu": _unary("RELU"),
    "Reshape": _reordered(_reshape),
    "Sigmoid": _unary("LOGISTIC"),
    "Slice": _slice,
    "Softmax": _softmax,
    "Squeeze": _reordered(_squeeze),
    "Sub": _binary("SUB"),
    "Tanh": _unary("TANH"),
    "Transpose": _reordered(_transpose),
    "Unsqueeze": _reordered(_unsqueeze),
}
