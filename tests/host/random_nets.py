"""Random chains of layers with what passes look for: dead and constant channels, PAD, RELU, FC.

network(rng) -> bytes of a .tflite; half of its filters may be zero or saturate for every input.
"""

import numpy as np
from tflite_graph import ACTIVATIONS, SAME, VALID, TfliteGraph

Rng = np.random.Generator
_HUGE_BIAS = 1 << 29  # saturates whatever the input, as in VWW's dead filters


class _Net:
    """The chain as it grows: its newest tensor, with shape, scale and zero point."""

    def __init__(self, rng: Rng) -> None:
        self.rng, self.g = rng, TfliteGraph()
        self.shape = (1, *(int(n) for n in rng.integers(3, 9, 2)), int(rng.integers(1, 5)))
        self.scale, self.zero = 0.05, int(rng.integers(-128, 128))
        self.input = self.top = self.g.tensor(self.shape, self.scale, self.zero)

    def add(
        self, kind: str, inputs: list, shape: tuple, table: str = "", **options: object
    ) -> None:
        y = self.g.tensor(shape, self.scale, self.zero)
        self.g.op(kind, [self.top, *inputs], y, table, **options)
        self.top, self.shape = y, shape

    def requantise(self, scale: float) -> None:
        """A layer's output: RELU-like zero points are the rule in trained models."""
        self.scale = float(np.float32(scale))
        self.zero = -128 if self.rng.integers(3) else int(self.rng.integers(-100, 100))


def network(rng: Rng) -> bytes:
    net = _Net(rng)
    for _ in range(int(rng.integers(2, 6))):
        _LAYERS[int(rng.integers(len(_LAYERS)))](net)
    _dense(net)
    return net.g.finish(net.input, net.top)


def _filters(net: _Net, shape: tuple, axis: int) -> list[int]:
    """Weight and bias tensors; some filters zero, some biases huge, some inputs unread."""
    rng, channels = net.rng, shape[axis]
    weights = rng.integers(-127, 128, size=shape, dtype=np.int8)
    bias = rng.integers(-2000, 2000, size=channels, dtype=np.int32)
    by_channel = np.moveaxis(weights, axis, 0)
    by_channel[rng.random(channels) < 0.3] = 0
    huge = rng.random(channels) < 0.2
    bias[huge] = rng.choice([-_HUGE_BIAS, _HUGE_BIAS], huge.sum())
    if axis == 0:
        weights[..., rng.random(shape[-1]) < 0.2] = 0
    scales = [float(np.float32(10.0 ** rng.uniform(-3, -2))) for _ in range(channels)]
    w = net.g.tensor(shape, scales, data=weights, axis=axis)
    b = net.g.tensor((channels,), [net.scale * s for s in scales], data=bias, dtype="int32")
    net.requantise(net.scale * 0.005 * 60 * 60 * np.sqrt(weights[..., 0].size) / 128)
    return [w, b]


def _window(net: _Net, kernel: int, stride: int) -> tuple[int, tuple[int, int]]:
    sides = net.shape[1:3]
    same = bool(net.rng.integers(2)) or min(sides) < kernel
    slots = sides if same else tuple(n - kernel + 1 for n in sides)
    return (SAME if same else VALID), tuple(-(-n // stride) for n in slots)


def _steps(net: _Net, kernel: int) -> tuple[dict, tuple[int, int]]:
    stride = int(net.rng.integers(1, 3))
    padding, out = _window(net, kernel, stride)
    activation = ACTIVATIONS["relu" if net.rng.integers(2) else "none"]
    return {
        "padding": padding,
        "strideH": stride,
        "strideW": stride,
        "dilationHFactor": 1,
        "dilationWFactor": 1,
        "fusedActivationFunction": activation,
    }, out


def _conv(net: _Net) -> None:
    kernel, channels = int(net.rng.choice([1, 1, 3])), int(net.rng.integers(1, 12))
    steps, out = _steps(net, kernel)
    inputs = _filters(net, (channels, kernel, kernel, net.shape[3]), 0)
    net.add("CONV_2D", inputs, (1, *out, channels), "Conv2DOptions", **steps)


def _depthwise(net: _Net) -> None:
    steps, out = _steps(net, 3)
    inputs = _filters(net, (1, 3, 3, net.shape[3]), 3)
    steps["depthMultiplier"] = 1
    shape = (1, *out, net.shape[3])
    net.add("DEPTHWISE_CONV_2D", inputs, shape, "DepthwiseConv2DOptions", **steps)


def _pad(net: _Net) -> None:
    """A PAD before a convolution without padding of its own."""
    widths = np.array([[0, 0], *net.rng.integers(0, 3, (2, 2)), [0, 0]], dtype=np.int32)
    shape = tuple(int(n + a + b) for n, (a, b) in zip(net.shape, widths, strict=True))
    net.add("PAD", [net.g.tensor((4, 2), (), data=widths, dtype="int32")], shape, "PadOptions")
    _conv(net)


def _relu(net: _Net) -> None:
    net.add("RELU", [], net.shape)


def _dense(net: _Net) -> None:
    n_out = int(net.rng.integers(1, 6))
    inputs = _filters(net, (n_out, int(np.prod(net.shape))), 0)
    net.add("FULLY_CONNECTED", inputs, (1, n_out), "FullyConnectedOptions")


_LAYERS = (_conv, _conv, _depthwise, _depthwise, _pad, _relu)
