"""Knowledge distillation: a small student learns what a large teacher thinks of every sample.

    taught = distill(student, x, teacher.predict_proba(features), labels)

The teacher may be anything that gives class probabilities: a forest or an ensemble of
scikit-learn, a large net. Give probabilities for samples it was not fitted on (scikit-learn's
cross_val_predict), or it says no more than the labels do.
Source: Hinton, Vinyals, Dean 2015, arXiv:1503.02531.
"""

from dataclasses import dataclass, replace

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.errors import UsageError
from hedgerow.train.evaluate import accuracy, check_labels, run_int8
from hedgerow.train.fit import Loss, Schedule, cross_entropy_of_logits, fit, softmax_of
from hedgerow.train.float_ops import run_float
from hedgerow.train.ptq import Quantised, quantize

_TINY = 1e-6  # a forest gives exact zeros, whose logarithm is none


@dataclass(frozen=True)
class Outcome:
    """Accuracies on the test samples, shares of 1; model: the distilled student in int8."""

    teacher: float
    alone: float
    distilled: float
    int8: float
    model: Quantised

    def __str__(self) -> str:
        return (
            f"teacher {self.teacher:.2%}, student alone {self.alone:.2%}, "
            f"distilled {self.distilled:.2%}, int8 {self.int8:.2%}"
        )


@dataclass(frozen=True)
class Samples:
    """x: (n, ...) float32 as the student takes them; labels: (n,); teacher: (n, classes)."""

    x: np.ndarray
    labels: np.ndarray
    teacher: np.ndarray


def distill(
    student: Graph,
    samples: Samples,
    *,
    temperature: float = 1.0,
    share: float = 0.5,
    schedule: Schedule | None = None,
) -> Graph:
    """The student (float, ends in SOFTMAX) trained on the teacher's and the true answers.

    temperature: how far both are softened; a forest's answers are soft at 1, a net's need 2 to
    5. share: of the teacher in the loss. Raises UsageError
    if samples, teacher and student do not fit one another.
    """
    logits = _without_softmax(student)
    _check(student, samples, temperature, share)
    soft = soften(samples.teacher, temperature)
    loss = _mixed(soft, cross_entropy_of_logits(samples.labels), temperature, share)
    trained = fit(logits, samples.x, loss, schedule)
    return replace(student, tensors=trained.tensors)


def compare(
    student: Graph,
    train: Samples,
    test: Samples,
    *,
    temperature: float = 1.0,
    share: float = 0.5,
    schedule: Schedule | None = None,
) -> Outcome:
    """Trains the student alone and distilled, quantises it, scores all on the test samples."""
    logits = _without_softmax(student)
    alone = fit(logits, train.x, cross_entropy_of_logits(train.labels), schedule)
    taught = distill(student, train, temperature=temperature, share=share, schedule=schedule)
    calibrated = quantize(taught, train.x)
    int8 = run_int8(calibrated.graph, test.x)
    return Outcome(
        teacher=accuracy(test.teacher, test.labels),
        alone=accuracy(run_float(alone, test.x), test.labels),
        distilled=accuracy(run_float(taught, test.x), test.labels),
        int8=accuracy(int8, test.labels),
        model=calibrated,
    )


def soften(p: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (n, classes) as their logits by `temperature` would give them."""
    return softmax_of(np.log(np.maximum(p, _TINY)) / temperature).astype(np.float32)


def _without_softmax(student: Graph) -> Graph:
    last = student.ops[-1] if student.ops else None
    if last is None or last.kind != "SOFTMAX" or last.outputs[0] != student.output:
        raise UsageError("the student must end in SOFTMAX")
    return student.with_ops(list(student.ops[:-1]), last.inputs[0])


def _check(student: Graph, samples: Samples, temperature: float, share: float) -> None:
    n, classes = len(samples.x), student.tensors[student.output].elements
    check_labels(samples.labels, n, classes)
    teacher = samples.teacher
    if teacher.shape != (n, classes) or not np.allclose(teacher.sum(axis=1), 1.0, atol=1e-3):
        raise UsageError(
            f"the teacher gives {teacher.shape}: {n} rows of {classes} probabilities are needed"
        )
    if temperature <= 0.0 or not 0.0 <= share <= 1.0:
        raise UsageError(f"temperature {temperature} must be above 0, share {share} of 0 to 1")


def _mixed(soft: np.ndarray, hard: Loss, temperature: float, share: float) -> Loss:
    """Both gradients; the soft one times temperature squared (section 2 of the paper)."""

    def gradient(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
        own = softmax_of(z / temperature)
        taught = (own - soft[rows]) * temperature / len(z)
        return share * taught + (1.0 - share) * hard(z, rows)

    return gradient
