"""Trains a float graph in NumPy: fine-tuning after pruning, distillation, small nets from scratch.

    tuned = fit(graph, x, cross_entropy(labels), epochs=5)

For models that fit a microcontroller; anything larger is trained where it was made. Adam:
Kingma and Ba 2015, arXiv:1412.6980.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.convert.ops.quant import Values
from hedgerow.errors import ModelError
from hedgerow.train.float_ops import LAYERS, constant_of, run_batch
from hedgerow.train.gradients import backward

# (outputs (n, m), numbers of the samples (n,)) -> gradient of the mean loss by the outputs.
Loss = Callable[[np.ndarray, np.ndarray], np.ndarray]
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # of the paper
_TINY = 1e-7


@dataclass(frozen=True)
class Schedule:
    """rate: of Adam, falling to 0 along a cosine."""

    epochs: int = 10
    batch: int = 32
    rate: float = 1e-3
    seed: int = 0


def fit(graph: Graph, x: np.ndarray, loss: Loss, schedule: Schedule | None = None) -> Graph:
    """The graph with trained weights and biases; weights that are exactly 0 stay 0.

    x: (n, ...) float32. Raises ModelError if training diverges or an op cannot be trained.
    """
    plan = schedule or Schedule()
    weights = {i: constant_of(graph.tensors[i]) for i in trained(graph)}
    alive = {i: _alive(graph, i) for i in weights}
    moments: dict[int, tuple] = {
        i: (np.zeros_like(w), np.zeros_like(w)) for i, w in weights.items()
    }
    rng = np.random.default_rng(plan.seed)
    steps = plan.epochs * -(-len(x) // plan.batch)
    step = 0
    for _ in range(plan.epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), plan.batch):
            rows = order[start : start + plan.batch]
            gradients = _gradients(graph, x[rows], weights, loss, rows)
            rate = plan.rate * 0.5 * (1.0 + np.cos(np.pi * step / steps))
            step += 1
            for i, w in weights.items():
                moments[i], change = _adam(moments[i], gradients[i], step)
                weights[i] = ((w - rate * change) * alive[i]).astype(np.float32)
    return _with_weights(graph, weights)


def trained(graph: Graph) -> list[int]:
    """Tensors that training changes: weights and biases of the layers."""
    return sorted(
        op.inputs[place]
        for op in graph.ops
        if op.kind in LAYERS
        for place in LAYERS[op.kind][1:]
        if len(op.inputs) > place and op.inputs[place] != -1
    )


def _alive(graph: Graph, index: int) -> np.ndarray:
    """1 where a weight may change: pruned weights are 0; biases may start there."""
    data = constant_of(graph.tensors[index])
    return (data != 0).astype(np.float32) if data.ndim > 1 else np.ones_like(data)


def _gradients(
    graph: Graph, x: np.ndarray, weights: Values, loss: Loss, rows: np.ndarray
) -> Values:
    values = run_batch(graph, x, weights)
    y = values[graph.output]
    dy = loss(y.reshape(len(x), -1), rows).reshape(y.shape)
    if not np.isfinite(dy).all():
        raise ModelError("training diverged: use a smaller rate")
    found = backward(graph, values, dy)
    return {i: found[i].reshape(w.shape) for i, w in weights.items()}


def _adam(
    moments: tuple[np.ndarray, np.ndarray], gradient: np.ndarray, step: int
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    mean = _BETA_1 * moments[0] + (1.0 - _BETA_1) * gradient
    square = _BETA_2 * moments[1] + (1.0 - _BETA_2) * gradient * gradient
    root = np.sqrt(square / (1.0 - _BETA_2**step)) + _EPSILON
    return (mean, square), mean / (1.0 - _BETA_1**step) / root


def _with_weights(graph: Graph, weights: Values) -> Graph:
    tensors = [replace(t, data=weights.get(i, t.data)) for i, t in enumerate(graph.tensors)]
    return replace(graph, tensors=tuple(tensors))


def cross_entropy(labels: np.ndarray) -> Loss:
    """labels: (n,) classes. For outputs that are probabilities: SOFTMAX, or one LOGISTIC."""

    def gradient(p: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if p.shape[1] == 1:
            y = labels[rows, None].astype(np.float32)
            return (p - y) / np.maximum(p * (1.0 - p), _TINY) / len(p)
        return -one_hot(labels[rows], p.shape[1]) / np.maximum(p, _TINY) / len(p)

    return gradient


def cross_entropy_of_logits(labels: np.ndarray) -> Loss:
    """labels: (n,) classes. For outputs that no SOFTMAX follows."""

    def gradient(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return (softmax_of(z) - one_hot(labels[rows], z.shape[1])) / len(z)

    return gradient


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[labels]


def softmax_of(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def loss_for(graph: Graph, labels: np.ndarray) -> Loss:
    """The cross entropy that suits the graph's last op."""
    kinds = {op.outputs[0]: op.kind for op in graph.ops}
    probabilities = kinds[graph.output] in ("SOFTMAX", "LOGISTIC")
    return cross_entropy(labels) if probabilities else cross_entropy_of_logits(labels)
