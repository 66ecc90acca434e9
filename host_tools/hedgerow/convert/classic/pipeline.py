"""A scikit-learn Pipeline of scalers and an estimator, and the rows its features may take."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hedgerow.errors import ModelError

_SIGMAS = 8.0  # of a training set that is only known by mean and deviation


@dataclass(frozen=True)
class Scaled:
    """An estimator behind scalers: it sees x * gain + shift, both (n,) float64.

    rows: (m, n) representative rows of x, None if none were given; known: two rows, the range
    that a scaler remembers, or None.
    """

    estimator: Any
    gain: np.ndarray
    shift: np.ndarray
    rows: np.ndarray | None
    known: np.ndarray | None

    def raw(self, values: np.ndarray) -> np.ndarray:
        """Points as the estimator sees them, in the units of x."""
        return (values - self.shift) / self.gain


def unwrap(estimator: Any, rows: np.ndarray | None) -> Scaled:
    """Take scalers apart. Raises ModelError naming a step that is none."""
    final = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    features = _features(estimator)
    gain, shift, known = np.ones(features), np.zeros(features), None
    steps = estimator.steps[:-1] if hasattr(estimator, "steps") else []
    for index, (name, step) in enumerate(steps):
        kind = type(step).__name__
        if step is None or step == "passthrough":
            continue
        if kind not in _SCALERS:
            raise ModelError(
                f"step {name!r} is a {kind}: one of {', '.join(_SCALERS)} is possible"
            )
        by, add = _SCALERS[kind](step, features)
        gain, shift = gain * by, shift * by + add
        if index == 0:
            known = _known_rows(step)
    return Scaled(final, gain, shift, None if rows is None else _checked(rows, features), known)


def _features(estimator: Any) -> int:
    try:
        return int(estimator.n_features_in_)
    except AttributeError:
        name = type(estimator).__name__
        raise ModelError(f"{name} is not fitted: call fit() before converting") from None


def _checked(rows: np.ndarray, features: int) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != features or not len(rows):
        raise ModelError(f"representative rows: shape {rows.shape}, wanted (rows, {features})")
    if not np.all(np.isfinite(rows)):
        raise ModelError("representative rows: not all of them are finite numbers")
    return rows


def around(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Two rows that span 8 deviations on either side."""
    return np.stack([mean - _SIGMAS * deviation, mean + _SIGMAS * deviation])


def _known_rows(step: Any) -> np.ndarray | None:
    """What a fitted scaler remembers of its data."""
    if getattr(step, "data_min_", None) is not None:
        return np.stack([step.data_min_, step.data_max_])
    if getattr(step, "mean_", None) is not None and getattr(step, "var_", None) is not None:
        return around(step.mean_, np.sqrt(step.var_))
    return None


def _centred(centre: Any, scale: Any, features: int) -> tuple[np.ndarray, np.ndarray]:
    gain = 1.0 / (np.ones(features) if scale is None else np.asarray(scale, dtype=np.float64))
    middle = np.zeros(features) if centre is None else np.asarray(centre, dtype=np.float64)
    return gain, -middle * gain


def _standard(step: Any, features: int) -> tuple[np.ndarray, np.ndarray]:
    centre = step.mean_ if step.with_mean else None
    return _centred(centre, step.scale_, features)


def _robust(step: Any, features: int) -> tuple[np.ndarray, np.ndarray]:
    return _centred(step.center_, step.scale_, features)


def _max_abs(step: Any, features: int) -> tuple[np.ndarray, np.ndarray]:
    return _centred(None, step.scale_, features)


def _min_max(step: Any, features: int) -> tuple[np.ndarray, np.ndarray]:
    if step.clip:
        raise ModelError("MinMaxScaler(clip=True): inputs saturate by themselves, use clip=False")
    return step.scale_, step.min_


_SCALERS = {
    "StandardScaler": _standard,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "RobustScaler": _robust,
}
