"""Small float models with random weights, and their peer: the tflite-micro wheel."""

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.train.graph_builder import GraphBuilder

STEPS = {"stride_h": 2, "stride_w": 2}


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """float32 weights whose layer keeps the size of what it is given."""
    fan_in = max(1, int(np.prod(shape[1:])))
    return (rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32)


def conv_net(rng: np.random.Generator, *, side: int = 8, channels: int = 6) -> Graph:
    """conv relu, depthwise relu6, max pool, conv, global mean, dense, softmax: 3 classes."""
    b = GraphBuilder()
    x = b.computed("image", (1, side, side, 2))
    shape = (1, side, side, channels)
    w, bias = (
        b.constant("w1", normal(rng, channels, 3, 3, 2)),
        b.constant("b1", normal(rng, channels)),
    )
    y = b.op("CONV_2D", [x, w, bias], shape, padding="same", activation="relu")
    w, bias = (
        b.constant("w2", normal(rng, 1, 3, 3, channels)),
        b.constant("b2", normal(rng, channels)),
    )
    y = b.op("DEPTHWISE_CONV_2D", [y, w, bias], shape, padding="same", activation="relu6")
    half = (1, side // 2, side // 2, channels)
    y = b.op("MAX_POOL_2D", [y], half, filter_h=2, filter_w=2, **STEPS)
    w, bias = b.constant("w3", normal(rng, 5, 1, 1, channels)), b.constant("b3", normal(rng, 5))
    y = b.op("CONV_2D", [y, w, bias], (*half[:3], 5), activation="relu")
    y = b.op("MEAN", [y, b.constant("axes", [1, 2])], (1, 5))
    w, bias = b.constant("w4", normal(rng, 3, 5)), b.constant("b4", normal(rng, 3))
    y = b.op("FULLY_CONNECTED", [y, w, bias], (1, 3))
    return b.finish(x, b.op("SOFTMAX", [y], (1, 3)))


def every_op(rng: np.random.Generator) -> Graph:
    """A graph through every op the quantiser takes."""
    b = GraphBuilder()
    x = b.computed("image", (1, 6, 6, 4))
    conv = b.op(
        "CONV_2D",
        [x, b.constant("w1", normal(rng, 4, 3, 3, 4))],
        (1, 4, 4, 4),
        activation="relu_n1_to_1",
    )
    pad = b.op("PAD", [conv, b.constant("pads", [[0, 0], [1, 1], [1, 1], [0, 0]])], (1, 6, 6, 4))
    added = b.op("ADD", [x, pad], (1, 6, 6, 4), activation="relu6")
    scaled = b.op("MUL", [added, b.constant("m", normal(rng, 1, 1, 1, 4))], (1, 6, 6, 4))
    less = b.op("SUB", [scaled, x], (1, 6, 6, 4))
    branches = [
        b.op("LEAKY_RELU", [less], (1, 6, 6, 4), alpha=0.25),
        b.op("HARD_SWISH", [less], (1, 6, 6, 4)),
        b.op("TANH", [less], (1, 6, 6, 4)),
        b.op("LOGISTIC", [less], (1, 6, 6, 4)),
        b.op("RELU", [less], (1, 6, 6, 4)),
        b.op("RELU6", [less], (1, 6, 6, 4)),
    ]
    y = b.op("CONCATENATION", branches, (1, 6, 6, 24), axis=3)
    fill = b.constant("fill", np.float32([-0.5]))
    y = b.op("PADV2", [y, b.constant("p2", [[0, 0], [0, 2], [0, 2], [0, 0]]), fill], (1, 8, 8, 24))
    y = b.op("AVERAGE_POOL_2D", [y], (1, 4, 4, 24), filter_h=2, filter_w=2, **STEPS)
    ends = [
        b.constant("begin", [0, 1, 0, 0]),
        b.constant("end", [1, 4, 4, 24]),
        b.constant("step", [1, 1, 2, 1]),
    ]
    y = b.op("STRIDED_SLICE", [y, *ends], (1, 3, 2, 24))
    inputs = [
        b.constant("size", [1, 6, 4, 3]),
        b.constant("w2", normal(rng, 3, 2, 2, 24)),
        y,
        b.constant("b2", normal(rng, 3)),
    ]
    y = b.op("TRANSPOSE_CONV", inputs, (1, 6, 4, 3), **STEPS)
    y = b.op("MAX_POOL_2D", [y], (1, 2, 2, 3), filter_h=3, filter_w=2, stride_h=3, stride_w=2)
    y = b.op("RESHAPE", [y, b.constant("flat", [1, 12])], (1, 12))
    w = b.constant("w3", normal(rng, 4, 12))
    return b.finish(x, b.op("FULLY_CONNECTED", [y, w, -1], (1, 4)))
