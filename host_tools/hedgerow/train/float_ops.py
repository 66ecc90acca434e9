"""Float graphs in NumPy, many samples at once: the definition a quantised model is held against.

    y = run_float(graph, x)  # x: (n, ...) float32 -> (n, ...)

Geometry (windows, padding) is that of the int8 definitions in convert.ops.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from hedgerow.convert.graph import Graph, Op, Tensor, where
from hedgerow.convert.ops import shape
from hedgerow.convert.ops.conv import patches, scatter, window
from hedgerow.convert.ops.quant import Values, constant
from hedgerow.errors import ModelError

# What NumPy says to shapes, axes and steps of a damaged file that do not belong together.
_MISFITS = (ValueError, IndexError, TypeError, ZeroDivisionError, OverflowError, MemoryError)
_CHUNK = 64  # samples whose activations are held at once
# Kinds with weights, and which inputs are the data, the weights and the bias.
LAYERS: Mapping[str, tuple[int, int, int]] = {
    "CONV_2D": (0, 1, 2),
    "DEPTHWISE_CONV_2D": (0, 1, 2),
    "FULLY_CONNECTED": (0, 1, 2),
    "TRANSPOSE_CONV": (2, 1, 3),
}
# How many inputs a kind cannot do without, where it is not one.
_NEEDS = {
    **dict.fromkeys(("ADD", "MUL", "SUB", "MEAN", "PAD"), 2),
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), 2),
    **dict.fromkeys(("PADV2", "TRANSPOSE_CONV"), 3),
    "STRIDED_SLICE": 4,
}
LIMITS: Mapping[str, tuple[float, float]] = {
    "none": (-np.inf, np.inf),
    "relu": (0.0, np.inf),
    "relu6": (0.0, 6.0),
    "relu_n1_to_1": (-1.0, 1.0),
}


def constant_of(tensor: Tensor) -> np.ndarray:
    """Its data. Raises ModelError if it is computed."""
    if tensor.data is None:
        raise ModelError(f"{tensor.name!r} must be a constant")
    return tensor.data


def run_float(graph: Graph, x: np.ndarray) -> np.ndarray:
    """Outputs (n, ...) for samples x (n, ...)."""
    return np.concatenate([values[graph.output] for values in run_chunks(graph, x)])


def run_chunks(graph: Graph, x: np.ndarray) -> Iterator[Values]:
    """Every tensor's values by index, a few samples at a time."""
    for start in range(0, len(x), _CHUNK):
        yield run_batch(graph, x[start : start + _CHUNK])


def run_batch(graph: Graph, x: np.ndarray, weights: Values | None = None) -> Values:
    """Every tensor's values by index; `weights` stand in for constants.

    Raises ModelError if an op has no float definition or shapes do not fit.
    """
    values: Values = {i: t.data for i, t in enumerate(graph.tensors) if t.data is not None}
    values |= weights or {}
    values[graph.input] = x.reshape(-1, *graph.tensors[graph.input].shape[1:])
    for op in graph.ops:
        try:
            y = _definition(graph, op)(graph, op, values)
            y = y.reshape(len(x), *graph.tensors[op.outputs[0]].shape[1:])
        except _MISFITS as error:
            raise ModelError(f"{where(graph, op)}: shapes do not fit: {error}") from error
        limits = LIMITS[op.options.get("activation", "none")]
        values[op.outputs[0]] = np.clip(y, *limits).astype(np.float32)
    return values


def check_float(graph: Graph) -> Graph:
    """The graph, if run_float() can run it. Raises ModelError naming the op and the cure."""
    if not graph.ops:
        raise ModelError("the model computes nothing")
    for op in graph.ops:
        _definition(graph, op)
        needs = _NEEDS.get(op.kind, 1)
        if len(op.inputs) < needs or -1 in op.inputs[:needs]:
            raise ModelError(f"{where(graph, op)} lacks one of its {needs} inputs")
        for index in (*op.inputs, op.outputs[0]):
            tensor = graph.tensors[index]
            computed = index != -1 and tensor.data is None
            if computed and (tensor.dtype != "float32" or tensor.shape[:1] != (1,)):
                raise ModelError(
                    f"{where(graph, op)}: {tensor.name!r} is {tensor.dtype} {tensor.shape}; "
                    "give a float32 model of batch size 1"
                )
            # The fill of a PADV2 before MAX_POOL_2D is minus infinity.
            if tensor.data is not None and op.kind != "PADV2":
                _check_finite(graph, op, tensor.data)
        if op.options.get("activation", "none") not in LIMITS:
            raise ModelError(f"{where(graph, op)}: activation {op.options['activation']}")
        if op.kind in LAYERS:
            _check_layer(graph, op)
    return graph


