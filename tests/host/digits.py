"""Real data that needs no download: scikit-learn's 8x8 digits, and a small net trained on them."""

from functools import lru_cache

import numpy as np
import pytest
from float_models import normal

from hedgerow.convert.graph import Graph
from hedgerow.train.fit import Schedule, cross_entropy, fit
from hedgerow.train.graph_builder import GraphBuilder

pytest.importorskip("sklearn", reason="needs scikit-learn: hedgerow[train]")
from sklearn.datasets import load_digits

TRAIN = 1200  # of 1,797; the rest was written by other people (its data set description)


@lru_cache
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(x, y) to train on and (x, y) to test: (n, 8, 8, 1) float32 of 0 .. 1, and classes."""
    images, labels = load_digits(return_X_y=True)
    x = (images.reshape(-1, 8, 8, 1) / 16.0).astype(np.float32)
    return x[:TRAIN], labels[:TRAIN], x[TRAIN:], labels[TRAIN:]


def small_net(channels: int, *, seed: int = 0) -> Graph:
    """conv, pool, conv, pool, dense, softmax, untrained."""
    rng, b, n = np.random.default_rng(seed), GraphBuilder(), channels
    halve = {"filter_h": 2, "filter_w": 2, "stride_h": 2, "stride_w": 2}
    x = b.computed("image", (1, 8, 8, 1))
    w = [b.constant("w1", 1.4 * normal(rng, n, 3, 3, 1)), b.constant("b1", np.zeros(n))]
    y = b.op("CONV_2D", [x, *w], (1, 8, 8, n), padding="same", activation="relu")
    y = b.op("MAX_POOL_2D", [y], (1, 4, 4, n), **halve)
    w = [b.constant("w2", 1.4 * normal(rng, 2 * n, 3, 3, n)), b.constant("b2", np.zeros(2 * n))]
    y = b.op("CONV_2D", [y, *w], (1, 4, 4, 2 * n), padding="same", activation="relu")
    y = b.op("MAX_POOL_2D", [y], (1, 2, 2, 2 * n), **halve)
    y = b.op("RESHAPE", [y, b.constant("flat", [1, 8 * n])], (1, 8 * n))
    w = [b.constant("w3", normal(rng, 10, 8 * n)), b.constant("b3", np.zeros(10))]
    return b.finish(x, b.op("SOFTMAX", [b.op("FULLY_CONNECTED", [y, *w], (1, 10))], (1, 10)))


@lru_cache
def trained_net() -> Graph:
    """8 and 16 channels, about 2,500 weights; a few seconds on one core."""
    x, y, _, _ = data()
    return fit(small_net(8), x, cross_entropy(y), Schedule(epochs=15, rate=5e-3))
