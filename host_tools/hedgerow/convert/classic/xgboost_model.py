"""XGBoost models, as it saves them (JSON or UBJSON): x < threshold goes left, in float32."""

import json
import math
from typing import Any

import numpy as np

from hedge.learn import layout as at
from hedgerow.convert.classic import ubjson
from hedgerow.convert.classic.ensemble import Ensemble, Tree
from hedgerow.convert.classic.labels import int_labels
from hedgerow.errors import ModelError

_VALUES = ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror")
_OBJECTIVES = ("binary:logistic", "multi:softprob", "multi:softmax", *_VALUES)


def from_live(estimator: Any) -> Ensemble:
    """Of an XGBClassifier, XGBRegressor or Booster."""
    booster = estimator.get_booster() if hasattr(estimator, "get_booster") else estimator
    labels = getattr(estimator, "classes_", None)
    return parse(bytes(booster.save_raw(raw_format="ubj")), labels)


def parse(data: bytes, classes: np.ndarray | None = None) -> Ensemble:
    """The trees of a saved model. Raises ModelError: malformed or not supported."""
    try:
        is_json = data[:2] in (b'{"', b"{\n", b"{\r", b"{ ")
        model = json.loads(data) if is_json else ubjson.loads(data)
        return _ensemble(model["learner"], classes)
    except (KeyError, TypeError, ValueError, IndexError, RecursionError) as error:
        raise ModelError(f"not a model saved by XGBoost: {type(error).__name__} {error}") from None


def _ensemble(learner: dict[str, Any], classes: np.ndarray | None) -> Ensemble:
    objective = learner["objective"]["name"]
    params = learner["learner_model_param"]
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise ModelError(f"XGBoost booster {booster['name']}: only gbtree is supported")
    if objective not in _OBJECTIVES:
        raise ModelError(f"XGBoost objective {objective}: possible are {', '.join(_OBJECTIVES)}")
    if int(params.get("num_target", 1)) > 1:
        raise ModelError("XGBoost: one target only, train one model for each")
    scores = max(int(params["num_class"]), 1)
    trees = tuple(
        _tree(tree, int(score))
        for tree, score in zip(*_kept(learner, booster["model"]), strict=True)
    )
    labels, decision, link = _decision(objective, scores, classes)
    base = _base(params["base_score"], scores, objective)
    return Ensemble(trees, base, int(params["num_feature"]), labels, decision, link)


def _kept(learner: dict[str, Any], model: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """(trees, score of each) up to the best round, as predict() after early stopping."""
    trees, info = model["trees"], model["tree_info"]
    best = learner.get("attributes", {}).get("best_iteration")
    if best is not None:
        end = int(model["iteration_indptr"][int(best) + 1])
        return trees[:end], info[:end]
    return trees, info


def _base(text: str, scores: int, objective: str) -> np.ndarray:
    """Base scores before the link: "5E-1" up to XGBoost 3.0, then "[1E-1,2E-1]"."""
    found = np.array([float(part) for part in text.strip("[]").split(",")])
    if objective == "binary:logistic":
        if not all(0 < p < 1 for p in found):
            raise ModelError(f"XGBoost with the base score {text}: fitted on one class?")
        found = np.array([math.log(p / (1 - p)) for p in found])
    return np.broadcast_to(found, scores).copy()


def _decision(
    objective: str, scores: int, classes: np.ndarray | None
) -> tuple[tuple[int, ...], int, int]:
    if objective in _VALUES:
        return (), at.VALUE, at.NO_LINK
    count = 2 if scores == 1 else scores
    labels = tuple(range(count)) if classes is None else int_labels(classes)
    if scores == 1:
        return labels, at.SIGN_GT, at.LOGISTIC
    return labels, at.ARGMAX, at.SOFTMAX


def _tree(tree: dict[str, Any], score: int) -> Tree:
    if any(tree["split_type"]):
        raise ModelError("XGBoost with categorical features: encode them as numbers")
    if int(tree["tree_param"].get("size_leaf_vector", 1)) > 1:
        raise ModelError("XGBoost with vector leaves: use multi_strategy='one_output_per_tree'")
    left = np.array(tree["left_children"], dtype=np.int64)
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    feature = np.where(left < 0, -1, np.array(tree["split_indices"], dtype=np.int64))
    below = np.nextafter(conditions, np.float32(-np.inf))  # x < t is x <= the float32 before t
    return Tree(
        feature,
        below.astype(np.float64),
        left,
        np.array(tree["right_children"], dtype=np.int64),
        conditions.astype(np.float64)[:, None],
        score,
    )
