"""Linear models of scikit-learn, and k-means, which is one: LINEAR of SPEC.md."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hedge.learn import layout as at
from hedgerow.convert.classic.container import Classic, write
from hedgerow.convert.classic.inputs import Int16Inputs
from hedgerow.convert.classic.labels import int_labels
from hedgerow.convert.classic.pipeline import Scaled
from hedgerow.errors import ModelError

HALF = 1 << 15  # inputs use all of int16


@dataclass(frozen=True)
class Linear:
    """Scores x @ weights.T + bias of the estimator's own x; weights: (k, n), bias: (k,)."""

    weights: np.ndarray
    bias: np.ndarray
    labels: tuple[int, ...]
    decision: int
    link: int = at.NO_LINK


def pack(model: Linear, scaled: Scaled, inputs: Int16Inputs) -> bytes:
    """The .hgl file."""
    real = model.weights * scaled.gain  # of x in its own units
    bias = model.bias + model.weights @ scaled.shift + real @ inputs.offset
    features = real.shape[1]
    weights, bias, unit = fixed_rows(real * inputs.scale, bias)
    return write(
        Classic(
            kind=at.LINEAR,
            features=features,
            scores=len(bias),
            rows=len(bias),
            decision=model.decision,
            score_scale=1.0 / unit,
            sections=(weights.astype("<i4").tobytes(), bias.astype("<i4").tobytes(), b"", b""),
            labels=model.labels,
            inputs=inputs,
            link=model.link,
        )
    )


def fixed_rows(weights: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(weights int, bias int, unit): the largest power of two that keeps every sum in 30 bits.

    weights: (k, n) per step of q. The board sums floor(w * q / 2**15), q an int16; the half that
    each floor takes away on average goes into the bias.
    """
    features = weights.shape[1]
    most = float((np.abs(bias) + HALF * np.abs(weights).sum(axis=1)).max())
    if not math.isfinite(most):
        raise ModelError("a weight is not a finite number")
    room = at.MAX_SCORE - 3 * features - 2
    unit = 2.0 ** min(math.floor(math.log2(room / max(most, 1e-30))), 120)
    whole = np.round(weights * HALF * unit).astype(np.int64)
    return whole, np.round(bias * unit).astype(np.int64) + features // 2, unit


def _classifier(estimator: Any, two: int, many: int) -> Linear:
    """two, many: the link of two classes, of more."""
    labels = int_labels(estimator.classes_)
    weights = np.asarray(estimator.coef_, dtype=np.float64).reshape(-1, estimator.n_features_in_)
    bias = np.broadcast_to(np.asarray(estimator.intercept_, np.float64).ravel(), len(weights))
    if len(labels) == 2:
        return Linear(weights, bias, labels, at.SIGN_GT, two)
    return Linear(weights, bias, labels, at.ARGMAX, many)


def _with_probabilities(estimator: Any) -> Linear:
    return _classifier(estimator, at.LOGISTIC, at.SOFTMAX)


def _scores_only(estimator: Any) -> Linear:
    return _classifier(estimator, at.NO_LINK, at.NO_LINK)


def _sgd(estimator: Any) -> Linear:
    if estimator.loss == "log_loss":
        return _classifier(estimator, at.LOGISTIC, at.LOGISTIC_SHARE)
    return _scores_only(estimator)


def _svc(estimator: Any) -> Linear:
    if estimator.kernel != "linear" or len(estimator.classes_) != 2:
        raise ModelError("SVC: kernel='linear' and two classes, or use LinearSVC")
    return _scores_only(estimator)


def _regressor(estimator: Any) -> Linear:
    weights = np.asarray(estimator.coef_, dtype=np.float64)
    if weights.size != estimator.n_features_in_:
        raise ModelError(f"{type(estimator).__name__}: one target only, train one model for each")
    bias = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64).ravel(), 1)
    return Linear(weights.reshape(1, -1), bias, (), at.VALUE)


def _centres(centres: np.ndarray, labels: tuple[int, ...]) -> Linear:
    """argmin |x - c|**2 = argmax 2 x.c - |c|**2; what all share is taken off for precision."""
    middle = centres.mean(axis=0)
    squares = (centres**2).sum(axis=1)
    return Linear(2 * (centres - middle), -(squares - squares.mean()), labels, at.ARGMAX)


def _k_means(estimator: Any) -> Linear:
    centres = np.asarray(estimator.cluster_centers_, dtype=np.float64)
    return _centres(centres, tuple(range(len(centres))))


def _nearest_centroid(estimator: Any) -> Linear:
    if estimator.metric != "euclidean" or not np.allclose(
        estimator.class_prior_, 1 / len(estimator.classes_)
    ):
        raise ModelError("NearestCentroid: metric='euclidean' and priors='uniform' only")
    return _centres(np.asarray(estimator.centroids_, float), int_labels(estimator.classes_))


LINEAR: dict[str, Callable[[Any], Linear]] = {
    "LogisticRegression": _with_probabilities,
    "LogisticRegressionCV": _with_probabilities,
    "LinearDiscriminantAnalysis": _with_probabilities,
    "LinearSVC": _scores_only,
    "SVC": _svc,
    "SGDClassifier": _sgd,
    "Perceptron": _scores_only,
    "RidgeClassifier": _scores_only,
    "RidgeClassifierCV": _scores_only,
    "LinearRegression": _regressor,
    "Ridge": _regressor,
    "Lasso": _regressor,
    "ElasticNet": _regressor,
    "KMeans": _k_means,
    "MiniBatchKMeans": _k_means,
    "NearestCentroid": _nearest_centroid,
}
