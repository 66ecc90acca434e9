"""Random single-op models for fuzzing; each function returns the bytes of a .tflite.

Output scales are chosen near the op's real range, so that few outputs saturate.
"""

from collections.abc import Callable

import numpy as np
from tflite_graph import ACTIVATIONS, SAME, VALID, TfliteGraph

Rng = np.random.Generator
_FUSED = ("none", "none", "relu", "relu6", "relu_n1_to_1")


def _scale(rng: Rng, low: float = -3, high: float = 0) -> float:
    return float(np.float32(10.0 ** rng.uniform(low, high)))


def _zero(rng: Rng) -> int:
    return int(rng.choice([-128, 127, 0, rng.integers(-128, 128)]))


def _activation(rng: Rng) -> int:
    return ACTIVATIONS[str(rng.choice(_FUSED))]


def _pick(rng: Rng, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _window(rng: Rng, kernel: tuple[int, int], dilations: tuple[int, int]) -> dict:
    """Image, steps, padding and output sides of a conv or pool that fits."""
    padding = SAME if rng.integers(2) else VALID
    strides = (_pick(rng, 1, 3), _pick(rng, 1, 3))
    image, out = [], []
    for axis in range(2):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        side = _pick(rng, 1 if padding == SAME else reach, reach + 7)
        slots = side if padding == SAME else side - reach + 1
        image.append(side)
        out.append(-(-slots // strides[axis]))
    return {"image": image, "out": out, "padding": padding, "strides": strides}


def _weights(rng: Rng, shape: tuple, axis: int) -> tuple[np.ndarray, list[float]]:
    data = rng.integers(-127, 128, size=shape, dtype=np.int8)
    count = shape[axis] if rng.integers(2) else 1
    return data, [_scale(rng, -4, -1) for _ in range(count)]


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
    g, kernel = TfliteGraph(), (_pick(rng, 1, 4), _pick(rng, 1, 4))
    dilation = (_pick(rng, 1, 2), _pick(rng, 1, 2))
    area, c_in, c_out = _window(rng, kernel, dilation), _pick(rng, 1, 6), _pick(rng, 1, 9)
    batch, x_scale = _pick(rng, 1, 2), _scale(rng)
    x = g.tensor((batch, *area["image"], c_in), x_scale, _zero(rng))
    weights, scales = _weights(rng, (c_out, *kernel, c_in), 0)
    w, b, out_scale = _channels(rng, g, x_scale, weights, scales, 0)
    y = g.tensor((batch, *area["out"], c_out), out_scale, _zero(rng))
    g.op("CONV_2D", [x, w, b], y, "Conv2DOptions", **_steps(rng, area, dilation))
    return g.finish(x, y)


def _steps(rng: Rng, area: dict, dilation: tuple[int, int]) -> dict:
    return {
        "padding": area["padding"],
        "strideH": area["strides"][0],
        "strideW": area["strides"][1],
        "dilationHFactor": dilation[0],
        "dilationWFactor": dilation[1],
        "fusedActivationFunction": _activation(rng),
    }


def depthwise(rng: Rng) -> bytes:
    g, kernel = TfliteGraph(), (_pick(rng, 1, 4), _pick(rng, 1, 4))
    dilation = (_pick(rng, 1, 2), _pick(rng, 1, 2))
    area, c_in, times = _window(rng, kernel, dilation), _pick(rng, 1, 9), _pick(rng, 1, 3)
    times = times if rng.integers(3) == 0 else 1
    batch, x_scale = _pick(rng, 1, 2), _scale(rng)
    x = g.tensor((batch, *area["image"], c_in), x_scale, _zero(rng))
    weights, scales = _weights(rng, (1, *kernel, c_in * times), 3)
    w, b, out_scale = _channels(rng, g, x_scale, weights, scales, 3)
    y = g.tensor((batch, *area["out"], c_in * times), out_scale, _zero(rng))
    steps = {**_steps(rng, area, dilation), "depthMultiplier": times}
    g.op("DEPTHWISE_CONV_2D", [x, w, b], y, "DepthwiseConv2DOptions", **steps)
    return g.finish(x, y)


def fully_connected(rng: Rng) -> bytes:
    g, n_in, n_out, rows = TfliteGraph(), _pick(rng, 1, 40), _pick(rng, 1, 20), _pick(rng, 1, 3)
    x_scale = _scale(rng)
    x = g.tensor((rows, n_in), x_scale, _zero(rng))
    weights, scales = _weights(rng, (n_out, n_in), 0)
    w, b, out_scale = _channels(rng, g, x_scale, weights, scales, 0)
    y = g.tensor((rows, n_out), out_scale, _zero(rng))
    activation = {"fusedActivationFunction": _activation(rng)}
    g.op("FULLY_CONNECTED", [x, w, b], y, "FullyConnectedOptions", **activation)
    return g.finish(x, y)


def pool(rng: Rng) -> bytes:
    kind = str(rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
    g, kernel = TfliteGraph(), (_pick(rng, 1, 4), _pick(rng, 1, 4))
    area, channels, quant = (
        _window(rng, kernel, (1, 1)),
        _pick(rng, 1, 6),
        (_scale(rng), _zero(rng)),
    )
    x = g.tensor((1, *area["image"], channels), *quant)
    y = g.tensor((1, *area["out"], channels), *quant)
    steps = _steps(rng, area, (1, 1))
    del steps["dilationHFactor"], steps["dilationWFactor"]
    g.op(kind, [x], y, "Pool2DOptions", filterHeight=kernel[0], filterWidth=kernel[1], **steps)
    return g.finish(x, y)


def _two(rng: Rng, kind: str, table: str) -> bytes:
    """x and a table of x as operands, since a model has one input."""
    g, shape = TfliteGraph(), (1, _pick(rng, 1, 6), _pick(rng, 1, 6), _pick(rng, 1, 5))
    a_scale = _scale(rng)
    b_scale = float(np.float32(a_scale * 10.0 ** rng.uniform(-1, 1)))
    a, b = g.tensor(shape, a_scale, _zero(rng)), g.tensor(shape, b_scale, _zero(rng))
    reach = 128 * a_scale * b_scale if kind == "MUL" else a_scale + b_scale
    y = g.tensor(shape, float(np.float32(reach * 10.0 ** rng.uniform(-1, 0.5))), _zero(rng))
    g.op("QUANTIZE", [a], b, "QuantizeOptions")
    order = [a, b] if rng.integers(2) else [b, a]
    g.op(kind, order, y, table, fusedActivationFunction=_activation(rng))
    return g.finish(a, y)


def add(rng: Rng) -> bytes:
    return _two(rng, "ADD", "AddOptions")


def sub(rng: Rng) -> bytes:
    return _two(rng, "SUB", "SubOptions")


def mul(rng: Rng) -> bytes:
    return _two(rng, "MUL", "MulOptions")


def softmax(rng: Rng) -> bytes:
    g, shape = TfliteGraph(), (_pick(rng, 1, 4), _pick(rng, 1, 40))
    x = g.tensor(shape, _scale(rng, -3, 0.5), _zero(rng))
    y = g.tensor(shape, 1 / 256, -128)
    g.op("SOFTMAX", [x], y, "SoftmaxOptions", beta=float(rng.choice([1.0, 0.5, 2.0])))
    return g.finish(x, y)


_UNARY = {
    "HARD_SWISH": ("HardSwishOptions", None),
    "LEAKY_RELU": ("LeakyReluOptions", None),
    "LOGISTIC": ("", (1 / 256, -128)),
    "QUANTIZE": ("QuantizeOptions", None),
    "RELU": ("", None),
    "RELU6": ("", "same"),
    "TANH": ("", (1 / 128, 0)),
}


def unary(rng: Rng) -> bytes:
    """One of the ops that become tables, on all 256 values."""
    kind = str(rng.choice(list(_UNARY)))
    table, fixed = _UNARY[kind]
    # RELU6: TFLM refuses scales where 6 does not fit an int8.
    quant = (_scale(rng, -3, 0.3), _zero(rng)) if kind != "RELU6" else (_scale(rng, -1, 0), -128)
    near = float(np.float32(quant[0] * 10.0 ** rng.uniform(-0.3, 1)))
    out = {None: (near, _zero(rng)), "same": quant}.get(fixed, fixed)
    g = TfliteGraph()
    x, y = g.tensor((1, 256), *quant), g.tensor((1, 256), *out)
    options = {"alpha": float(rng.uniform(0.0, 0.9))} if kind == "LEAKY_RELU" else {}
    g.op(kind, [x], y, table, **options)
    return g.finish(x, y)


def mean(rng: Rng) -> bytes:
    g, shape = TfliteGraph(), (1, _pick(rng, 1, 7), _pick(rng, 1, 7), _pick(rng, 1, 6))
    scale = _scale(rng)
    x = g.tensor(shape, scale, _zero(rng))
    axes = g.tensor((2,), 1.0, data=np.array([1, 2]), dtype="int32")
    y = g.tensor((1, 1, 1, shape[3]), scale * float(rng.uniform(0.3, 1.5)), _zero(rng))
    g.op("MEAN", [x, axes], y, "ReducerOptions", keepDims=True)
    return g.finish(x, y)


def pad(rng: Rng) -> bytes:
    g, quant = TfliteGraph(), (_scale(rng), _zero(rng))
    shape = [1, _pick(rng, 1, 5), _pick(rng, 1, 5), _pick(rng, 1, 4)]
    widths = np.array([[0, 0], *rng.integers(0, 4, size=(3, 2))], dtype=np.int32)
    x = g.tensor(shape, *quant)
    w = g.tensor((4, 2), 1.0, data=widths, dtype="int32")
    y = g.tensor([int(n + a.sum()) for n, a in zip(shape, widths, strict=True)], *quant)
    g.op("PAD", [x, w], y, "PadOptions")
    return g.finish(x, y)


def concatenation(rng: Rng) -> bytes:
    g, quant = TfliteGraph(), (_scale(rng), _zero(rng))
    shape, axis = [1, *(_pick(rng, 1, 5) for _ in range(3))], _pick(rng, 1, 3)
    x, twin = g.tensor(shape, *quant), g.tensor(shape, *quant)
    shape[axis] *= 2
    y = g.tensor(shape, *quant)
    g.op("QUANTIZE", [x], twin, "QuantizeOptions")
    g.op("CONCATENATION", [x, twin], y, "ConcatenationOptions", axis=axis - 4 * _pick(rng, 0, 1))
    return g.finish(x, y)


def strided_slice(rng: Rng) -> bytes:
    g, quant = TfliteGraph(), (_scale(rng), _zero(rng))
    shape = [1, *(_pick(rng, 2, 6) for _ in range(3))]
    begin, step = [0, *rng.integers(0, 2, 3)], [1, *rng.integers(1, 3, 3)]
    end = [1, *(_pick(rng, 2, n) for n in shape[1:])]
    masks = {"beginMask": _pick(rng, 0, 15), "endMask": _pick(rng, 0, 15)}
    ends = [n if masks["endMask"] >> i & 1 else end[i] for i, n in enumerate(shape)]
    begins = [0 if masks["beginMask"] >> i & 1 else begin[i] for i in range(4)]
    out = [len(range(b, e, s)) for b, e, s in zip(begins, ends, step, strict=True)]
    x = g.tensor(shape, *quant)
    rest = [g.tensor((4,), 1.0, data=np.array(v), dtype="int32") for v in (begin, end, step)]
    y = g.tensor(out, *quant)
    g.op("STRIDED_SLICE", [x, *rest], y, "StridedSliceOptions", **masks)
    return g.finish(x, y)


def transpose_conv(rng: Rng) -> bytes:
    g, kernel = TfliteGraph(), (_pick(rng, 1, 4), _pick(rng, 1, 4))
    strides, same = (_pick(rng, 1, 3), _pick(rng, 1, 3)), bool(rng.integers(2))
    image, c_in, c_out = (_pick(rng, 1, 5), _pick(rng, 1, 5)), _pick(rng, 1, 4), _pick(rng, 1, 5)
    out = [
        image[a] * strides[a] if same else (image[a] - 1) * strides[a] + max(kernel[a], strides[a])
        for a in range(2)
    ]
    x_scale, scales = _scale(rng), [_scale(rng, -4, -1) for _ in range(c_out)]
    shape = g.tensor((4,), 1.0, data=np.array([1, *out, c_out]), dtype="int32")
    weights = rng.integers(-127, 128, size=(c_out, *kernel, c_in), dtype=np.int8)
    w, b, out_scale = _channels(rng, g, x_scale, weights, scales, 0)
    x = g.tensor((1, *image, c_in), x_scale, _zero(rng))
    y = g.tensor((1, *out, c_out), out_scale, _zero(rng))
    options = {"padding": SAME if same else VALID, "strideH": strides[0], "strideW": strides[1]}
    g.op("TRANSPOSE_CONV", [shape, w, x, b], y, "TransposeConvOptions", **options)
    return g.finish(x, y)


def svdf(rng: Rng) -> bytes:
    g, n_in, rank = TfliteGraph(), _pick(rng, 1, 12), _pick(rng, 1, 2)
    units, memory = _pick(rng, 1, 6), _pick(rng, 1, 8)
    filters = units * rank
    kind = str(rng.choice(["int8", "int16"]))
    x_scale, w_scale, t_scale = _scale(rng), _scale(rng, -3, -1), _scale(rng, -3, -1)
    state_scale = float(np.float32(x_scale * w_scale * 74 * np.sqrt(n_in) * 2))
    state_scale = state_scale if kind == "int8" else state_scale / 200
    x = g.tensor((1, n_in), x_scale, _zero(rng))
    feature = rng.integers(-127, 128, size=(filters, n_in), dtype=np.int8)
    limit = 127 if kind == "int8" else 500
    time = rng.integers(-limit, limit, size=(filters, memory))
    bias = rng.integers(-2000, 2000, size=units)
    w = g.tensor(feature.shape, w_scale, data=feature)
    t = g.tensor(time.shape, t_scale, data=time, dtype=kind)
    b = g.tensor((units,), state_scale * t_scale, data=bias, dtype="int32")
    s = g.tensor((1, filters * memory), state_scale, 0, dtype=kind, variable=True)
    out_scale = state_scale * t_scale * 60 * limit * np.sqrt(memory * rank) / 60
    y = g.tensor((1, units), float(np.float32(out_scale)), _zero(rng))
    g.op("SVDF", [x, w, t, b, s], y, "SVDFOptions", rank=rank, fusedActivationFunction=1)
    return g.finish(x, y)


# On the device too: hedgerow converts them.
DEVICE: dict[str, Callable[[Rng], bytes]] = {
    f.__name__: f for f in (conv, depthwise, fully_connected, pool, add, sub, softmax, unary)
}
# Defined by the reference only, refused by convert.
REFERENCE: dict[str, Callable[[Rng], bytes]] = {
    f.__name__: f for f in (mul, mean, pad, concatenation, strided_slice, transpose_conv, svdf)
}
