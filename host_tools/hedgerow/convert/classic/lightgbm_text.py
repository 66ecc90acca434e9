"""LightGBM models, as it saves them (text): x <= threshold goes left, in float64."""

from typing import Any

import numpy as np

from hedge.learn import layout as at
from hedgerow.convert.classic.ensemble import Ensemble, Tree
from hedgerow.convert.classic.labels import int_labels
from hedgerow.errors import ModelError

_VALUES = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_CATEGORICAL = 1  # bit of decision_type; bits 2 and 3 are the kind of missing value
_MISSING_ZERO = 1


def from_live(estimator: Any) -> Ensemble:
    """Of an LGBMClassifier, LGBMRegressor or Booster."""
    booster = estimator.booster_ if hasattr(type(estimator), "booster_") else estimator
    return parse(booster.model_to_string(), getattr(estimator, "classes_", None))


def parse(text: str, classes: np.ndarray | None = None) -> Ensemble:
    """The trees of a saved model. Raises ModelError: malformed or not supported."""
    try:
        head, *blocks = text.split("\nTree=")
        return _ensemble(_fields(head), [_fields(b.partition("\n\n")[0]) for b in blocks], classes)
    except (KeyError, ValueError, IndexError) as error:
        raise ModelError(
            f"not a model saved by LightGBM: {type(error).__name__} {error}"
        ) from None


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.splitlines())
    return {name: value for name, _, value in pairs}


def _ensemble(
    head: dict[str, str], blocks: list[dict[str, str]], classes: np.ndarray | None
) -> Ensemble:
    scores = int(head["num_tree_per_iteration"])
    objective, *options = head["objective"].split() if head.get("objective") else ["custom"]
    if not blocks or scores < 1:
        raise ModelError("a LightGBM model without trees")
    factor = scores / len(blocks) if "average_output" in head else 1.0
    factor *= _sigmoid(options) if objective == "binary" else 1.0
    trees = tuple(_tree(block, index % scores, factor) for index, block in enumerate(blocks))
    labels, decision, link = _decision(objective, options, scores, classes)
    features = int(head["max_feature_idx"]) + 1
    return Ensemble(trees, np.zeros(scores), features, labels, decision, link, is_double=True)


def _sigmoid(options: list[str]) -> float:
    found = [float(o.partition(":")[2]) for o in options if o.startswith("sigmoid:")]
    return found[0] if found else 1.0


def _decision(
    objective: str, options: list[str], scores: int, classes: np.ndarray | None
) -> tuple[tuple[int, ...], int, int]:
    if objective in _VALUES and "sqrt" not in options:
        return (), at.VALUE, at.NO_LINK
    count = 2 if scores == 1 else scores
    labels = tuple(range(count)) if classes is None else int_labels(classes)
    if len(labels) != count:
        raise ModelError("LightGBM fitted on one class: there is nothing to decide")
    if objective == "binary":
        return labels, at.SIGN_GT, at.LOGISTIC
    if objective in ("multiclass", "multiclassova"):
        return labels, at.ARGMAX, at.SOFTMAX if objective == "multiclass" else at.NO_LINK
    possible = ", ".join(("binary", "multiclass", "multiclassova", *_VALUES))
    raise ModelError(f"LightGBM objective {' '.join([objective, *options])}: possible: {possible}")


def _numbers(block: dict[str, str], name: str, dtype: type) -> np.ndarray:
    return np.array(block.get(name, "").split(), dtype=dtype)


def _tree(block: dict[str, str], score: int, factor: float) -> Tree:
    """Inner nodes first, leaves behind them; a child below 0 is leaf -1 - child."""
    if block.get("is_linear", "0") != "0":
        raise ModelError("LightGBM with linear_tree: train without it")
    values = np.array(block["leaf_value"].split(), dtype=np.float64) * factor
    decisions = _numbers(block, "decision_type", int)
    if np.any(decisions & _CATEGORICAL) or np.any(decisions >> 2 & 3 == _MISSING_ZERO):
        raise ModelError("LightGBM with categorical features or zero_as_missing: train without")
    inner = len(values) - 1
    left, right = _numbers(block, "left_child", int), _numbers(block, "right_child", int)
    ends = np.full(len(values), -1)
    return Tree(
        np.concatenate([_numbers(block, "split_feature", int), ends]),
        np.concatenate([_numbers(block, "threshold", float), np.zeros(len(values))]),
        np.concatenate([np.where(left < 0, inner - 1 - left, left), ends]),
        np.concatenate([np.where(right < 0, inner - 1 - right, right), ends]),
        np.concatenate([np.zeros(inner), values])[:, None],
        score,
    )
