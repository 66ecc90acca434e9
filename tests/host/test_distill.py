"""distill: the gradient is that of the paper; students on digits and on recorded activities."""

import csv

import digits
import numpy as np
import pytest
from float_models import normal
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import cross_val_predict

from hedgerow.convert.graph import Graph
from hedgerow.errors import UsageError
from hedgerow.train.distill import Outcome, Samples, compare, distill, soften
from hedgerow.train.fit import Schedule
from hedgerow.train.float_ops import run_float
from hedgerow.train.graph_builder import GraphBuilder

ADL = "data/activity/wrist_adl_16people"
WINDOW = 64  # samples, 2 s at 32 Hz


def taught(features: np.ndarray, labels: np.ndarray, train: np.ndarray) -> np.ndarray:
    """(n, classes) of a forest; on training rows from folds it was not fitted on."""
    forest = ExtraTreesClassifier(100, min_samples_leaf=2, random_state=0)
    p = np.zeros((len(labels), int(labels.max()) + 1))
    x, y = features[train], labels[train]
    p[train] = cross_val_predict(forest, x, y, cv=4, method="predict_proba")
    p[~train] = forest.fit(x, y).predict_proba(features[~train])
    return p


def test_softening_keeps_the_order_and_flattens() -> None:
    p = np.float32([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    soft = soften(p, 2.0)
    roots = np.sqrt(p[0])
    np.testing.assert_allclose(soft[0], roots / roots.sum(), rtol=1e-5)
    assert 0.9 < soft[1, 0] < 1.0


def test_a_student_of_the_teacher_alone_learns_its_answers() -> None:
    """share=1: the labels given are all 0, and yet the student finds the digits."""
    x, y, _, _ = digits.data()
    sure = 0.91 * np.eye(10)[y] + 0.009
    samples = Samples(x, np.zeros_like(y), sure)
    plan = Schedule(epochs=8, rate=8e-3)
    student = distill(digits.small_net(4), samples, share=1.0, schedule=plan)
    assert (run_float(student, x).argmax(axis=1) == y).mean() > 0.9


def test_digits() -> None:
    x, y, test_x, test_y = digits.data()
    images, labels = np.concatenate([x, test_x]), np.concatenate([y, test_y])
    train = np.arange(len(labels)) < len(x)
    p = taught(images.reshape(len(images), -1), labels, train)
    outcome = compare(
        digits.small_net(3),
        Samples(x, y, p[train]),
        Samples(test_x, test_y, p[~train]),
        schedule=Schedule(epochs=12, rate=8e-3),
    )
    print("digits:", outcome)
    _check(outcome, floor=0.8)


def test_recorded_activities(need_shared) -> None:
    """Nine activities at the wrist; people in the test were not in the training."""
    x, y, people = _windows(
        need_shared(f"{ADL}/samples.csv"), need_shared(f"{ADL}/recordings.csv")
    )
    train = ~np.isin(people, ["m1", "m3"])
    steps = np.abs(np.fft.rfft(x - x.mean(axis=1, keepdims=True), axis=1))[:, 1:17]
    features = np.concatenate([x.mean(1), x.std(1), x.min(1), x.max(1)], axis=1)
    p = taught(np.concatenate([features, steps.reshape(len(x), -1)], axis=1), y, train)
    images = x[:, None]
    outcome = compare(
        _student(8),
        Samples(images[train], y[train], p[train]),
        Samples(images[~train], y[~train], p[~train]),
        schedule=Schedule(epochs=6, batch=64, rate=5e-3),
    )
    print("activities:", outcome)
    _check(outcome, floor=0.45)


def _check(outcome: Outcome, *, floor: float) -> None:
    """Distilling is no promise to gain; it must not lose much, and int8 next to nothing."""
    assert outcome.distilled > floor
    assert outcome.distilled > outcome.alone - 0.04
    assert outcome.int8 > outcome.distilled - 0.02


def _windows(samples, recordings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, 64, 3) of -1 .. 1, class and person; half overlapping."""
    codes = np.loadtxt(samples, delimiter=",", skiprows=1, dtype=np.float32) / 31.5 - 1.0
    with recordings.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["activity"] for row in rows})
    found: list[tuple] = []
    for row in rows:
        first, count = int(row["start_row"]), int(row["samples"])
        for start in range(first, first + count - WINDOW + 1, WINDOW // 2):
            activity = names.index(row["activity"])
            found.append((codes[start : start + WINDOW], activity, row["person"]))
    x, y, people = zip(*found, strict=True)
    return np.stack(x), np.array(y), np.array(people)


def _student(n: int) -> Graph:
    """Three convolutions over time, mean, dense: about 1,700 weights for n = 8."""
    rng, b = np.random.default_rng(0), GraphBuilder()
    x = y = b.computed("window", (1, 1, WINDOW, 3))
    width, c_in = WINDOW, 3
    for number, (c_out, taps) in enumerate([(n, 5), (2 * n, 5), (2 * n, 3)]):
        width //= 2
        w = b.constant(f"w{number}", 1.4 * normal(rng, c_out, 1, taps, c_in))
        inputs = [y, w, b.constant(f"b{number}", np.zeros(c_out))]
        shape = (1, 1, width, c_out)
        y = b.op("CONV_2D", inputs, shape, padding="same", activation="relu", stride_w=2)
        c_in = c_out
    y = b.op("MEAN", [y, b.constant("axes", [1, 2])], (1, c_in))
    w = [b.constant("w", normal(rng, 9, c_in)), b.constant("b", np.zeros(9))]
    return b.finish(x, b.op("SOFTMAX", [b.op("FULLY_CONNECTED", [y, *w], (1, 9))], (1, 9)))


BAD = {
    "teacher": (lambda x, y: Samples(x, y, np.ones((len(x), 9))), {}, "10 probabilities"),
    "labels": (lambda x, y: Samples(x, y[:-1], np.eye(10)[y]), {}, "labels"),
    "temperature": (lambda x, y: Samples(x, y, np.eye(10)[y]), {"temperature": 0.0}, "above 0"),
    "share": (lambda x, y: Samples(x, y, np.eye(10)[y]), {"share": 1.5}, "share 1.5"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_named(case: str) -> None:
    make, options, message = BAD[case]
    x, y, _, _ = digits.data()
    with pytest.raises(UsageError, match=message):
        distill(digits.small_net(2), make(x[:20], y[:20]), **options)


def test_a_student_without_softmax_is_named() -> None:
    graph = digits.small_net(2)
    logits = graph.with_ops(list(graph.ops[:-1]), graph.ops[-1].inputs[0])
    x, y, _, _ = digits.data()
    with pytest.raises(UsageError, match="must end in SOFTMAX"):
        distill(logits, Samples(x, y, np.eye(10)[y]))
