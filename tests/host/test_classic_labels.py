"""Every supported scikit-learn estimator: the board's labels equal predict() on all rows of iris,
wine, breast_cancer and digits, run on the MicroPython Unix port (viper) with float32 rows.

Probabilities and scores: within the errors that README.md of convert/classic states.
"""

import warnings
from typing import Any

import numpy as np
import pytest
from learn_board import predict
from sklearn import cluster, datasets, ensemble, linear_model, neighbors, svm, tree
from sklearn.covariance import EllipticEnvelope
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from hedge.learn import links
from hedge.learn.model import Predictor
from hedgerow.convert.classic import convert_estimator

SETS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
}
SEED = {"random_state": 0}
TREES = {
    "tree": tree.DecisionTreeClassifier(**SEED),
    "shallow_tree": tree.DecisionTreeClassifier(max_depth=3, **SEED),
    "forest": ensemble.RandomForestClassifier(10, max_depth=6, **SEED),
    "full_forest": ensemble.RandomForestClassifier(10, **SEED),
    "two_trees": ensemble.RandomForestClassifier(2, max_depth=2, **SEED),
    "extra_trees": ensemble.ExtraTreesClassifier(10, max_depth=5, **SEED),
    "stumps": ensemble.ExtraTreesClassifier(33, max_depth=1, **SEED),  # no leaf of one class alone
    "boosting": ensemble.GradientBoostingClassifier(n_estimators=8, **SEED),
    "hist_boosting": ensemble.HistGradientBoostingClassifier(max_iter=8, **SEED),
    "isolation": ensemble.IsolationForest(n_estimators=20, **SEED),
}
OTHERS = {
    "logistic": linear_model.LogisticRegression(max_iter=200),
    "scaled_logistic": make_pipeline(StandardScaler(), linear_model.LogisticRegression()),
    "linear_svc": make_pipeline(MinMaxScaler(), svm.LinearSVC()),
    "sgd": linear_model.SGDClassifier(loss="log_loss", **SEED),
    "perceptron": linear_model.Perceptron(**SEED),
    "ridge_classifier": linear_model.RidgeClassifier(),
    "discriminant": LinearDiscriminantAnalysis(),
    "k_means": cluster.KMeans(6, n_init=2, **SEED),
    "robust_k_means": make_pipeline(RobustScaler(), cluster.MiniBatchKMeans(6, n_init=2, **SEED)),
    "nearest_centroid": neighbors.NearestCentroid(),
    "bayes": GaussianNB(),
    "scaled_bayes": make_pipeline(StandardScaler(), GaussianNB()),
    "mixture": GaussianMixture(3, **SEED),
    "mixture_tied": GaussianMixture(3, covariance_type="tied", **SEED),
    "mixture_diag": GaussianMixture(3, covariance_type="diag", **SEED),
    "mixture_spherical": GaussianMixture(3, covariance_type="spherical", **SEED),
}
# Of probabilities: a variance far below the range of its feature makes the most of rounding.
_ERRORS = {
    **dict.fromkeys(("bayes", "scaled_bayes"), 1e-2),
    **dict.fromkeys(("mixture", "mixture_tied", "mixture_diag", "mixture_spherical"), 3e-3),
}
NEIGHBOURS = {
    "neighbours": neighbors.KNeighborsClassifier(3),
    "scaled_neighbours": make_pipeline(StandardScaler(), neighbors.KNeighborsClassifier(5)),
}


def fitted(name: str, data: str) -> tuple[Any, np.ndarray]:
    """(fitted estimator, all rows)"""
    rows, classes = SETS[data](return_X_y=True)
    estimator = {**TREES, **OTHERS, **NEIGHBOURS}[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(rows, classes), rows


def worst_probability(hgl: bytes, scores: np.ndarray, wanted: np.ndarray) -> float:
    """Largest difference of the board's link, on real scores (m, k), and predict_proba."""
    link = Predictor(hgl).link
    got = [links.probabilities(link, list(row), 1.0) for row in scores]
    return float(np.abs(np.array(got) - wanted).max())


@pytest.mark.parametrize("data", SETS)
@pytest.mark.parametrize("name", TREES)
def test_trees_equal_all_rows(name: str, data: str) -> None:
    estimator, rows = fitted(name, data)
    hgl = convert_estimator(estimator)
    labels, scores, _ = predict(hgl, rows)
    assert np.array_equal(labels, estimator.predict(rows))
    if hasattr(estimator, "predict_proba"):
        assert worst_probability(hgl, scores, estimator.predict_proba(rows)) < 1e-6


@pytest.mark.parametrize("data", SETS)
@pytest.mark.parametrize("name", OTHERS)
def test_others_equal_all_rows(name: str, data: str) -> None:
    estimator, rows = fitted(name, data)
    hgl = convert_estimator(estimator, rows)
    labels, scores, _ = predict(hgl, rows)
    assert np.array_equal(labels, estimator.predict(rows))
    if Predictor(hgl).link:
        worst = worst_probability(hgl, scores, estimator.predict_proba(rows))
        assert worst < _ERRORS.get(name, 3e-4)


@pytest.mark.parametrize("data", SETS)
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbours_equal_all_rows(name: str, data: str) -> None:
    estimator, rows = fitted(name, data)
    labels, _, _ = predict(convert_estimator(estimator), rows)
    assert np.array_equal(labels, estimator.predict(rows))


@pytest.mark.parametrize("data", ["iris", "wine", "breast_cancer"])
def test_envelope_decides_and_ranks_as_scikit_learn(data: str) -> None:
    rows = SETS[data](return_X_y=True)[0]
    estimator = EllipticEnvelope(contamination=0.1, **SEED).fit(rows)
    labels, scores, _ = predict(convert_estimator(estimator, rows), rows)
    assert np.array_equal(labels, estimator.predict(rows))
    wanted = -estimator.decision_function(rows)
    assert_same_ranking(scores[:, 0], wanted, 1e-3 * (np.abs(wanted) - estimator.offset_))


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("data", ["iris", "wine", "breast_cancer"])
def test_mixture_finds_outliers_as_scikit_learn(data: str, kind: str) -> None:
    rows = SETS[data](return_X_y=True)[0]
    estimator = make_pipeline(StandardScaler(), GaussianMixture(3, covariance_type=kind, **SEED))
    densities = estimator.fit(rows).score_samples(rows)
    limit = float(np.sort(densities)[len(rows) // 10 : len(rows) // 10 + 2].mean())
    labels, scores, _ = predict(convert_estimator(estimator, rows, min_log_density=limit), rows)
    assert np.array_equal(labels, np.where(densities >= limit, 1, -1))
    assert_same_ranking(scores[:, -1], -densities, 0.02 + 1e-3 * np.abs(densities))


def assert_same_ranking(got: np.ndarray, wanted: np.ndarray, allowed: np.ndarray) -> None:
    """Scores agree, and rows whose scores differ by more than the error come in the same order."""
    error = np.abs(got - wanted)
    assert np.all(error <= allowed), error.max()
    order = np.argsort(wanted, kind="stable")
    steps, limit = np.diff(wanted[order]), 2 * error.max()
    assert np.all(np.diff(got[order])[steps > limit] > 0)
