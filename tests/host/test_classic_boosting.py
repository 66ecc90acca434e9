"""XGBoost and LightGBM: labels of all rows, live and from saved files; hostile saved files."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learn_board import predict
from test_classic_labels import SETS, worst_probability

from hedge.learn import layout as at
from hedge.learn.model import Predictor
from hedgerow.convert.classic import convert_classic_file, convert_estimator, is_classic
from hedgerow.errors import ModelError

xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed (xgboost-cpu)")
lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")


def small(library: str, **options: Any) -> Any:
    if library == "xgboost":
        return xgboost.XGBClassifier(n_estimators=6, max_depth=4, n_jobs=1, **options)
    return lightgbm.LGBMClassifier(n_estimators=6, num_leaves=9, n_jobs=1, verbose=-1, **options)


def save(estimator: Any, path: Path) -> Path:
    getattr(estimator, "booster_", estimator).save_model(str(path))
    return path


@pytest.mark.parametrize("data", SETS)
@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_labels_equal_all_rows(library: str, data: str) -> None:
    rows, classes = SETS[data](return_X_y=True)
    estimator = small(library).fit(rows, classes)
    hgl = convert_estimator(estimator)
    labels, scores, _ = predict(hgl, rows)
    assert np.array_equal(labels, estimator.predict(rows))
    assert worst_probability(hgl, scores, estimator.predict_proba(rows)) < 1e-6


@pytest.mark.parametrize("suffix", [".json", ".ubj", ".txt"])
@pytest.mark.parametrize("data", ["iris", "breast_cancer"])
def test_saved_files_equal_live_models(data: str, suffix: str, tmp_path: Path) -> None:
    rows, classes = SETS[data](return_X_y=True)
    library = "lightgbm" if suffix == ".txt" else "xgboost"
    estimator = small(library).fit(rows, classes)
    path = save(estimator, tmp_path / f"model{suffix}")
    assert is_classic(path)
    assert convert_classic_file(path) == convert_estimator(estimator)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_regressions(library: str) -> None:
    rows, classes = SETS["wine"](return_X_y=True)
    options = {"n_estimators": 7, "n_jobs": 1}
    if library == "xgboost":
        estimator = xgboost.XGBRegressor(**options)
    else:
        estimator = lightgbm.LGBMRegressor(verbose=-1, **options)
    estimator.fit(rows, classes)
    _, scores, _ = predict(convert_estimator(estimator), rows)
    assert np.abs(scores[:, 0] - estimator.predict(rows)).max() < 1e-6


def test_labels_are_those_of_the_classes() -> None:
    rows, classes = SETS["iris"](return_X_y=True)
    estimator = small("lightgbm").fit(rows, classes * 10 + 5)
    assert list(Predictor(convert_estimator(estimator)).labels) == [5, 15, 25]


def test_early_stopping_keeps_the_best_round() -> None:
    rows, classes = SETS["breast_cancer"](return_X_y=True)
    estimator = xgboost.XGBClassifier(
        n_estimators=60, max_depth=3, early_stopping_rounds=2, learning_rate=1.0, n_jobs=1
    )
    estimator.fit(rows[::2], classes[::2], eval_set=[(rows[1::2], classes[1::2])], verbose=False)
    rounds = len(estimator.get_booster().get_dump())
    assert estimator.best_iteration + 1 < rounds
    hgl = convert_estimator(estimator)
    assert Predictor(hgl)._head[at.ROWS] == estimator.best_iteration + 1
    labels, _, _ = predict(hgl, rows)
    assert np.array_equal(labels, estimator.predict(rows))


def test_a_threshold_itself_goes_right_in_xgboost(tmp_path: Path) -> None:
    rows = np.array([[0.0], [1.0], [2.0], [3.0]] * 5, dtype=np.float32)
    estimator = xgboost.XGBClassifier(n_estimators=1, max_depth=1, n_jobs=1)
    estimator.fit(rows, (rows[:, 0] >= 2).astype(int))
    tree = json.loads(save(estimator, tmp_path / "m.json").read_text())["learner"]
    threshold = tree["gradient_booster"]["model"]["trees"][0]["split_conditions"][0]
    edges = np.array([[threshold], [np.nextafter(np.float32(threshold), np.float32(-9))]])
    labels, _, _ = predict(convert_estimator(estimator), edges)
    assert list(labels) == list(estimator.predict(edges.astype(np.float32))) == [1, 0]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"booster": "gblinear"}, "gblinear"),
        ({"booster": "dart"}, "dart"),
        ({"objective": "count:poisson"}, "count:poisson"),
    ],
)
def test_unsupported_xgboost(options: dict, reason: str) -> None:
    rows, classes = SETS["iris"](return_X_y=True)
    kind = xgboost.XGBRegressor if "objective" in options else xgboost.XGBClassifier
    estimator = kind(n_estimators=2, n_jobs=1, **options).fit(rows, classes)
    with pytest.raises(ModelError, match=reason):
        convert_estimator(estimator)


def test_unsupported_lightgbm() -> None:
    rows, classes = SETS["iris"](return_X_y=True)
    rows = np.round(rows)
    plain = {"n_estimators": 2, "verbose": -1, "n_jobs": 1}
    for estimator, reason in (
        (lightgbm.LGBMRegressor(objective="poisson", **plain), "poisson"),
        (lightgbm.LGBMRegressor(linear_tree=True, **plain), "linear_tree"),
        (lightgbm.LGBMClassifier(zero_as_missing=True, **plain), "zero_as_missing"),
    ):
        with pytest.raises(ModelError, match=reason):
            convert_estimator(estimator.fit(rows, classes))
    categorical = lightgbm.LGBMClassifier(min_data_per_group=1, cat_smooth=0, **plain)
    with pytest.raises(ModelError, match="categorical"):
        convert_estimator(categorical.fit(rows, classes, categorical_feature=[2]))


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_one_class_is_refused(library: str) -> None:
    rows, _ = SETS["iris"](return_X_y=True)
    with pytest.raises(ModelError, match="fitted on one class"):
        convert_estimator(small(library).fit(rows, np.zeros(len(rows), dtype=int)))


@pytest.mark.parametrize("suffix", [".json", ".ubj", ".txt"])
def test_mutated_files_are_refused_or_converted(suffix: str, tmp_path: Path) -> None:
    """Nothing but a ModelError may come out of a damaged or hostile file."""
    rows, classes = SETS["iris"](return_X_y=True)
    estimator = small("lightgbm" if suffix == ".txt" else "xgboost").fit(rows, classes)
    path = tmp_path / f"model{suffix}"
    good, chance, refused = save(estimator, path).read_bytes(), random.Random(3), 0
    for _ in range(400):
        data = bytearray(good)
        for _ in range(chance.choice((1, 1, 3, 20))):
            place = chance.randrange(len(data))
            data[place] = chance.choice((0, 255, ord("9"), ord("-"), ord("["), data[place] ^ 1))
        if chance.random() < 0.1:
            del data[chance.randrange(len(data)) :]
        path.write_bytes(bytes(data))
        try:
            Predictor(convert_classic_file(path)).predict()
        except ModelError:
            refused += 1
    assert 40 < refused < 400


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04.")
    assert not is_classic(path)
    with pytest.raises(ModelError, match=r"model\.pkl.*pickle runs code"):
        convert_classic_file(path)
    with pytest.raises(ModelError, match="No such file"):
        convert_classic_file(tmp_path / "missing.json")
    path = tmp_path / "other.json"
    path.write_text('{"a": 1}')
    with pytest.raises(ModelError, match=r"other\.json.*XGBoost"):
        convert_classic_file(path)
