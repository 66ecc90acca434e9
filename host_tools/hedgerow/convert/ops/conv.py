"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED; NHWC, weights symmetric int8.

Sources: reference/integer_ops/{conv,depthwise_conv,fully_connected,transpose_conv}.h;
padding.h ComputePaddingHeightWidth.
"""

from dataclasses import dataclass

import numpy as np

from hedgerow.convert.graph import Graph, Op, where
from hedgerow.convert.ops.quant import (
    Values,
    activation_range,
    constant,
    lead,
    multipliers,
    requantize,
    shaped,
    tensors,
)
from hedgerow.errors import ModelError


@dataclass(frozen=True)
class Window:
    """Where a kernel looks: sizes and steps as (rows, columns); pad: above and to the left."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]
    out: tuple[int, int]


def window(graph: Graph, op: Op, kernel: tuple[int, int]) -> Window:
    """The window of a conv or pool op. Raises ModelError if the output does not fit it."""
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    o = op.options
    stride = (o["stride_h"], o["stride_w"])
    dilation = (o.get("dilation_h", 1), o.get("dilation_w", 1))
    sides = min(*stride, *dilation, *kernel)
    if len(x.shape) != 4 or len(out.shape) != 4 or sides < 1 or min(x.shape) < 1:
        raise ModelError(f"{where(graph, op)}: shapes {x.shape} and {out.shape}, steps {stride}")
    pads = []
    for axis in range(2):
        reach = (kernel[axis] - 1) * dilation[axis] + 1
        given, wanted = x.shape[1 + axis], out.shape[1 + axis]
        slots = given if o["padding"] == "same" else given - reach + 1
        if o["padding"] not in ("same", "valid") or wanted != -(-slots // stride[axis]):
            raise ModelError(f"{where(graph, op)}: output {out.shape} does not fit {x.shape}")
        pads.append(max(0, (wanted - 1) * stride[axis] + reach - given) // 2)
    return Window(kernel, stride, dilation, (pads[0], pads[1]), (out.shape[1], out.shape[2]))


def patches(x: np.ndarray, w: Window, fill: int) -> np.ndarray:
    """(n, out_h, out_w, kernel_h, kernel_w, c) of x (n, h, w, c), `fill` outside."""
    reach = [(k - 1) * d + 1 for k, d in zip(w.kernel, w.dilation, strict=True)]
    margins = [(0, 0)]
    for axis in range(2):
        end = (w.out[axis] - 1) * w.stride[axis] + reach[axis] - w.pad[axis]
        margins.append((w.pad[axis], max(0, end - x.shape[1 + axis])))
    padded = np.pad(x, [*margins, (0, 0)], constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(1, 2))
    view = view[:, :: w.stride[0], :: w.stride[1], :, :: w.dilation[0], :: w.dilation[1]]
    view = view[:, : w.out[0], : w.out[1]]
    return view.transpose(0, 1, 2, 4, 5, 3)


def product(rows: np.ndarray, w: np.ndarray, zero_point: int = 0) -> np.ndarray:
    """(n, c_out) sums of (x - zero_point) * w as float, exact; rows: (n, taps), w: (c_out, taps).

    In float32, twice as fast, where no sum can reach 2**24.
    """
    exact = np.float32 if w.shape[1] * 255 * 128 < 1 << 24 else np.float64
    wide = rows.astype(exact) - zero_point
    return wide @ w.T.astype(exact)


def depthwise_sums(view: np.ndarray, w: np.ndarray, zero_point: int = 0) -> np.ndarray:
    """view: (.., kernel_h, kernel_w, c); w: (kernel_h, kernel_w, c) -> (.., c) int64."""
    acc = np.zeros((*view.shape[:3], w.shape[2]), dtype=np.int32)
    times = w.shape[2] // view.shape[-1]
    for row in range(w.shape[0]):
        for column in range(w.shape[1]):
            tap = view[:, :, :, row, column].astype(np.int32)
            if zero_point:
                tap -= zero_point
            if times > 1:
                tap = np.repeat(tap, times, axis=-1)
            acc += tap * w[row, column]
    return acc.astype(np.int64)


def _finish(
    graph: Graph, op: Op, values: Values, acc: np.ndarray, bias: np.ndarray | None
) -> np.ndarray:
    x, weights, out = tensors(graph, op, 2)
    total = acc.astype(np.int64)
    if bias is not None:
        total += bias.reshape(-1).astype(np.int64)
    low, high = activation_range(op.options["activation"], out)
    pairs = multipliers(x, weights, out)
    return shaped(graph, op, values, requantize(total, pairs, out.zero_point, low, high))


def image(graph: Graph, values: Values, index: int) -> np.ndarray:
    """(n, h, w, c): batch and runs in one axis."""
    return values[index].reshape(-1, *graph.tensors[index].shape[1:])


def conv_2d(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """weights: (c_out, kernel_h, kernel_w, c_in // groups); a group reads its own channels."""
    x = graph.tensors[op.inputs[0]]
    w = values[op.inputs[1]]
    area, count = window(graph, op, w.shape[1:3]), w.shape[3]
    view = patches(image(graph, values, op.inputs[0]), area, x.zero_point)
    groups = view.shape[-1] // count
    parts = [
        product(view[..., i * count : (i + 1) * count].reshape(-1, w[0].size), part, x.zero_point)
        for i, part in enumerate(w.reshape(groups, -1, w[0].size))
    ]
    acc = np.concatenate(parts, axis=1)
    return _finish(graph, op, values, acc, constant(graph, op, 2, values))


def depthwise_conv_2d(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """weights: (1, kernel_h, kernel_w, c_out); output channel j reads input j // multiplier."""
    x = graph.tensors[op.inputs[0]]
    w = values[op.inputs[1]]
    area = window(graph, op, w.shape[1:3])
    view = patches(image(graph, values, op.inputs[0]), area, x.zero_point)
    acc = depthwise_sums(view, w[0], x.zero_point)
    return _finish(graph, op, values, acc, constant(graph, op, 2, values))


def fully_connected(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """weights: (n_out, n_in)."""
    x = graph.tensors[op.inputs[0]]
    w = values[op.inputs[1]]
    acc = product(values[op.inputs[0]].reshape(-1, w.shape[1]), w, x.zero_point)
    return _finish(graph, op, values, acc, constant(graph, op, 2, values))


def transpose_conv(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """inputs: output shape, weights (c_out, kernel_h, kernel_w, c_in), x, bias or none."""
    weights, x = graph.tensors[op.inputs[1]], graph.tensors[op.inputs[2]]
    out = graph.tensors[op.outputs[0]]
    w, o = values[op.inputs[1]].astype(np.int64), op.options
    data = image(graph, values, op.inputs[2]).astype(np.int64) - x.zero_point
    acc = scatter(data, w, (o["stride_h"], o["stride_w"]), out.shape, o["padding"] == "same")
    bias = constant(graph, op, 3, values)
    if bias is not None:
        acc = acc + bias.reshape(-1).astype(np.int64)
    result = requantize(acc, multipliers(x, weights, out), out.zero_point, -128, 127)
    return result.reshape(*lead(graph, values, op.inputs[2]), *out.shape)


def transposed_cut(kernel: int, stride: int, out: int) -> int:
    """Rows or columns that SAME cuts off before the output's first (padding.h, of the output)."""
    return max(0, (-(-out // stride) - 1) * stride + kernel - out) // 2


def scatter(
    x: np.ndarray, w: np.ndarray, stride: tuple[int, int], shape: tuple, same: bool
) -> np.ndarray:
    """Every input pixel adds its kernel to a canvas, of which `shape` is cut out."""
    (n, rows, columns, _), (c_out, kernel_h, kernel_w, _) = x.shape, w.shape
    top, left = (
        transposed_cut(kernel, step, out) * same
        for kernel, step, out in zip((kernel_h, kernel_w), stride, shape[1:3], strict=True)
    )
    height = max((rows - 1) * stride[0] + kernel_h, top + shape[1])
    width = max((columns - 1) * stride[1] + kernel_w, left + shape[2])
    canvas = np.zeros((n, height, width, c_out), dtype=np.result_type(x, w))
    for i in range(kernel_h):
        for j in range(kernel_w):
            part = canvas[:, i :: stride[0], j :: stride[1]]
            part[:, :rows, :columns] += x @ w[:, i, j].T
    return canvas[:, top : top + shape[1], left : left + shape[2]]
