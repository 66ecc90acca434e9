"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, pools: a window over one image at a time."""

from typing import Any

import numpy as np

from hedgerow.convert.emit.layout import MAX_SIDE, MAX_STEP
from hedgerow.convert.lowering import channels
from hedgerow.convert.lowering.build import Builder
from hedgerow.convert.lowering.move import block, join, split, split_output, strides
from hedgerow.convert.ops.conv import Window, transposed_cut, window


def fully_connected(build: Builder) -> None:
    """A convolution of kernel 1x1 on an image of 1 x rows pixels."""
    matrix = channels.weights(build, 1, 2, 0)
    n_out, n_in = matrix.shape
    x, out, o = build.input(), build.output, build.at.options
    build.need(o["weights_format"] == 0, "weights are shuffled")
    rows = x.elements // n_in
    build.need(x.elements == rows * n_in > 0, f"{x.elements} inputs for weights {matrix.shape}")
    fits = out.elements == rows * n_out and out.shape[-1:] == (n_out,)
    build.need(fits, f"output {out.shape} does not fit {rows} rows of {n_out}")
    _check_sides(build, (rows, n_in, n_out), ())
    options = channels.channels(build, matrix, o["activation"])
    area = Window((1, 1), (1, 1), (1, 1), (0, 0), (1, rows))
    shape = (1, 1, rows, n_in)
    source, target = build.at.inputs[0], build.at.outputs[0]
    place = {"window": area, "in_shape": shape, "fill": x.zero_point}
    build.add("conv", [source], target, weights=matrix, **options, **place)


def conv_2d(build: Builder) -> None:
    """weights: (c_out, kernel_h, kernel_w, c_in // groups)."""
    weights = channels.weights(build, 1, 4, 0)
    area = _geometry(build, weights.shape[1:3], len(weights))
    matrix = _ungrouped(build, weights).reshape(len(weights), -1)
    options = channels.channels(build, matrix, build.at.options["activation"])
    _over_images(build, "conv", area, weights=matrix, **options)


