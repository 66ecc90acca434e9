"""fit: gradients equal finite differences; training learns; zeros stay; divergence is named."""

import numpy as np
import pytest
from float_models import conv_net, every_op, normal

from hedgerow.errors import ModelError
from hedgerow.train.fit import (
    Schedule,
    cross_entropy,
    cross_entropy_of_logits,
    fit,
    softmax_of,
    trained,
)
from hedgerow.train.float_ops import run_batch, run_float
from hedgerow.train.gradients import backward
from hedgerow.train.graph_builder import GraphBuilder

_STEP = 1e-3


@pytest.mark.parametrize("make", [conv_net, every_op])
def test_gradients_equal_finite_differences(make) -> None:
    rng = np.random.default_rng(3)
    graph = make(rng)
    x = rng.standard_normal((2, *graph.tensors[graph.input].shape[1:])).astype(np.float32)
    values = run_batch(graph, x)
    dy = rng.standard_normal(values[graph.output].shape).astype(np.float32)
    found = backward(graph, values, dy)
    for index in trained(graph):
        way = rng.standard_normal(values[index].shape).astype(np.float32)

        def loss(step: float, index: int = index, way: np.ndarray = way) -> float:
            moved = run_batch(graph, x, {index: values[index] + np.float32(step) * way})
            return float((moved[graph.output].astype(np.float64) * dy).sum())

        slope = (loss(_STEP) - loss(-_STEP)) / (2 * _STEP)
        # ReLU and max have corners, which a step of 1e-3 now and then crosses.
        ours = float((found[index].reshape(way.shape) * way).sum())
        assert ours == pytest.approx(slope, abs=0.006, rel=0.01)


def two_layers(rng: np.random.Generator, last: str) -> object:
    b = GraphBuilder()
    x = b.computed("x", (1, 2))
    w = [b.constant("w1", 2 * normal(rng, 16, 2)), b.constant("b1", normal(rng, 16))]
    y = b.op("FULLY_CONNECTED", [x, *w], (1, 16), activation="relu")
    n = 1 if last == "LOGISTIC" else 2
    w = [b.constant("w2", normal(rng, n, 16)), b.constant("b2", normal(rng, n))]
    y = b.op("FULLY_CONNECTED", [y, *w], (1, n))
    return b.finish(x, b.op(last, [y], (1, n)) if last else y)


@pytest.mark.parametrize("last", ["SOFTMAX", "LOGISTIC", ""])
def test_a_net_learns_what_no_line_separates(last: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (400, 2)).astype(np.float32)
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    loss = cross_entropy(labels) if last else cross_entropy_of_logits(labels)
    graph = fit(two_layers(rng, last), x, loss, Schedule(epochs=40, rate=0.02))
    y = run_float(graph, x)
    classes = y[:, 0] > 0.5 if last == "LOGISTIC" else y.argmax(axis=1)
    assert (classes == labels).mean() > 0.95


def test_softmax_of_large_logits_is_finite() -> None:
    assert softmax_of(np.float32([[1000, 0]])).tolist() == [[1.0, 0.0]]


def test_divergence_is_named() -> None:
    graph = two_layers(np.random.default_rng(0), "")
    x = np.full((4, 2), 1e30, dtype=np.float32)
    with pytest.raises(ModelError, match="smaller rate"), np.errstate(all="ignore"):
        fit(graph, x, lambda y, rows: y * 1e30, Schedule(epochs=3, rate=1e9))
