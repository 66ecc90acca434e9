"""scikit-learn's trees: single, forests, gradient boosting, isolation forest."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hedge.learn import layout as at
from hedgerow.convert.classic.ensemble import Ensemble, Tree
from hedgerow.convert.classic.labels import int_labels
from hedgerow.errors import ModelError


def _tree(estimator: Any, values: np.ndarray, score: int = 0) -> Tree:
    """values: (nodes, k) what a leaf adds."""
    tree = estimator.tree_
    feature = np.where(tree.children_left < 0, -1, tree.feature)
    return Tree(feature, tree.threshold, tree.children_left, tree.children_right, values, score)


def _one_output(estimator: Any) -> None:
    if getattr(estimator, "n_outputs_", 1) != 1:
        raise ModelError(f"{type(estimator).__name__}: one output only, train one model for each")


def classifier_trees(estimator: Any) -> Ensemble:
    """DecisionTree, ExtraTree, RandomForest, ExtraTrees classifiers: probabilities add up."""
    _one_output(estimator)
    members = getattr(estimator, "estimators_", [estimator])
    classes = len(estimator.classes_)
    trees = []
    for member in members:
        values = member.tree_.value[:, 0, :classes]
        trees.append(_tree(member, values / values.sum(axis=1, keepdims=True)))
    return Ensemble(
        tuple(trees),
        np.zeros(classes),
        estimator.n_features_in_,
        int_labels(estimator.classes_),
        at.ARGMAX,
        at.SHARE,
    )


def regressor_trees(estimator: Any) -> Ensemble:
    """DecisionTree, RandomForest, ExtraTrees regressors: the mean of the trees."""
    _one_output(estimator)
    members = getattr(estimator, "estimators_", [estimator])
    trees = tuple(_tree(m, m.tree_.value[:, 0, :] / len(members)) for m in members)
    return Ensemble(trees, np.zeros(1), estimator.n_features_in_, (), at.VALUE, at.NO_LINK)


def gradient_boosting(estimator: Any) -> Ensemble:
    """GradientBoostingClassifier and -Regressor, whose start is constant."""
    init = estimator.init_
    if init != "zero" and type(init).__name__ not in ("DummyClassifier", "DummyRegressor"):
        raise ModelError("gradient boosting with init=an estimator: use the default init")
    base = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32))
    rate = estimator.learning_rate
    trees = [
        _tree(member, member.tree_.value[:, 0, :] * rate, score)
        for stage in estimator.estimators_
        for score, member in enumerate(stage)
    ]
    if not hasattr(estimator, "classes_"):
        return _boosted(estimator, trees, np.ravel(base), (), at.VALUE, at.NO_LINK)
    labels = int_labels(estimator.classes_)
    link = at.SOFTMAX if len(labels) > 2 else at.LOGISTIC
    if estimator.loss == "exponential":
        link = at.NO_LINK  # its sigmoid is of twice the score
    decision = at.ARGMAX if len(labels) > 2 else at.SIGN_GE
    return _boosted(estimator, trees, np.ravel(base), labels, decision, link)


def _boosted(
    estimator: Any,
    trees: list[Tree],
    base: np.ndarray,
    labels: tuple[int, ...],
    decision: int,
    link: int,
) -> Ensemble:
    is_double = type(estimator).__name__.startswith("Hist")
    return Ensemble(
        tuple(trees), base, estimator.n_features_in_, labels, decision, link, is_double
    )


def hist_gradient_boosting(estimator: Any) -> Ensemble:
    """HistGradientBoostingClassifier and -Regressor with numeric features and no missing ones."""
    trees = [
        _hist_tree(predictor.nodes, score)
        for stage in estimator._predictors
        for score, predictor in enumerate(stage)
    ]
    base = np.ravel(estimator._baseline_prediction)
    if not hasattr(estimator, "classes_"):
        if estimator.loss not in ("squared_error", "absolute_error", "quantile"):
            raise ModelError(
                f"HistGradientBoosting with loss={estimator.loss}: no exp() on boards"
            )
        return _boosted(estimator, trees, base, (), at.VALUE, at.NO_LINK)
    labels = int_labels(estimator.classes_)
    if len(labels) > 2:
        return _boosted(estimator, trees, base, labels, at.ARGMAX, at.SOFTMAX)
    return _boosted(estimator, trees, base, labels, at.SIGN_GT, at.LOGISTIC)


def _hist_tree(nodes: np.ndarray, score: int) -> Tree:
    if nodes["is_categorical"].any():
        raise ModelError("HistGradientBoosting with categorical features: encode them as numbers")
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        np.where(leaf, -1, nodes["feature_idx"]),
        nodes["num_threshold"],
        nodes["left"].astype(int),
        nodes["right"].astype(int),
        nodes["value"][:, None].astype(np.float64),
        score,
    )


def isolation_forest(estimator: Any) -> Ensemble:
    """Score: the path length at which scikit-learn's decision turns, less the sum of the paths.

    Positive is an outlier (-1). Source: Liu, Ting, Zhou 2008, and scikit-learn's offset_.
    """
    trees, total = [], 0.0
    for member, columns in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        tree = _tree(member, -_path_lengths(member)[:, None])
        feature = np.where(tree.feature < 0, -1, np.asarray(columns)[tree.feature])
        trees.append(Tree(feature, tree.threshold, tree.left, tree.right, tree.values))
    total = len(trees) * float(average_path(np.array([estimator._max_samples]))[0])
    limit = -np.log2(-estimator.offset_) * total
    return Ensemble(
        tuple(trees), np.array([limit]), estimator.n_features_in_, (1, -1), at.SIGN_GT, at.NO_LINK
    )


def average_path(samples: np.ndarray) -> np.ndarray:
    """Mean path of an unsuccessful search among `samples` (Liu, Ting, Zhou 2008, equation 1)."""
    n = np.maximum(samples.astype(np.float64), 2.0)
    long = 2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    return np.where(samples <= 1, 0.0, np.where(samples == 2, 1.0, long))


def _path_lengths(member: Any) -> np.ndarray:
    """Of every node: its depth and what the samples left in it would add."""
    tree = member.tree_
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # a child's number is above its parent's
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1
    return depth + average_path(tree.n_node_samples)


TREES: dict[str, Callable[[Any], Ensemble]] = {
    "DecisionTreeClassifier": classifier_trees,
    "ExtraTreeClassifier": classifier_trees,
    "RandomForestClassifier": classifier_trees,
    "ExtraTreesClassifier": classifier_trees,
    "DecisionTreeRegressor": regressor_trees,
    "ExtraTreeRegressor": regressor_trees,
    "RandomForestRegressor": regressor_trees,
    "ExtraTreesRegressor": regressor_trees,
    "GradientBoostingClassifier": gradient_boosting,
    "GradientBoostingRegressor": gradient_boosting,
    "HistGradientBoostingClassifier": hist_gradient_boosting,
    "HistGradientBoostingRegressor": hist_gradient_boosting,
    "IsolationForest": isolation_forest,
}