def _ungrouped(build: Builder, weights: np.ndarray) -> np.ndarray:
    """Weights of all input channels: zeros for those of other groups."""
    c_out, c_in, count = len(weights), build.input().shape[3], weights.shape[3]
    groups = c_in // count
    fits = groups and c_in % count == 0 and c_out % groups == 0
    build.need(fits, f"weights {weights.shape} for {c_in} channels")
    full = np.zeros((*weights.shape[:3], groups, count), dtype=np.int8)
    places = np.arange(c_out)
    full[places, :, :, places // (c_out // groups)] = weights
    return full.reshape(*weights.shape[:3], c_in)


def depthwise_conv_2d(build: Builder) -> None:
    """weights: (1, kernel_h, kernel_w, c_out). A channel multiplier makes it a conv with zeros."""
    weights = channels.weights(build, 1, 4, 3)
    c_out = weights.shape[3]
    area = _geometry(build, weights.shape[1:3], c_out)
    c_in = build.input().shape[3]
    build.need(weights.shape[0] == 1 and c_out % c_in == 0, f"weights {weights.shape}")
    taps = weights.reshape(-1, c_out)
    matrix = taps.T if c_in == c_out else _expand(taps, c_in)
    options = channels.channels(build, matrix, build.at.options["activation"])
    if c_in == c_out:
        _over_images(build, "depthwise", area, weights=taps, **options)
    else:
        _over_images(build, "conv", area, weights=matrix, **options)


def _expand(taps: np.ndarray, c_in: int) -> np.ndarray:
    """(taps, c_out) of a depthwise with multiplier -> (c_out, taps * c_in) of an equal conv."""
    count, c_out = taps.shape
    full = np.zeros((c_out, count, c_in), dtype=np.int8)
    places = np.arange(c_out)
    full[places, :, places // (c_out // c_in)] = taps.T
    return full.reshape(c_out, -1)


def pool(build: Builder) -> None:
    x, out, o = build.input(), build.output, build.at.options
    area = _geometry(build, (o["filter_h"], o["filter_w"]), x.shape[3] if len(x.shape) == 4 else 0)
    build.need((x.scales, x.zero_point) == (out.scales, out.zero_point), "changes the scale")
    options = channels.clamp(build, o["activation"])
    _over_images(build, "pool", area, average=build.at.kind == "AVERAGE_POOL_2D", **options)


def _geometry(build: Builder, kernel: tuple[int, ...], c_out: int) -> Window:
    """The op's window, within what the device format holds."""
    area = window(build.graph, build.at, (kernel[0], kernel[1]))
    x, out = build.input(), build.output
    wanted = (x.shape[0], *area.out, c_out)
    build.need(out.shape == wanted, f"output {out.shape}, must be {wanted}")
    steps = (*area.kernel, *area.stride, *area.dilation, *area.pad)
    _check_sides(build, (*x.shape[1:], *area.out), steps)
    return area


def _check_sides(build: Builder, sides: tuple[int, ...], steps: tuple[int, ...]) -> None:
    small = max(steps, default=0) <= MAX_STEP and max(sides) <= MAX_SIDE and min(sides) > 0
    limits = f"at most {MAX_STEP} and {MAX_SIDE}"
    build.need(small, f"kernel, steps, padding {steps} or sides {sides} out of range: {limits}")


def _over_images(build: Builder, kind: str, area: Window, **options: Any) -> None:
    """One op for one image; a batch is split into images that start at multiples of 4."""
    x = build.input()
    images = split(build, build.at.inputs[0])
    outputs = split_output(build, len(images))
    place = {"window": area, "in_shape": (1, *x.shape[1:]), "fill": x.zero_point}
    for source, target in zip(images, outputs, strict=True):
        build.add(kind, [source], target, **options, **place)
    join(build, outputs)


def transpose_conv(build: Builder) -> None:
    """inputs: output shape, weights (c_out, kernel_h, kernel_w, c_in), x, bias or none.

    The image is spread, its zero point between the pixels; then a convolution of stride 1 with
    the kernel turned round gathers what TFLM scatters.
    """
    weights, x, out = channels.weights(build, 1, 4, 0), build.input(2), build.output
    c_out, kernel_h, kernel_w, c_in = weights.shape
    stride = build.at.options["stride_h"], build.at.options["stride_w"]
    ranks = len(x.shape) == len(out.shape) == 4 and min(*x.shape, *out.shape, *stride) >= 1
    build.need(ranks, f"shapes {x.shape} and {out.shape}, strides {stride}")
    shapes = (x.shape[0], c_in) == (out.shape[0], x.shape[3]) and out.shape[3] == c_out
    build.need(shapes, f"weights {weights.shape} from {x.shape} to {out.shape}")
    build.need(tuple(build.integers(0)) == out.shape, f"output shape {build.integers(0)}")
    matrix = np.ascontiguousarray(weights[:, ::-1, ::-1]).reshape(c_out, -1)
    options = channels.channels(build, matrix, "none", (2, 1, 3))
    pad = _pad_of_transposed(build, (kernel_h, kernel_w), stride)
    area = Window((kernel_h, kernel_w), (1, 1), (1, 1), pad, (out.shape[1], out.shape[2]))
    images = [_spread(build, image, stride) for image in split(build, build.at.inputs[2])]
    shape = build.tensors[images[0]].shape
    _check_sides(build, (*shape[1:], *out.shape[1:]), (*area.kernel, *pad))
    outputs = split_output(build, len(images))
    place = {"window": area, "in_shape": shape, "fill": x.zero_point}
    for source, target in zip(images, outputs, strict=True):
        build.add("conv", [source], target, weights=matrix, **options, **place)
    join(build, outputs)


def _pad_of_transposed(
    build: Builder, kernel: tuple[int, int], stride: tuple[int, int]
) -> tuple[int, int]:
    """Rows above and columns left of the spread image that the turned kernel sees."""
    out, padding = build.output.shape[1:3], build.at.options["padding"]
    build.need(padding in ("same", "valid"), f"padding {padding}")
    cuts = [transposed_cut(*side) for side in zip(kernel, stride, out, strict=True)]
    top, left = cuts if padding == "same" else (0, 0)
    return kernel[0] - 1 - top, kernel[1] - 1 - left


def _spread(build: Builder, image: int, stride: tuple[int, int]) -> int:
    """The image (1, h, w, c) with stride - 1 pixels of its zero point between its own."""
    if stride == (1, 1):
        return image
    tensor = build.tensors[image]
    _, h, w, c = tensor.shape
    shape = (1, (h - 1) * stride[0] + 1, (w - 1) * stride[1] + 1, c)
    target, inner = build.tensor(image, shape, "spread"), strides(shape)
    steps = (inner[0], stride[0] * inner[1], stride[1] * inner[2], 1)
    copy = block(0, 0, tensor.shape, strides(tensor.shape), 0, steps)
    fills = ((0, build.tensors[target].elements, tensor.zero_point),)
    build.add("move", [image], target, fills=fills, copies=(copy,))
    return target
