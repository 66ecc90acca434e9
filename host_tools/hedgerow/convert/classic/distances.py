"""k nearest neighbours and Gaussian naive Bayes: DISTANCES of SPEC.md."""

import math
import struct

import numpy as np

from hedge.learn import layout as at
from hedgerow.convert.classic.container import Classic, write
from hedgerow.convert.classic.inputs import Int16Inputs
from hedgerow.convert.classic.labels import int_labels
from hedgerow.convert.classic.pipeline import Scaled
from hedgerow.errors import ModelError

HALF = at.CENTRE  # inputs use 15 bits, so that a difference squared stays below 2**30
_SUM_BITS = 57  # of the weights of a row: times a square of 30 bits below 2**88
_NAT_BITS = 16  # of a score: 2**-16 nats
_SHIFT = (30, 60)


def words(number: int) -> bytes:
    """A signed 90-bit constant: high, middle, low."""
    mask = (1 << 30) - 1
    return struct.pack("<iii", number >> 60, number >> 30 & mask, number & mask)


def shift_of(unit_bits: int, keep_bits: int = _NAT_BITS) -> int:
    """The shift of a distance in 2**-unit_bits that leaves 2**-keep_bits, as near as there is."""
    return min(max(unit_bits - keep_bits, _SHIFT[0]), _SHIFT[1])


def _weight_word(whole: int) -> int:
    """m * 2**(15 e) nearest to `whole`, as a word: m below 2**30, e the least possible."""
    place = 0 if whole < 1 << 30 else 1 if whole < (1 << 45) - (1 << 14) else 2
    return ((whole + (1 << (15 * place) >> 1)) >> (15 * place)) | place << 30


def _weight_words(weights: np.ndarray, bits: int) -> bytes:
    """(k, n) real, times 2**bits."""
    found = [_weight_word(round(float(value) * 2.0**bits)) for value in np.ravel(weights)]
    return np.array(found, dtype="<u4").tobytes()


def _bits(weights: np.ndarray, least: int) -> int:
    """How far weights, (k, n) real, are moved left: where rounding changes the worst one least.

    least: below this only if the sum of a row's weights leaves no other way.
    """
    most = float(weights.sum(axis=1).max())
    if not math.isfinite(most) or most <= 0:
        raise ModelError("a variance or a scale is not a finite positive number")
    limit = _SUM_BITS - math.ceil(math.log2(most))
    choices = range(max(limit - 45, min(least, limit)), limit + 1)
    return min(choices, key=lambda bits: (_rounding(weights, bits), -bits))


def _rounding(weights: np.ndarray, bits: int) -> float:
    """Largest relative change of a weight by its word."""
    worst = 0.0
    for value in np.unique(weights[weights > 0]):
        word = _weight_word(round(float(value) * 2.0**bits))
        stored = (word & 0x3FFFFFFF) * 2.0 ** (15 * (word >> 30) - bits)
        worst = max(worst, abs(stored / float(value) - 1))
    return worst


def neighbours(scaled: Scaled, inputs: Int16Inputs) -> bytes:
    """KNeighborsClassifier with uniform weights and the Euclidean metric."""
    estimator = scaled.estimator
    if estimator.weights != "uniform" or estimator.effective_metric_ not in ("euclidean",):
        raise ModelError("KNeighborsClassifier: weights='uniform' and the Euclidean metric only")
    if estimator.outputs_2d_:
        raise ModelError("KNeighborsClassifier: one output only, train one model for each")
    rows = inputs.quantised(scaled.raw(np.asarray(estimator._fit_X, dtype=np.float64)))
    labels = int_labels(estimator.classes_)
    weights = ((scaled.gain * inputs.scale) ** 2).reshape(1, -1)
    whole, bits = _whole_weights(weights)
    return write(
        Classic(
            kind=at.DISTANCES,
            features=rows.shape[1],
            scores=len(labels),
            rows=len(rows),
            decision=at.VOTE,
            score_scale=1.0 / estimator.n_neighbors,
            sections=(
                (rows + at.CENTRE).astype("<u2").tobytes(),
                _weight_words(whole, bits),
                b"",
                np.asarray(estimator._y, dtype="<u2").tobytes(),
            ),
            labels=labels,
            inputs=inputs,
            link=at.SHARE,
            neighbours=estimator.n_neighbors,
            extra=_SHIFT[0],
        )
    )


def _whole_weights(weights: np.ndarray) -> tuple[np.ndarray, int]:
    """(weights, bits): as ratios of ints where they are, so that equal distances stay equal."""
    ratios = weights / weights.min()
    whole = np.round(ratios)
    if whole.max() < 1 << 30 and np.all(np.abs(ratios - whole) < 1e-9 * whole):
        return whole, 0
    return weights, _bits(weights, least=0)


def naive_bayes(scaled: Scaled, inputs: Int16Inputs) -> bytes:
    """GaussianNB: half the squared standardised distance, and a constant per class, in nats."""
    estimator = scaled.estimator
    labels = int_labels(estimator.classes_)
    variance = np.asarray(estimator.var_, dtype=np.float64)
    centres = inputs.quantised(scaled.raw(np.asarray(estimator.theta_, dtype=np.float64)))
    weights = (scaled.gain * inputs.scale) ** 2 / (2 * variance)
    constant = 0.5 * np.log(2 * np.pi * variance).sum(axis=1)
    constant = constant - np.log(estimator.class_prior_)
    constant -= constant.min()  # what all classes share decides nothing
    bits = _bits(weights, least=_SHIFT[0] + _NAT_BITS)
    shift = shift_of(bits)
    return write(
        Classic(
            kind=at.DISTANCES,
            features=weights.shape[1],
            scores=len(labels),
            rows=len(labels),
            decision=at.NEAREST,
            score_scale=2.0 ** (shift - bits),
            sections=(
                (centres + at.CENTRE).astype("<u2").tobytes(),
                _weight_words(weights, bits),
                b"".join(words(round(value * 2.0**bits)) for value in constant),
                b"",
            ),
            labels=labels,
            inputs=inputs,
            link=at.EXP_NEGATIVE,
            extra=shift,
            step=weights.shape[1],
        )
    )
