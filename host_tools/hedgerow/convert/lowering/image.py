"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, pools: a window over one image at a time."""

from typing import Any

import numpy as np

from hedgerow.convert.emit.layout import MAX_SIDE, MAX_STEP
from hedgerow.convert.lowering import channels
from hedgerow.convert.lowering.build import Builder
from hedgerow.convert.lowering.move import join, split
from hedgerow.convert.ops.conv import Window, window


def fully_connected(build: Builder) -> None:
    """A convolution of kernel 1x1 on an image of 1 x rows pixels."""
    matrix = channels.weights(build, 1, 2, 0)
    n_out, n_in = matrix.shape
    x, out, o = build.input(), build.output, build.at.options
    build.need(o["weights_format"] == 0, "weights are shuffled")
    rows = x.elements // n_in
    build.need(x.elements == rows * n_in > 0, f"{x.elements} inputs for weights {matrix.shape}")
    build.need(out.elements == rows * n_out, "output does not fit the weights")
    _check_sides(build, (rows, n_in, n_out), ())
    options = channels.channels(build, matrix, o["activation"])
    area = Window((1, 1), (1, 1), (1, 1), (0, 0), (1, rows))
    shape = (1, 1, rows, n_in)
    source, target = build.at.inputs[0], build.at.outputs[0]
    place = {"window": area, "in_shape": shape, "fill": x.zero_point}
    build.add("conv", [source], target, weights=matrix, **options, **place)


def conv_2d(build: Builder) -> None:
    """weights: (c_out, kernel_h, kernel_w, c_in)."""
    weights = channels.weights(build, 1, 4, 0)
    area = _geometry(build, weights.shape[1:3], len(weights))
    build.need(weights.shape[3] == build.input().shape[3], "grouped convolution")
    matrix = weights.reshape(len(weights), -1)
    options = channels.channels(build, matrix, build.at.options["activation"])
    _over_images(build, "conv", area, weights=matrix, **options)


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
    x, out = build.input(), build.output
    images, outputs = split(build, build.at.inputs[0]), [build.at.outputs[0]]
    if len(images) > 1:
        outputs = [
            build.tensor(outputs[0], (1, *out.shape[1:]), f"{i}") for i in range(len(images))
        ]
    place = {"window": area, "in_shape": (1, *x.shape[1:]), "fill": x.zero_point}
    for source, target in zip(images, outputs, strict=True):
        build.add(kind, [source], target, **options, **place)
    if len(images) > 1:
        join(build, outputs, build.at.outputs[0], 0)
