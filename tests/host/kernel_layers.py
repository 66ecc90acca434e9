"""Random device layers as whole .hgm files, placed over their own input as the planner does.

graph = layer(rng)
hgm = emit(make_plan(add_scratch(graph)))
"""

from types import MappingProxyType
from typing import Any

import numpy as np

from hedgerow.convert import reference
from hedgerow.convert.emit import emit
from hedgerow.convert.graph import Graph, Op, Tensor
from hedgerow.convert.ops.conv import Window
from hedgerow.convert.passes import add_scratch
from hedgerow.convert.plan import make_plan

Rng = np.random.Generator
_SIDES = 9  # of an image
_PAIRED = (4, 8)  # channels at which a depthwise takes two pixels at once
_ALL, _LOWEST, _HIGHEST = (-128, 127), (-128, -127), (126, 127)  # ranges of weights


def conv(rng: Rng) -> Graph:
    """Any CONV of up to 5 x 5 taps, 40 channels in and out."""
    shape, area = _image(rng)
    c_out = _pick(rng, 1, 40)
    weights = _weights(rng, (c_out, area.kernel[0] * area.kernel[1] * shape[3]))
    return _graph(rng, "conv", shape, area, weights, weights.shape[1])


def depthwise(rng: Rng) -> Graph:
    """Any DEPTHWISE of up to 5 x 5 taps, 40 channels."""
    shape, area = _image(rng)
    weights = _weights(rng, (area.kernel[0] * area.kernel[1], shape[3]))
    return _graph(rng, "depthwise", shape, area, weights, weights.shape[0])


def dense(rng: Rng) -> Graph:
    """Rows of many inputs: one row is read in place, and may be longer than the stack takes."""
    n_in, n_out = _pick(rng, 1, 300), _pick(rng, 1, 40)
    rows = _pick(rng, 1, 12)
    if rng.integers(8) == 0:
        n_in, n_out, rows = _pick(rng, 6000, 30_000), _pick(rng, 1, 9), _pick(rng, 1, 2)
    area = Window((1, 1), (1, 1), (1, 1), (0, 0), (1, rows))
    weights = _weights(rng, (n_out, n_in))
    return _graph(rng, "conv", (1, 1, rows, n_in), area, weights, n_in)


def wide_depthwise(rng: Rng) -> Graph:
    """More channels or taps than a kernel prepares at once."""
    kernel = (_pick(rng, 1, 9), _pick(rng, 1, 9))
    shape = (1, _pick(rng, 9, 11), _pick(rng, 9, 11), _pick(rng, 200, 700))
    out = (shape[1] - kernel[0] + 1, shape[2] - kernel[1] + 1)
    area = Window(kernel, (1, 1), (1, 1), (0, 0), (_pick(rng, 1, out[0]), out[1]))
    weights = _weights(rng, (kernel[0] * kernel[1], shape[3]))
    return _graph(rng, "depthwise", shape, area, weights, weights.shape[0])


def add(rng: Rng) -> Graph:
    """ADD or SUB of x and a constant of its shape."""
    count = _pick(rng, 1, 200)
    b = rng.integers(-128, 128, count, dtype=np.int8)
    pairs = [(_multiplier(rng), -_pick(rng, 0, 3)) for _ in range(2)]
    options: dict[str, Any] = {
        "pair_a": pairs[0],
        "pair_b": pairs[1],
        "requant": [(_multiplier(rng), -_pick(rng, 18, 20))],
        "negate_a": bool(rng.integers(2)),
        "negate_b": bool(rng.integers(2)),
        "zero_a": _byte(rng),
        "zero_b": _byte(rng),
        "b_run": 1,
        **_limits(rng),
    }
    tensors = (
        Tensor("x", (1, count), "int8", (1.0,)),
        Tensor("b", (1, count), "int8", (1.0,), data=b),
        Tensor("y", (1, count), "int8", (1.0,)),
    )
    return Graph(tensors, (Op("add", (0, 1), (2,), MappingProxyType(options)),), 0, 2)


LAYERS = {
    "conv": conv,
    "dense": dense,
    "depthwise": depthwise,
    "wide_depthwise": wide_depthwise,
    "add": add,
}


