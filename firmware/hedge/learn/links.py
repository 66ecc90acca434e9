"""Scores to probabilities: what scikit-learn's predict_proba does, in the board's floats."""

import math

from ..core.errors import ModelError
from . import layout as at


def _share(values):
    total = sum(values)
    return [value / total for value in values]


def _logistic(value):
    """1 / (1 + exp(-value)), without overflow on either side."""
    small = math.exp(-abs(value))
    return (1 if value >= 0 else small) / (1 + small)


def _softmax(values):
    most = max(values)
    return _share([math.exp(value - most) for value in values])


def _two(value):
    p = _logistic(value)
    return [1 - p, p]


def probabilities(link, scores, scale):
    """List of floats, one per label. Raises ModelError if the model has no probabilities."""
    if link == at.NO_LINK:
        raise ModelError("this model gives no probabilities")
    if link == at.SHARE:
        return _share(scores)
    values = [score * scale for score in scores]
    if link == at.LOGISTIC:
        return _two(values[0])
    if link == at.LOGISTIC_SHARE:
        return _share([_logistic(value) for value in values])
    if link == at.EXP_NEGATIVE:
        return _softmax([-value for value in values])
    return _softmax(values)
