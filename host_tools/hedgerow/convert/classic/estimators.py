"""One estimator to one .hgl file: which exporter takes which class."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hedgerow.convert.classic import distances, ensemble, gaussians, linear
from hedgerow.convert.classic.inputs import Int16Inputs, from_data, from_steps
from hedgerow.convert.classic.pipeline import Scaled, around, unwrap
from hedgerow.convert.classic.sk_trees import TREES
from hedgerow.errors import ModelError


def convert_estimator(
    estimator: Any,
    rows: np.ndarray | None = None,
    *,
    steps: Sequence[float] | None = None,
    min_log_density: float | None = None,
) -> bytes:
    """The .hgl file of a fitted scikit-learn, XGBoost or LightGBM estimator, or a Pipeline.

    rows: (m, n) representative inputs, from which int16 scales are chosen; not used by trees, and
    not needed where the model or its StandardScaler or MinMaxScaler knows its range.
    steps: (n,) the board has the features as int16 q, real = q * step (0.01 for centi-degrees);
    trees then compare ints. min_log_density: makes a GaussianMixture an outlier detector.
    Raises ModelError: what is not supported, and the cure.
    """
    boosted = _boosted(estimator)
    if boosted is not None:
        return ensemble.pack(boosted, given_inputs(steps, boosted.features, linear.HALF))
    scaled = unwrap(estimator, rows)
    name = _known(scaled.estimator)
    if name in TREES:
        return _trees(name, scaled, steps)
    half = distances.HALF if name in _BAYES_AND_NEIGHBOURS else linear.HALF
    inputs = given_inputs(steps, len(scaled.gain), half) or from_data(_rows(scaled), half)
    if name in linear.LINEAR:
        return linear.pack(linear.LINEAR[name](scaled.estimator), scaled, inputs)
    if name in _BAYES_AND_NEIGHBOURS:
        return _BAYES_AND_NEIGHBOURS[name](scaled, inputs)
    if name == "EllipticEnvelope":
        return gaussians.elliptic_envelope(scaled, inputs)
    return gaussians.mixture(scaled, inputs, min_log_density)


_BAYES_AND_NEIGHBOURS: dict[str, Callable[[Scaled, Int16Inputs], bytes]] = {
    "GaussianNB": distances.naive_bayes,
    "KNeighborsClassifier": distances.neighbours,
}
SUPPORTED = (
    *TREES,
    *linear.LINEAR,
    *_BAYES_AND_NEIGHBOURS,
    "EllipticEnvelope",
    "GaussianMixture",
)


def _known(estimator: Any) -> str:
    """The supported class that this is, or is derived from."""
    for kind in type(estimator).__mro__:
        if kind.__name__ in SUPPORTED and kind.__module__.startswith("sklearn."):
            return kind.__name__
    name = type(estimator).__name__
    raise ModelError(f"{name} is not supported; possible are {', '.join(SUPPORTED)}")


def _boosted(estimator: Any) -> ensemble.Ensemble | None:
    """Of XGBoost or LightGBM, else None."""
    library = type(estimator).__module__.partition(".")[0]
    if library not in ("xgboost", "lightgbm"):
        return None
    from sklearn.exceptions import NotFittedError

    from hedgerow.convert.classic import lightgbm_text, xgboost_model

    read = {"xgboost": xgboost_model.from_live, "lightgbm": lightgbm_text.from_live}[library]
    try:
        return read(estimator)
    except NotFittedError:
        name = type(estimator).__name__
        raise ModelError(f"{name} is not fitted: call fit() before converting") from None


def given_inputs(steps: Sequence[float] | None, features: int, half: int) -> Int16Inputs | None:
    """The int16 inputs of these steps; None if there are none."""
    return None if steps is None else from_steps(steps, features, half)


def _trees(name: str, scaled: Scaled, steps: Sequence[float] | None) -> bytes:
    if np.any(scaled.gain != 1) or np.any(scaled.shift != 0):
        raise ModelError(f"{name} behind a scaler: trees need none, train without it")
    built = TREES[name](scaled.estimator)
    return ensemble.pack(built, given_inputs(steps, built.features, linear.HALF))


def _rows(scaled: Scaled) -> np.ndarray:
    """Representative rows: given, kept by the estimator, or the range a part of it remembers."""
    estimator = scaled.estimator
    if scaled.rows is not None:
        return scaled.rows
    if hasattr(estimator, "_fit_X"):
        return scaled.raw(np.asarray(estimator._fit_X, dtype=np.float64))
    if scaled.known is not None:
        return scaled.known
    if hasattr(estimator, "theta_"):
        pairs = zip(estimator.theta_, estimator.var_, strict=True)
        return scaled.raw(np.concatenate([around(mean, np.sqrt(var)) for mean, var in pairs]))
    if hasattr(estimator, "location_"):
        return scaled.raw(around(estimator.location_, np.sqrt(np.diag(estimator.covariance_))))
    raise ModelError(
        f"{type(estimator).__name__} does not know the range of its features: give representative "
        "rows, or steps, or put it behind a StandardScaler in a Pipeline"
    )