def _check_layer(graph: Graph, op: Op) -> None:
    _, weights, bias = LAYERS[op.kind]
    for place, needed in ((weights, True), (bias, False)):
        index = op.inputs[place] if len(op.inputs) > place else -1
        data = graph.tensors[index].data if index != -1 else None
        if index == -1 and not needed:
            continue
        if data is None or data.dtype != np.float32 or not data.size:
            raise ModelError(f"{where(graph, op)}: weights and bias must be float32 constants")


def _check_finite(graph: Graph, op: Op, data: np.ndarray) -> None:
    if not np.isfinite(data).all():
        raise ModelError(f"{where(graph, op)}: a constant is not finite; train the model again")


def _definition(graph: Graph, op: Op) -> Callable[[Graph, Op, Values], np.ndarray]:
    if op.kind not in FLOAT_OPS:
        raise ModelError(
            f"{where(graph, op)} cannot be quantised; supported are {', '.join(sorted(FLOAT_OPS))}"
        )
    return FLOAT_OPS[op.kind]


def _biased(graph: Graph, op: Op, y: np.ndarray, place: int, values: Values) -> np.ndarray:
    bias = constant(graph, op, place, values)
    return y if bias is None else y + bias.reshape(-1)


def conv_2d(graph: Graph, op: Op, values: Values) -> np.ndarray:
    w = values[op.inputs[1]]
    view = patches(values[op.inputs[0]], window(graph, op, w.shape[1:3]), 0)
    y = view.reshape(-1, w[0].size) @ w.reshape(len(w), -1).T
    return _biased(graph, op, y.reshape(*view.shape[:3], len(w)), 2, values)


def depthwise_conv_2d(graph: Graph, op: Op, values: Values) -> np.ndarray:
    w, x = values[op.inputs[1]], values[op.inputs[0]]
    view = patches(x, window(graph, op, w.shape[1:3]), 0)
    taps = w[0].reshape(*w.shape[1:3], x.shape[3], -1)
    y = np.einsum("nyxijc,ijcm->nyxcm", view, taps, optimize=True)
    return _biased(graph, op, y.reshape(*view.shape[:3], w.shape[3]), 2, values)


def fully_connected(graph: Graph, op: Op, values: Values) -> np.ndarray:
    w = values[op.inputs[1]]
    return _biased(graph, op, values[op.inputs[0]].reshape(-1, w.shape[1]) @ w.T, 2, values)


def transpose_conv(graph: Graph, op: Op, values: Values) -> np.ndarray:
    o, x = op.options, values[op.inputs[2]]
    out = (len(x), *graph.tensors[op.outputs[0]].shape[1:])
    steps = (o["stride_h"], o["stride_w"])
    y = scatter(x, values[op.inputs[1]], steps, out, o["padding"] == "same")
    return _biased(graph, op, y, 3, values)


def _cells(graph: Graph, op: Op, values: Values, fill: float) -> tuple[np.ndarray, np.ndarray]:
    """Patches (n, y, x, i, j, c), `fill` outside, and how many cells of each are inside."""
    area = window(graph, op, (op.options["filter_h"], op.options["filter_w"]))
    x = values[op.inputs[0]]
    inside = patches(np.ones((1, *x.shape[1:3], 1), dtype=np.float32), area, 0)
    return patches(x, area, fill), inside.sum(axis=(3, 4))  # type: ignore[arg-type]


def average_pool_2d(graph: Graph, op: Op, values: Values) -> np.ndarray:
    view, count = _cells(graph, op, values, 0)
    return view.sum(axis=(3, 4)) / count


