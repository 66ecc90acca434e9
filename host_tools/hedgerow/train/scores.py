"""Scores of a probability forecast, with their uncertainty by block bootstrap over weeks.

    score(y, p, weeks)["brier"]  # [value, low, high]

Rows of one week share weather and soil memory, so whole weeks are drawn, not rows; all sensors
of a week go together. Intervals are 95 %, percentile, from 1000 draws, seeded.
"""

import numpy as np

DRAWS = 1000
DECISION = 0.5  # a forecast at or above counts as "dry"


def precision_recall_f1(y: np.ndarray, p: np.ndarray) -> tuple[float, float, float]:
    """Of decisions p >= 0.5; NaN where there is nothing to divide by."""
    positive = p >= DECISION
    hits = float((positive & y).sum())
    precision = hits / positive.sum() if positive.any() else float("nan")
    recall = hits / y.sum() if y.any() else float("nan")
    f1 = 2 * hits / (positive.sum() + y.sum()) if positive.any() or y.any() else float("nan")
    return precision, recall, f1


def brier(y: np.ndarray, p: np.ndarray) -> float:
    """Mean squared error of the probability; 0 is perfect."""
    return float(np.mean((p - y) ** 2))


def _all(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.array([*precision_recall_f1(y, p), brier(y, p)])


def week_draws(weeks: np.ndarray, *, seed: int = 0) -> list[np.ndarray]:
    """DRAWS row-index arrays, each of as many weeks as there are, drawn with replacement."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(weeks == week) for week in np.unique(weeks)]
    return [
        np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])
        for _ in range(DRAWS)
    ]


def score(y: np.ndarray, p: np.ndarray, weeks: np.ndarray) -> dict[str, list[float | None]]:
    """precision, recall, f1, brier, each [value, low, high]; None where undefined."""
    draws = np.array([_all(y[rows], p[rows]) for rows in week_draws(weeks)])
    value = _all(y, p)
    names = ("precision", "recall", "f1", "brier")
    return {name: _interval(value[i], draws[:, i]) for i, name in enumerate(names)}


def brier_difference(
    y: np.ndarray, p: np.ndarray, other: np.ndarray, weeks: np.ndarray
) -> list[float | None]:
    """Brier of p minus Brier of other, [value, low, high]: below 0, p is better."""
    draws = [brier(y[r], p[r]) - brier(y[r], other[r]) for r in week_draws(weeks)]
    return _interval(brier(y, p) - brier(y, other), np.array(draws))


def _interval(value: float, draws: np.ndarray) -> list[float | None]:
    good = draws[~np.isnan(draws)]
    low, high = np.percentile(good, [2.5, 97.5]) if len(good) else (np.nan, np.nan)
    return [None if np.isnan(v) else round(float(v), 4) for v in (value, low, high)]
