"""tests/unit/learn_models.json: a small .hgl of every kind, rows of iris, scikit-learn's labels.

python tests/host/learn_vectors.py     writes the file again

The labels are those of scikit-learn's predict(); tests/unit/test_learn_models.py holds the board
to them under both Pythons.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeRegressor

from hedge.learn.model import Predictor
from hedgerow.convert.classic import convert_estimator

PATH = Path(__file__).resolve().parent.parent / "unit" / "learn_models.json"
_EVERY = 6  # of 150 rows
_NEIGHBOURS = 5  # rows apart in what kNN keeps, so that the file stays small


def models() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Name -> (estimator, options of convert_estimator)."""
    tenths = {"steps": [0.1] * 4}
    mixture = GaussianMixture(2, random_state=0)
    return {
        "forest": (RandomForestClassifier(4, max_depth=3, random_state=0), {}),
        "forest_int16": (RandomForestClassifier(4, max_depth=3, random_state=0), tenths),
        "boosting": (GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0), {}),
        "tree_value": (DecisionTreeRegressor(max_depth=3, random_state=0), {}),
        "logistic": (LogisticRegression(max_iter=300), {}),
        "ridge_value": (Ridge(), {}),
        "neighbours": (KNeighborsClassifier(3), tenths),
        "bayes": (GaussianNB(), {}),
        "envelope": (EllipticEnvelope(contamination=0.2, random_state=0), {}),
        "mixture": (mixture, {}),
        "mixture_outliers": (mixture, {"min_log_density": -2.0}),
    }


def entry(name: str, estimator: Any, options: dict[str, Any]) -> dict[str, Any]:
    """rows: real values; labels: of predict(), or values of a regression."""
    rows, classes = datasets.load_iris(return_X_y=True)
    step = _NEIGHBOURS if name == "neighbours" else 1
    estimator.fit(rows[::step], classes[::step])
    hgl = convert_estimator(estimator, rows, **options)
    shown = rows[::_EVERY]
    if "min_log_density" in options:
        likely = estimator.score_samples(shown) >= options["min_log_density"]
        labels = np.where(likely, 1, -1)
    else:
        labels = estimator.predict(shown)
    predictor, scores = Predictor(hgl), []
    for row in shown:
        predictor.quantise(row)
        predictor.predict()
        scores.append(list(predictor.scores))
    return {
        "hgl": base64.b64encode(hgl).decode(),
        "rows": shown.tolist(),
        "labels": labels.tolist(),
        "scores": scores,
    }


def write() -> None:
    found = {name: entry(name, *made) for name, made in models().items()}
    lines = [f"{json.dumps(name)}: {json.dumps(found[name])}" for name in found]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write()
