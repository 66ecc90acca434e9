"""Random single-op models for fuzzing; each function returns the bytes of a .tflite.

Output scales are chosen near the op's real range, so that few outputs saturate.
"""

import numpy as np
from random_draw import Maker, Rng, activation, pick, scale, window, zero
from random_elementwise import ELEMENTWISE
from random_moves import MOVES
from random_recurrent import RECURRENT
from tflite_graph import SAME, VALID, TfliteGraph


def _weights(rng: Rng, shape: tuple, axis: int) -> tuple[np.ndarray, list[float]]:
    data = rng.integers(-127, 128, size=shape, dtype=np.int8)
    count = shape[axis] if rng.integers(2) else 1
    return data, [scale(rng, -4, -1) for _ in range(count)]


def _channels(
    rng: Rng, g: TfliteGraph, x_scale: float, weights: np.ndarray, scales: list, axis: int
) -> tuple[int, int, float]:
    """Weight and bias tensors, and an output scale that suits them."""
    channels = weights.shape[axis]
    taps = weights.size // channels
    w = g.tensor(weights.shape, scales, data=weights, axis=axis)
    limit = 1 + taps * 2000
    bias = rng.integers(-limit, limit, size=channels, dtype=np.int32)
    b = g.tensor((channels,), [x_scale * s for s in scales], data=bias, dtype="int32")
    reach = x_scale * max(scales) * 74 * 74 * np.sqrt(taps)
    return w, b, float(np.float32(reach / 10.0 ** rng.uniform(0.8, 2.4)))


def conv(rng: Rng) -> bytes:
    g, kernel = TfliteGraph(), (pick(rng, 1, 4), pick(rng, 1, 4))
    dilation = (pick(rng, 1, 2), pick(rng, 1, 2))
    area, c_in, c_out = window(rng, kernel, dilation), pick(rng, 1, 6), pick(rng, 1, 9)
    batch, x_scale = pick(rng, 1, 2), scale(rng)
    x = g.tensor((batch, *area["image"], c_in), x_scale, zero(rng))
    weights, scales = _weights(rng, (c_out, *kernel, c_in), 0)
    w, b, out_scale = _channels(rng, g, x_scale, weights, scales, 0)
    y = g.tensor((batch, *area["out"], c_out), out_scale, zero(rng))
    g.op("CONV_2D", [x, w, b], y, "Conv2DOptions", **_steps(rng, area, dilation))
    return g.finish(x, y)


def _steps(rng: Rng, area: dict, dilation: tuple[int, int]) -> dict:
    return {
        "padding": area["padding"],
        "strideH": area["strides"][0],
        "strideW": area["strides"][1],
        "dilationHFactor": dilation[0],
        "dilationWFactor": dilation[1],
        "fusedActivationFunction": activation(rng),
    }


def depthwise(rng: Rng) -> bytes:
    g, kernel = TfliteGraph(), (pick(rng, 1, 4), pick(rng, 1, 4))
    dilation = (pick(rng, 1, 2), pick(rng, 1, 2))
    area, c_in, times = window(rng, kernel, dilation), pick(rng, 1, 9), pick(rng, 1, 3)
    times = times if rng.integers(3) == 0 else 1
    batch, x_scale = pick(rng, 1, 2), scale(rng)
    x = g.tensor((batch, *area["image"], c_in), x_scale, zero(rng))
    weights, scales = _weights(rng, (1, *kernel, c_in * times), 3)
    w, b, out_scale = _channels(rng, g, x_scale, weights, scales, 3)
    y = g.tensor((batch, *area["out"], c_in * times), out_scale, zero(rng))
    steps = {**_steps(rng, area, dilation), "depthMultiplier": times}
    g.op("DEPTHWISE_CONV_2D", [x, w, b], y, "DepthwiseConv2DOptions", **steps)
    return g.finish(x, y)


def fully_connected(rng: Rng) -> bytes:
    g, n_in, n_out, rows = TfliteGraph(), pick(rng, 1, 40), pick(rng, 1, 20), pick(rng, 1, 3)
    x_scale = scale(rng)
    x = g.tensor((rows, n_in), x_scale, zero(rng))
    weights, scales = _weights(rng, (n_out, n_in), 0)
    w, b, out_scale = _channels(rng, g, x_scale, weights, scales, 0)
    y = g.tensor((rows, n_out), out_scale, zero(rng))
    fused = {"fusedActivationFunction": activation(rng)}
    g.op("FULLY_CONNECTED", [x, w, b], y, "FullyConnectedOptions", **fused)
    return g.finish(x, y)


def pool(rng: Rng) -> bytes:
    kind = str(rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
    g, kernel = TfliteGraph(), (pick(rng, 1, 4), pick(rng, 1, 4))
    area, channels, quant = (
        window(rng, kernel, (1, 1)),
        pick(rng, 1, 6),
        (scale(rng), zero(rng)),
    )
    x = g.tensor((1, *area["image"], channels), *quant)
    y = g.tensor((1, *area["out"], channels), *quant)
    steps = _steps(rng, area, (1, 1))
    del steps["dilationHFactor"], steps["dilationWFactor"]
    g.op(kind, [x], y, "Pool2DOptions", filterHeight=kernel[0], filterWidth=kernel[1], **steps)
    return g.finish(x, y)


def transpose_conv(rng: Rng) -> bytes:
    g, kernel = TfliteGraph(), (pick(rng, 1, 4), pick(rng, 1, 4))
    strides, same = (pick(rng, 1, 3), pick(rng, 1, 3)), bool(rng.integers(2))
    image, c_in, c_out = (pick(rng, 1, 5), pick(rng, 1, 5)), pick(rng, 1, 4), pick(rng, 1, 5)
    out = [
        image[a] * strides[a] if same else (image[a] - 1) * strides[a] + max(kernel[a], strides[a])
        for a in range(2)
    ]
    if rng.integers(3) == 0:  # TFLM takes other sizes too, and cuts by them
        out = [pick(rng, max(1, n - 3), n + 3) for n in out]
    x_scale, scales = scale(rng), [scale(rng, -4, -1) for _ in range(c_out)]
    shape = g.tensor((4,), 1.0, data=np.array([1, *out, c_out]), dtype="int32")
    weights = rng.integers(-127, 128, size=(c_out, *kernel, c_in), dtype=np.int8)
    w, b, out_scale = _channels(rng, g, x_scale, weights, scales, 0)
    x = g.tensor((1, *image, c_in), x_scale, zero(rng))
    y = g.tensor((1, *out, c_out), out_scale, zero(rng))
    options = {"padding": SAME if same else VALID, "strideH": strides[0], "strideW": strides[1]}
    g.op("TRANSPOSE_CONV", [shape, w, x, b], y, "TransposeConvOptions", **options)
    return g.finish(x, y)


_LAYERS: tuple[Maker, ...] = (conv, depthwise, fully_connected, pool, transpose_conv)
OPS: dict[str, Maker] = {f.__name__: f for f in _LAYERS} | ELEMENTWISE | MOVES | RECURRENT
