"""convert_estimator: what it refuses and how it says so; options; pipelines; skops files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learn_board import predict
from sklearn import cluster, datasets, ensemble, linear_model, neighbors, svm, tree
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from hedge.learn.model import Predictor
from hedgerow.convert.classic import convert_classic_file, convert_estimator
from hedgerow.convert.classic.ensemble import float_floor
from hedgerow.convert.classic.inputs import from_data
from hedgerow.errors import ModelError

ROWS, CLASSES = datasets.load_iris(return_X_y=True)
TWO = np.stack([CLASSES, CLASSES], axis=1)


def test_unfitted_and_unknown() -> None:
    with pytest.raises(ModelError, match=r"not fitted: call fit\(\)"):
        convert_estimator(GaussianNB())
    for library, name in (("xgboost", "XGBClassifier"), ("lightgbm", "LGBMClassifier")):
        module = pytest.importorskip(library, reason=f"{library} is not installed")
        with pytest.raises(ModelError, match=rf"{name} is not fitted: call fit\(\)"):
            convert_estimator(getattr(module, name)())
    with pytest.raises(ModelError, match=r"MLPClassifier is not supported; possible are Dec"):
        from sklearn.neural_network import MLPClassifier

        convert_estimator(MLPClassifier(2, max_iter=2).fit(ROWS[:9], [0, 1, 0] * 3))


@pytest.mark.parametrize(
    ("estimator", "target", "reason"),
    [
        (svm.SVC(kernel="rbf"), CLASSES, "LinearSVC"),
        (svm.SVC(kernel="linear"), CLASSES, "LinearSVC"),
        (neighbors.KNeighborsClassifier(weights="distance"), CLASSES, "uniform"),
        (neighbors.KNeighborsClassifier(metric="manhattan"), CLASSES, "Euclidean"),
        (neighbors.KNeighborsClassifier(), TWO, "one output"),
        (neighbors.NearestCentroid(metric="manhattan"), CLASSES, "euclidean"),
        (tree.DecisionTreeClassifier(), TWO, "one output"),
        (linear_model.Ridge(), TWO, "one target"),
        (make_pipeline(PCA(2), GaussianNB()), CLASSES, "PCA: one of StandardScaler"),
        (make_pipeline(MinMaxScaler(clip=True), GaussianNB()), CLASSES, "clip"),
        (
            make_pipeline(StandardScaler(), tree.DecisionTreeClassifier()),
            CLASSES,
            "trees need none",
        ),
    ],
)
def test_refused(estimator: Any, target: np.ndarray, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        convert_estimator(estimator.fit(ROWS, target), ROWS)


def test_refused_boosting_and_mixture() -> None:
    boosted = ensemble.GradientBoostingClassifier(n_estimators=1, init=GaussianNB())
    with pytest.raises(ModelError, match="default init"):
        convert_estimator(boosted.fit(ROWS, CLASSES))
    hist = ensemble.HistGradientBoostingRegressor(max_iter=1, loss="poisson")
    with pytest.raises(ModelError, match="loss=poisson"):
        convert_estimator(hist.fit(ROWS, CLASSES))
    twice = np.hstack([ROWS, ROWS + 1e-9 * np.arange(150)[:, None]])
    mixture = GaussianMixture(1, reg_covar=1e-15).fit(twice)
    with pytest.raises(ModelError, match="near singular"):
        convert_estimator(mixture, twice, min_log_density=-5.0)


def test_a_range_is_needed() -> None:
    model = linear_model.LogisticRegression(max_iter=200).fit(ROWS, CLASSES)
    with pytest.raises(ModelError, match="representative rows, or steps, or put it behind"):
        convert_estimator(model)
    with pytest.raises(ModelError, match=r"shape \(150, 2\), wanted \(rows, 4\)"):
        convert_estimator(model, ROWS[:, :2])
    with pytest.raises(ModelError, match="finite"):
        convert_estimator(model, np.full((2, 4), np.nan))
    with pytest.raises(ModelError, match="steps: 4 positive numbers"):
        convert_estimator(model, steps=[0.1, 0.1])


@pytest.mark.parametrize(
    "estimator",
    [
        ensemble.RandomForestClassifier(6, random_state=0),
        ensemble.HistGradientBoostingClassifier(max_iter=4),
        linear_model.LogisticRegression(max_iter=200),
        neighbors.KNeighborsClassifier(3),
        GaussianNB(),
        cluster.KMeans(4, n_init=2, random_state=0),
    ],
)
def test_boards_that_count_in_steps(estimator: Any) -> None:
    """Inputs as ints in tenths of a centimetre: no float on the board, the same labels."""
    model = Predictor(convert_estimator(estimator.fit(ROWS, CLASSES), steps=[0.1] * 4))
    assert model.input.typecode == "h"
    for row, label in zip(ROWS, estimator.predict(ROWS), strict=True):
        for i, value in enumerate(row):
            model.input[i] = round(value * 10)
        assert model.predict() == label


@pytest.mark.parametrize(
    "estimator",
    [
        tree.DecisionTreeRegressor(max_depth=5, random_state=0),
        ensemble.RandomForestRegressor(5, random_state=0),
        ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0),
        ensemble.HistGradientBoostingRegressor(max_iter=20),
        linear_model.LinearRegression(),
        linear_model.Lasso(0.1),
    ],
)
def test_regressions(estimator: Any) -> None:
    rows, target = datasets.load_diabetes(return_X_y=True)
    rows = rows.astype(np.float32)
    _, scores, _ = predict(convert_estimator(estimator.fit(rows, target), rows), rows)
    assert np.abs(scores[:, 0] - estimator.predict(rows)).max() < 0.03  # of 25 .. 346


def test_text_classes_become_positions() -> None:
    names = np.array(["setosa", "versicolor", "virginica"])[CLASSES]
    model = tree.DecisionTreeClassifier(random_state=0).fit(ROWS, names)
    assert list(Predictor(convert_estimator(model)).labels) == [0, 1, 2]


def test_subclasses_count_as_what_they_are() -> None:
    class Mine(GaussianNB):
        pass

    assert convert_estimator(Mine().fit(ROWS, CLASSES))


def test_thresholds_become_the_float32_below() -> None:
    below = float_floor(0.1)
    assert float(below) < 0.1 < float(np.nextafter(below, np.float32(1)))
    assert float_floor(0.5) == np.float32(0.5)
    assert float_floor(1e300) == np.finfo(np.float32).max
    assert np.signbit(float_floor(-1e-300)) and float_floor(-1e-300) < 0
    assert not np.signbit(float_floor(-0.0))


def test_decimal_steps_are_found() -> None:
    tenths = from_data(np.array([[0.1, 10.0], [2.5, 900.0], [0.7, 20.0]]), 1 << 15)
    q = (np.array([0.7, 20.0]) - tenths.offset) / tenths.scale
    assert np.allclose(q, np.round(q), atol=1e-6)
    constant = from_data(np.full((3, 1), 7.25), 1 << 15)
    assert np.all(
        constant.quantised(np.array([[7.25]])) * constant.scale + constant.offset == 7.25
    )


def test_skops_files(tmp_path: Path) -> None:
    io = pytest.importorskip("skops.io", reason="skops is not installed")
    model = make_pipeline(StandardScaler(), GaussianNB()).fit(ROWS, CLASSES)
    path = tmp_path / "bayes.skops"
    io.dump(model, path)
    assert convert_classic_file(path) == convert_estimator(model)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ModelError, match=r"bayes\.skops: not a skops file"):
        convert_classic_file(path)
    forest = ensemble.RandomForestClassifier(3, random_state=0).fit(ROWS, CLASSES)
    for untrusted in (Untrusted(), forest):  # the C code of Tree believes what a file says
        io.dump(untrusted, path)
        with pytest.raises(ModelError, match="does not trust"):
            convert_classic_file(path)


class Untrusted:
    """A type that skops does not know."""

    def __init__(self) -> None:
        self.anything = 1