def sample(name: str, seed: int) -> tuple[bytes, np.ndarray, np.ndarray]:
    """(file, input, expected output) of a random layer: the NumPy definition gives the output."""
    rng = np.random.default_rng(seed)
    graph = LAYERS[name](rng)
    x = rng.integers(-128, 128, graph.tensors[graph.input].elements, dtype=np.int8)
    return emit(make_plan(add_scratch(graph))), x, reference.run(graph, x)


def _pick(rng: Rng, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _byte(rng: Rng) -> int:
    return _pick(rng, -128, 127)


def _image(rng: Rng) -> tuple[tuple[int, int, int, int], Window]:
    """Input shape and a window over it, borders and dilations included; half are plain 1 x 1."""
    channels = _pick(rng, 1, 40) if rng.integers(3) else int(rng.choice(_PAIRED))
    shape = (1, _pick(rng, 1, _SIDES), _pick(rng, 1, _SIDES), channels)
    if rng.integers(3) == 0:
        return shape, Window((1, 1), (1, 1), (1, 1), (0, 0), (shape[1], shape[2]))
    kernel = (_pick(rng, 1, 5), _pick(rng, 1, 5))
    stride = (_pick(rng, 1, 3), _pick(rng, 1, 3))
    dilation = (1, 1) if rng.integers(2) else (_pick(rng, 1, 3), _pick(rng, 1, 3))
    pad = tuple(_pick(rng, 0, kernel[axis] - 1) for axis in range(2))
    most = [-(-(shape[1 + axis] + pad[axis]) // stride[axis]) for axis in range(2)]
    out = tuple(side if rng.integers(2) else _pick(rng, 1, side) for side in most)
    return shape, Window(kernel, stride, dilation, (pad[0], pad[1]), (out[0], out[1]))


def _weights(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    """Sometimes all at an end of the range, where sums are largest."""
    low, high = (_ALL, _LOWEST, _HIGHEST)[int(rng.choice([0] * 8 + [1, 2]))]
    return rng.integers(low, high + 1, shape, dtype=np.int8)


def _typical_sum(taps: int) -> int:
    """Standard deviation of a sum of products of two uniform bytes."""
    return int(74 * 74 * np.sqrt(taps))


def _multiplier(rng: Rng) -> int:
    return int(rng.choice([1 << 30, (1 << 31) - 1, _pick(rng, 1 << 30, (1 << 31) - 1)]))


def _requant(rng: Rng, channels: int, taps: int) -> list[tuple[int, int]]:
    """Pairs around what makes outputs fill int8; shifts far apart need the wide table."""
    middle = 6 - round(float(np.log2(_typical_sum(taps))))
    spread = int(rng.choice([0, 1, 4]))
    count = channels if rng.integers(2) else 1
    shifts = [middle + _pick(rng, -spread, spread) for _ in range(count)]
    return [(_multiplier(rng), shift) for shift in shifts]


def _limits(rng: Rng) -> dict[str, int]:
    low, high = (-128, 127) if rng.integers(4) else sorted((_byte(rng), _byte(rng)))
    zero_point = _byte(rng) if rng.integers(4) == 0 else _pick(rng, -20, 20)
    return {"zero_point": zero_point, "act_min": low, "act_max": high}


def _graph(
    rng: Rng,
    kind: str,
    shape: tuple[int, int, int, int],
    area: Window,
    weights: np.ndarray,
    taps: int,
) -> Graph:
    channels = weights.shape[1 if kind == "depthwise" else 0]
    reach = int(rng.choice([_typical_sum(taps), _typical_sum(taps), 1 << 23]))
    options = {
        "weights": weights,
        "bias": rng.integers(-reach, reach, channels, dtype=np.int64),
        "requant": _requant(rng, channels, taps),
        "window": area,
        "in_shape": shape,
        "fill": _byte(rng),
        **_limits(rng),
    }
    tensors = (
        Tensor("x", shape, "int8", (1.0,)),
        Tensor("y", (1, *area.out, channels), "int8", (1.0,)),
    )
    return Graph(tensors, (Op(kind, (0,), (1,), MappingProxyType(options)),), 0, 1)
