"""What a node must compute from daily values, without any of the node's code: NumPy only.

    days = replay(plan, graph, days, values)
    days.x, days.ready, days.p

Tests hold the device's features, scores and decisions against this. Features follow the spec in
hedge/dsp/features.py, written anew here; the network is convert/reference.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hedgerow.convert import reference
from hedgerow.convert.graph import Graph

_STATS_OF_EQUAL_SAMPLES = (0, 1, 2, 4)  # MEAN MIN MAX LAST: equal if the day's samples are
_RANGE = 3
_YEAR_SIN, _YEAR_COS = 5, 6


@dataclass(frozen=True)
class Replay:
    """Row i is known when day i is complete. x: (n, features) int8; ready: (n,) bool, no required
    feature missing; scores: (n, outputs) int8; p: the same as probabilities.
    """

    x: np.ndarray
    ready: np.ndarray
    scores: np.ndarray
    p: np.ndarray


def replay(plan: Mapping[str, Any], graph: Graph, days: np.ndarray, values: np.ndarray) -> Replay:
    """Features and scores day by day.

    plan: of compile_features. graph: read_tflite() of the model. days: (n,) consecutive day
    numbers since 1970-01-01. values: (n, channels) float, the channel's integer for that day
    (constant over the day, as a recording of daily means is played back), NaN in a gap.
    """
    columns = [_feature(spec, days, values) for spec in plan["specs"]]
    x = np.stack([q for q, _ in columns], axis=1).astype(np.int8)
    missing = [
        absent & bool(spec[8]) for (_, absent), spec in zip(columns, plan["specs"], strict=True)
    ]
    scores = np.stack([reference.run(graph, row) for row in x])
    out = graph.tensors[graph.output]
    p = (scores.astype(float) - out.zero_point) * out.scale
    return Replay(x, ~np.any(missing, axis=0), scores, p)


def _feature(spec: Sequence[int], days: np.ndarray, values: np.ndarray) -> tuple:
    """(int8 values, missing) of one spec for all days."""
    channel, stat, lag, span, minus_lag, offset, mult_q16, zero_point, _ = spec
    if stat in (_YEAR_SIN, _YEAR_COS):
        real = _year(days - lag, cosine=stat == _YEAR_COS)
    else:
        daily = values[:, channel] if stat in _STATS_OF_EQUAL_SAMPLES else 0 * values[:, channel]
        real = _average(daily, lag, span)
        if minus_lag >= 0:
            real = real - _average(daily, minus_lag, span)
    missing = np.isnan(real)
    steps = np.where(missing, offset, real).astype(np.int64) - offset
    q = zero_point + ((steps * mult_q16 + 32768) >> 16)
    return np.clip(np.where(missing, zero_point, q), -128, 127), missing


def _average(daily: np.ndarray, lag: int, span: int) -> np.ndarray:
    """Mean over the days that have a value, rounded half up; NaN if none has."""
    past = np.full((span, len(daily)), np.nan)
    for k in range(span):
        back = lag + k
        past[k, back:] = daily[: len(daily) - back] if back else daily
    known = ~np.isnan(past)
    count = known.sum(axis=0)
    total = np.where(known, past, 0.0).sum(axis=0)
    mean = np.floor((2 * total + count) / np.maximum(2 * count, 1))
    return np.where(count > 0, mean, np.nan)


def _year(days: np.ndarray, *, cosine: bool) -> np.ndarray:
    """Bhaskara I's sine of the season in 1/10000, as the specification of the features says."""
    turn = (4 * days + 365 * cosine) % 1461
    second_half = 2 * turn >= 1461
    angle = np.where(second_half, 2 * turn - 1461, 2 * turn)
    product = angle * (1461 - angle)
    value = 160000 * product // (5 * 1461 * 1461 - 4 * product)
    return np.where(second_half, -value, value).astype(float)
