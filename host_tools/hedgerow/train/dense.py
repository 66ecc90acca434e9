"""Dense float networks as graphs: from scikit-learn's MLP, or from plain weights.

graph = from_sklearn(MLPClassifier(...).fit(x, y))
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.errors import ModelError
from hedgerow.train.graph_builder import GraphBuilder

# scikit-learn's name of an activation -> the TFLite op; the identity is none.
_OPS = {
    "identity": "",
    "logistic": "LOGISTIC",
    "relu": "RELU",
    "softmax": "SOFTMAX",
    "tanh": "TANH",
}


def from_sklearn(model: Any) -> Graph:
    """Float graph of a fitted MLPClassifier or MLPRegressor: (1, n_in) -> (1, n_out).

    Outputs are what predict_proba() or predict() computes; a binary classifier has one, the
    probability of its second class. Raises ModelError for another or an unfitted model.
    """
    if not hasattr(model, "coefs_") or not hasattr(model, "out_activation_"):
        raise ModelError(
            f"{type(model).__name__} is no fitted MLPClassifier or MLPRegressor of scikit-learn"
        )
    return dense_graph(model.coefs_, model.intercepts_, model.activation, model.out_activation_)


def dense_graph(
    weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], hidden: str, output: str
) -> Graph:
    """weights: one (n_in, n_out) array a layer, as scikit-learn keeps them; biases: (n_out,).

    hidden, output: identity, logistic, relu, softmax or tanh. Raises ModelError for another.
    """
    builder = GraphBuilder()
    first = last = builder.computed("features", (1, len(weights[0])))
    for number, (w, b) in enumerate(zip(weights, biases, strict=True)):
        name, shape = f"dense_{number}", (1, len(b))
        kind = _activation(output if number == len(weights) - 1 else hidden)
        inputs = [
            last,
            builder.constant(f"{name}/weights", w.T),
            builder.constant(f"{name}/bias", b),
        ]
        fused = "relu" if kind == "RELU" else "none"
        last = builder.op("FULLY_CONNECTED", inputs, shape, name, activation=fused)
        if kind not in ("", "RELU"):
            last = builder.op(kind, [last], shape, f"{name}/{kind.lower()}")
    return builder.finish(first, last)


def _activation(name: str) -> str:
    if name not in _OPS:
        raise ModelError(f"activation {name!r} is not supported: use {', '.join(_OPS)}")
    return _OPS[name]
