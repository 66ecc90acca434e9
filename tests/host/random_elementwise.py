"""Random models of one element-wise op, SOFTMAX or MEAN; see random_ops.py."""

import numpy as np
from random_draw import Maker, Rng, activation, pick, scale, zero
from tflite_graph import TfliteGraph


def _two(rng: Rng, kind: str, table: str) -> bytes:
    """x and a table of x, a constant, or a part of x that broadcasts, in any order."""
    g, shape = TfliteGraph(), [pick(rng, 1, 5) for _ in range(pick(rng, 1, 4))]
    a_scale = scale(rng)
    b_scale = float(np.float32(a_scale * 10.0 ** rng.uniform(-1, 1)))
    reach = 128 * a_scale * b_scale if kind == "MUL" else a_scale + b_scale
    small = [n if rng.integers(2) else 1 for n in shape]
    which = str(rng.choice(["same", "constant", "part", "small input"]))
    first, second = (small, shape) if which == "small input" else (shape, small)
    a = g.tensor(first, a_scale, zero(rng))
    if which == "same":
        b = g.tensor(shape, b_scale, zero(rng))
        g.op("QUANTIZE", [a], b, "QuantizeOptions")
    elif which == "part":
        b = _part(g, a, shape, small)
    else:
        cut = second[: len(second) if which == "small input" else 4]
        while cut[:1] == [1] and len(cut) > 1 and rng.integers(2):
            cut = cut[1:]  # of lower rank
        data = rng.integers(-128, 128, size=cut)
        b = g.tensor(cut, b_scale, zero(rng), data=data)
    y = g.tensor(shape, float(np.float32(reach * 10.0 ** rng.uniform(-1, 0.5))), zero(rng))
    order = [a, b] if rng.integers(2) else [b, a]
    g.op(kind, order, y, table, fusedActivationFunction=activation(rng))
    return g.finish(a, y)


def _part(g: TfliteGraph, a: int, shape: list[int], small: list[int]) -> int:
    """The first elements of the axes that are 1 in `small`."""
    whole = g.tensors[a].quantization
    b = g.tensor(small, whole.scale[0], whole.zeroPoint[0])
    rank = (len(shape),)
    begin, end, step = (
        g.tensor(rank, 1.0, data=np.array(v), dtype="int32")
        for v in ([0] * len(shape), small, [1] * len(shape))
    )
    g.op("STRIDED_SLICE", [a, begin, end, step], b, "StridedSliceOptions")
    return b


def add(rng: Rng) -> bytes:
    return _two(rng, "ADD", "AddOptions")


def sub(rng: Rng) -> bytes:
    return _two(rng, "SUB", "SubOptions")


def mul(rng: Rng) -> bytes:
    return _two(rng, "MUL", "MulOptions")


def softmax(rng: Rng) -> bytes:
    g, shape = TfliteGraph(), (pick(rng, 1, 4), pick(rng, 1, 40))
    x = g.tensor(shape, scale(rng, -3, 0.5), zero(rng))
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
    quant = (scale(rng, -3, 0.3), zero(rng)) if kind != "RELU6" else (scale(rng, -1, 0), -128)
    near = float(np.float32(quant[0] * 10.0 ** rng.uniform(-0.3, 1)))
    out = {None: (near, zero(rng)), "same": quant}.get(fixed, fixed)
    g = TfliteGraph()
    x, y = g.tensor((1, 256), *quant), g.tensor((1, 256), *out)
    options = {"alpha": float(rng.uniform(-1.5, 1.5))} if kind == "LEAKY_RELU" else {}
    g.op(kind, [x], y, table, **options)
    return g.finish(x, y)


def mean(rng: Rng) -> bytes:
    g, shape = TfliteGraph(), (1, pick(rng, 1, 7), pick(rng, 1, 7), pick(rng, 1, 6))
    x_scale = scale(rng)
    x = g.tensor(shape, x_scale, zero(rng))
    axes = g.tensor((2,), 1.0, data=np.array([1, 2]), dtype="int32")
    y = g.tensor((1, 1, 1, shape[3]), x_scale * float(rng.uniform(0.3, 1.5)), zero(rng))
    g.op("MEAN", [x, axes], y, "ReducerOptions", keepDims=True)
    return g.finish(x, y)


def mean_of_any_axes(rng: Rng) -> bytes:
    g, shape = TfliteGraph(), [pick(rng, 1, 5) for _ in range(4)]
    axes = rng.choice(4, size=pick(rng, 1, 4), replace=False)
    keep = bool(rng.integers(2))
    out = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
    x_scale = scale(rng)
    x = g.tensor(shape, x_scale, zero(rng))
    a = g.tensor(axes.shape, 1.0, data=axes, dtype="int32")
    y = g.tensor(out, x_scale * float(rng.uniform(0.3, 1.5)), zero(rng))
    g.op("MEAN", [x, a], y, "ReducerOptions", keepDims=keep)
    return g.finish(x, y)


def requantize(rng: Rng) -> bytes:
    """int16 to int8, then SOFTMAX to int16 and from there to int32, as speech models do."""
    g, shape = TfliteGraph(), (1, pick(rng, 1, 30))
    wide = scale(rng, -5, -3)
    x = g.tensor(shape, wide, 0, dtype="int16")
    narrow = g.tensor(shape, float(np.float32(wide * rng.uniform(30, 400))), zero(rng))
    soft = g.tensor(shape, 1 / 65536, -32768, dtype="int16")
    y = g.tensor(shape, float(np.float32(1 / rng.uniform(2000, 90000))), 0, dtype="int32")
    g.op("QUANTIZE", [x], narrow, "QuantizeOptions")
    g.op("SOFTMAX", [narrow], soft, "SoftmaxOptions", beta=1.0)
    g.op("QUANTIZE", [soft], y, "QuantizeOptions")
    return g.finish(x, y)


_MAKERS: tuple[Maker, ...] = (add, sub, mul, softmax, unary, mean, mean_of_any_axes, requantize)
ELEMENTWISE: dict[str, Maker] = {f.__name__: f for f in _MAKERS}