def max_pool_2d(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return _cells(graph, op, values, -np.inf)[0].max(axis=(3, 4))


def mean(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return values[op.inputs[0]].mean(axis=mean_axes(graph, op, values))


def mean_axes(graph: Graph, op: Op, values: Values) -> tuple[int, ...]:
    """Axes a MEAN takes away. Raises ModelError if the batch is one."""
    rank = len(graph.tensors[op.inputs[0]].shape)
    axes = tuple(sorted({int(a) % rank for a in values[op.inputs[1]].reshape(-1)}))
    if 0 in axes:
        raise ModelError(f"{where(graph, op)}: mean over the batch")
    return axes


def pad(graph: Graph, op: Op, values: Values) -> np.ndarray:
    fill = constant(graph, op, 2, values)
    widths = values[op.inputs[1]].reshape(-1, 2).tolist()
    x, out = (graph.tensors[i].shape for i in (op.inputs[0], op.outputs[0]))
    if out != tuple(n + a + b for n, (a, b) in zip(x, widths, strict=True)):
        raise ModelError(f"{where(graph, op)}: {x} padded by {widths} is not {out}")
    value = 0.0 if fill is None else fill.reshape(-1)[0]
    return np.pad(values[op.inputs[0]], widths, constant_values=value)


def strided_slice(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """One sample at a time: begin and end speak of a batch of one."""
    x = values[op.inputs[0]]
    one = dict(values)
    parts = []
    for i in range(len(x)):
        one[op.inputs[0]] = x[i : i + 1]
        parts.append(shape.strided_slice(graph, op, one))
    return np.concatenate(parts)


def concatenation(graph: Graph, op: Op, values: Values) -> np.ndarray:
    rank = len(graph.tensors[op.outputs[0]].shape)
    if op.options["axis"] % rank == 0:
        raise ModelError(f"{where(graph, op)}: concatenation of batches")
    parts = [values[i] for i in op.inputs]
    n = max(len(part) for part in parts)
    wide = [np.broadcast_to(part, (n, *part.shape[1:])) for part in parts]  # constants have one
    return np.concatenate(wide, axis=op.options["axis"])


def softmax(_graph: Graph, op: Op, values: Values) -> np.ndarray:
    x = values[op.inputs[0]] * op.options["beta"]
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _binary(function: Callable) -> Callable[[Graph, Op, Values], np.ndarray]:
    return lambda _graph, op, values: function(*(values[i] for i in op.inputs[:2]))


def _unary(function: Callable) -> Callable[[Graph, Op, Values], np.ndarray]:
    return lambda _graph, op, values: function(values[op.inputs[0]])


def leaky_relu(_graph: Graph, op: Op, values: Values) -> np.ndarray:
    x = values[op.inputs[0]]
    return np.where(x >= 0, x, x * op.options["alpha"])


FLOAT_OPS: Mapping[str, Callable[[Graph, Op, Values], np.ndarray]] = {
    "ADD": _binary(np.add),
    "AVERAGE_POOL_2D": average_pool_2d,
    "CONCATENATION": concatenation,
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
    "HARD_SWISH": _unary(lambda x: x * np.clip(x + 3.0, 0.0, 6.0) / 6.0),
    "LEAKY_RELU": leaky_relu,
    "LOGISTIC": _unary(lambda x: 0.5 + 0.5 * np.tanh(0.5 * x)),
    "MAX_POOL_2D": max_pool_2d,
    "MEAN": mean,
    "MUL": _binary(np.multiply),
    "PAD": pad,
    "PADV2": pad,
    "QUANTIZE": _unary(lambda x: x),  # a change of scale only
    "RELU": _unary(lambda x: np.maximum(x, 0.0)),
    "RELU6": _unary(lambda x: np.clip(x, 0.0, 6.0)),
    "RESHAPE": _unary(lambda x: x),
    "SOFTMAX": softmax,
    "STRIDED_SLICE": strided_slice,
    "SUB": _binary(np.subtract),
    "TANH": _unary(np.tanh),
    "TRANSPOSE_CONV": transpose_conv,
}
