"""Random graphs with branches: any op reads any tensor made so far, RESHAPE in the middle, some
outputs unread, biases absent, per tensor or channel, batches of up to 3.

branching(rng) -> bytes of a .tflite
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from random_draw import Rng, activation, pick, scale, zero
from tflite_graph import SAME, VALID, TfliteGraph

_MAX_ELEMENTS = 4000


@dataclass(frozen=True)
class _Value:
    index: int
    shape: tuple[int, ...]
    scale: float
    zero: int


class _Net:
    """All values so far; each _OPS adds one, or none if what it drew does not fit."""

    def __init__(self, rng: Rng) -> None:
        self.rng, self.g, self.values = rng, TfliteGraph(), list[_Value]()
        image = (pick(rng, 1, 7), pick(rng, 1, 7), pick(rng, 1, 6))
        shape = (pick(rng, 1, 3), *image) if rng.integers(4) else (1, pick(rng, 1, 40))
        self.input = self.value(shape, scale(rng), zero(rng))

    def value(self, shape: tuple[int, ...], value_scale: float, value_zero: int) -> _Value:
        index = self.g.tensor(shape, value_scale, value_zero)
        self.values.append(_Value(index, tuple(shape), value_scale, value_zero))
        return self.values[-1]

    def any(self, ranks: int | None = None) -> _Value | None:
        """One of the values, the newer the likelier."""
        fit = [v for v in self.values if ranks in (None, len(v.shape))]
        return fit[int(len(fit) * (1 - self.rng.random() ** 2)) - 1] if fit else None

    def ints(self, values: object) -> int:
        data = np.array(values)
        return self.g.tensor(data.shape, [], data=data, dtype="int32")

    def filters(self, x: _Value, shape: tuple[int, ...]) -> tuple[list[int], float]:
        """[weights, perhaps bias] of channels along the first axis, and a fitting output scale."""
        rng, taps = self.rng, prod(shape[1:])
        scales = [scale(rng, -4, -1) for _ in range(shape[0] if rng.integers(2) else 1)]
        weights = rng.integers(-127, 128, size=shape, dtype=np.int8)
        weights[rng.random(shape[0]) < 0.2] = 0
        inputs = [self.g.tensor(shape, scales, data=weights)]
        if rng.integers(4):
            bias = rng.integers(-2000 * taps, 2000 * taps + 1, size=shape[0])
            bias_scales = [x.scale * s for s in scales]
            inputs.append(self.g.tensor((shape[0],), bias_scales, data=bias, dtype="int32"))
        reach = x.scale * max(scales) * 74 * 74 * np.sqrt(taps)
        return inputs, float(np.float32(reach / 10.0 ** rng.uniform(0.8, 2.4)))


def branching(rng: Rng) -> bytes:
    net = _Net(rng)
    for _ in range(pick(rng, 1, 9)):
        _OPS[int(rng.integers(len(_OPS)))](net)
    if len(net.values) == 1:
        _table(net)
    return net.g.finish(net.input.index, net.values[-1].index)


def _conv(net: _Net) -> None:
    x, rng = net.any(ranks=4), net.rng
    if x is None:
        return
    kernel, strides = (pick(rng, 1, 3), pick(rng, 1, 3)), (pick(rng, 1, 3), pick(rng, 1, 3))
    valid = all(n >= k for n, k in zip(x.shape[1:3], kernel, strict=True))
    slots = [n - k + 1 if valid else n for n, k in zip(x.shape[1:3], kernel, strict=True)]
    out = [-(-n // s) for n, s in zip(slots, strides, strict=True)]
    channels = pick(rng, 1, 9)
    inputs, out_scale = net.filters(x, (channels, *kernel, x.shape[3]))
    y = net.value((x.shape[0], *out, channels), out_scale, zero(rng))
    net.g.op(
        "CONV_2D",
        [x.index, *inputs],
        y.index,
        "Conv2DOptions",
        padding=VALID if valid else SAME,
        strideH=strides[0],
        strideW=strides[1],
        dilationHFactor=1,
        dilationWFactor=1,
        fusedActivationFunction=activation(rng),
    )


def _dense(net: _Net) -> None:
    x = net.any()
    n_in = prod(x.shape) if net.rng.integers(2) else x.shape[-1]
    inputs, out_scale = net.filters(x, (pick(net.rng, 1, 9), n_in))
    shape = (prod(x.shape) // n_in, net.g.tensors[inputs[0]].shape[0])
    y = net.value(shape, out_scale, zero(net.rng))
    net.g.op("FULLY_CONNECTED", [x.index, *inputs], y.index, "FullyConnectedOptions")


def _reshape(net: _Net) -> None:
    x, shape = net.any(), []
    left = prod(x.shape)
    for _ in range(pick(net.rng, 0, 3)):
        shape.append(int(net.rng.choice([n for n in range(1, left + 1) if left % n == 0])))
        left //= shape[-1]
    shape.append(left)
    y = net.value(shape, x.scale, x.zero)
    net.g.op("RESHAPE", [x.index, net.ints(shape)], y.index, "ReshapeOptions")


def _table(net: _Net) -> None:
    x, kind = net.any(), str(net.rng.choice(["RELU", "LOGISTIC", "QUANTIZE"]))
    coarser = float(np.float32(x.scale * net.rng.uniform(0.5, 3)))
    quant = (1 / 256, -128) if kind == "LOGISTIC" else (coarser, zero(net.rng))
    net.g.op(kind, [x.index], net.value(x.shape, *quant).index)


def _sum(net: _Net) -> None:
    """ADD, SUB or MUL of two values that broadcast; x itself always does."""
    x, kind = net.any(), str(net.rng.choice(["ADD", "SUB", "MUL"]))
    others = [v for v in net.values if _broadcast(v, x)]
    other = others[pick(net.rng, 0, len(others) - 1)]
    reach = 128 * x.scale * other.scale if kind == "MUL" else x.scale + other.scale
    y = net.value(_broadcast(x, other), float(np.float32(reach)), zero(net.rng))
    fused = {"fusedActivationFunction": activation(net.rng)}
    net.g.op(kind, [x.index, other.index], y.index, kind.capitalize() + "Options", **fused)


def _broadcast(a: _Value, b: _Value) -> tuple[int, ...]:
    """Their common shape; () if there is none, or too large a one."""
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return ()
    return shape if prod(shape) <= _MAX_ELEMENTS else ()


def _pad(net: _Net) -> None:
    """Of any rank: a dense layer may read it too."""
    x = net.any()
    widths = net.rng.integers(0, 3, size=(len(x.shape), 2))
    shape = tuple(int(n + sum(w)) for n, w in zip(x.shape, widths, strict=True))
    if prod(shape) <= _MAX_ELEMENTS:
        y = net.value(shape, x.scale, x.zero)
        net.g.op("PAD", [x.index, net.ints(widths)], y.index, "PadOptions")


def _concatenation(net: _Net) -> None:
    x = net.any()
    axis = pick(net.rng, 0, len(x.shape) - 1)
    shape = (*x.shape[:axis], 3 * x.shape[axis], *x.shape[axis + 1 :])
    if prod(shape) <= _MAX_ELEMENTS:
        y = net.value(shape, x.scale, x.zero)
        net.g.op("CONCATENATION", [x.index] * 3, y.index, "ConcatenationOptions", axis=axis)


def _mean(net: _Net) -> None:
    if x := net.any(ranks=4):
        y = net.value((x.shape[0], x.shape[3]), x.scale, zero(net.rng))
        net.g.op("MEAN", [x.index, net.ints([1, 2])], y.index, "ReducerOptions", keepDims=False)


_OPS: tuple[Callable[[_Net], None], ...] = (
    _concatenation,
    _conv,
    _dense,
    _mean,
    _pad,
    _reshape,
    _sum,
    _table,
)
