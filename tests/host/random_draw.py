"""What random single-op models draw: scales, zero points, windows; see random_ops.py."""

from collections.abc import Callable

import numpy as np
from tflite_graph import ACTIVATIONS, SAME, VALID

Rng = np.random.Generator
Maker = Callable[[Rng], bytes]
_FUSED = ("none", "none", "relu", "relu6", "relu_n1_to_1")


def scale(rng: Rng, low: float = -3, high: float = 0) -> float:
    return float(np.float32(10.0 ** rng.uniform(low, high)))


def zero(rng: Rng) -> int:
    return int(rng.choice([-128, 127, 0, rng.integers(-128, 128)]))


def activation(rng: Rng) -> int:
    return ACTIVATIONS[str(rng.choice(_FUSED))]


def pick(rng: Rng, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def window(rng: Rng, kernel: tuple[int, int], dilations: tuple[int, int]) -> dict:
    """Image, steps, padding and output sides of a conv or pool that fits."""
    padding = SAME if rng.integers(2) else VALID
    strides = (pick(rng, 1, 3), pick(rng, 1, 3))
    image, out = [], []
    for axis in range(2):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        side = pick(rng, 1 if padding == SAME else reach, reach + 7)
        slots = side if padding == SAME else side - reach + 1
        image.append(side)
        out.append(-(-slots // strides[axis]))
    return {"image": image, "out": out, "padding": padding, "strides": strides}
