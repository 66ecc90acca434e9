"""Mahalanobis distance and Gaussian mixtures: GAUSSIANS of SPEC.md."""

import math
from typing import Any

import numpy as np

from hedge.learn import layout as at
from hedgerow.convert.classic.container import Classic, write
from hedgerow.convert.classic.distances import shift_of, words
from hedgerow.convert.classic.inputs import Int16Inputs
from hedgerow.convert.classic.linear import fixed_rows
from hedgerow.convert.classic.pipeline import Scaled
from hedgerow.errors import ModelError

_NAT_BITS = 16
_RANGE_BITS = 17  # of the limit of an envelope: scores end at 2**12 times the limit


def softplus_table() -> bytes:
    """log(1 + exp(-i / 32)) in 2**-16 nats."""
    steps = np.arange(at.SOFTPLUS_ENTRIES) / 32.0
    return np.round(np.log1p(np.exp(-steps)) * 65536).astype("<i4").tobytes()


def _components(
    means: np.ndarray, factors: np.ndarray, scaled: Scaled, inputs: Int16Inputs
) -> tuple[bytes, bytes, int]:
    """(triangles, biases, bits): y * 2**bits = sum of floor(w * q / 2**15) + bias.

    means: (g, n); factors: (g, n, n) upper triangular, y = (x - mean) @ factor.
    """
    gain = scaled.gain * inputs.scale
    weights = np.swapaxes(factors * gain[None, :, None], 1, 2)  # row k: what y[k] takes of q
    middle = scaled.gain * inputs.offset + scaled.shift
    bias = np.einsum("gi,gik->gk", middle - means, factors)
    count, n = means.shape
    whole, whole_bias, unit = fixed_rows(weights.reshape(-1, n), bias.ravel())
    rows, columns = np.tril_indices(n)
    triangles = whole.reshape(count, n, n)[:, rows, columns]
    return (
        triangles.astype("<i4").tobytes(),
        whole_bias.astype("<i4").tobytes(),
        int(math.log2(unit)),
    )


def _upper_factor(precision: np.ndarray) -> np.ndarray:
    """U, upper triangular, with U @ U.T = precision."""
    try:
        lower = np.linalg.cholesky(precision[::-1, ::-1])
    except np.linalg.LinAlgError:
        raise ModelError("the covariance is singular: drop features that follow others") from None
    return lower[::-1, ::-1]


def _write(
    model: tuple[bytes, bytes, int],
    scaled: Scaled,
    inputs: Int16Inputs,
    constants: np.ndarray,
    unit_bits: int,
    keep_bits: int = _NAT_BITS,
    **rest: Any,
) -> bytes:
    """constants: (g,); distances are in 2**-unit_bits, scores in 2**-keep_bits."""
    triangles, biases, _ = model
    shift = shift_of(unit_bits, keep_bits)
    table = softplus_table() if rest["decision"] == at.DENSITY else b""
    packed = b"".join(words(round(float(value) * 2.0**unit_bits)) for value in constants)
    return write(
        Classic(
            kind=at.GAUSSIANS,
            features=len(scaled.gain),
            rows=len(constants),
            score_scale=2.0 ** (shift - unit_bits),
            sections=(triangles, biases, packed, table),
            inputs=inputs,
            extra=shift,
            **rest,
        )
    )


def elliptic_envelope(scaled: Scaled, inputs: Int16Inputs) -> bytes:
    """EllipticEnvelope: 1 inside, -1 outside; score: squared distance less the limit."""
    estimator = scaled.estimator
    factor = _upper_factor(np.asarray(estimator.precision_, dtype=np.float64))
    model = _components(estimator.location_[None, :], factor[None], scaled, inputs)
    limit = np.array([float(estimator.offset_)])
    bits = 2 * model[2] + 15
    keep = _RANGE_BITS - math.ceil(math.log2(-estimator.offset_))
    rest = {"scores": 1, "decision": at.OUTSIDE, "labels": (1, -1)}
    return _write(model, scaled, inputs, limit, bits, keep, **rest)


def _factors(estimator: Any) -> np.ndarray:
    """(g, n, n) of any covariance_type."""
    found = np.asarray(estimator.precisions_cholesky_, dtype=np.float64)
    count, n = estimator.means_.shape
    if estimator.covariance_type == "tied":
        return np.repeat(found[None], count, axis=0)
    if estimator.covariance_type == "diag":
        return np.stack([np.diag(row) for row in found])
    if estimator.covariance_type == "spherical":
        return np.stack([np.eye(n) * value for value in found])
    return found


def mixture(scaled: Scaled, inputs: Int16Inputs, min_log_density: float | None) -> bytes:
    """GaussianMixture: the component, or with min_log_density 1 (likely) and -1 (an outlier).

    min_log_density: of score_samples(), in nats of the estimator's own x.
    """
    estimator = scaled.estimator
    factors = _factors(estimator)
    model = _components(estimator.means_, factors, scaled, inputs)
    n = factors.shape[1]
    logs = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    constants = 0.5 * n * math.log(2 * math.pi) - logs - np.log(estimator.weights_)
    bits = 2 * model[2] + 16
    count = len(constants)
    if min_log_density is None:
        rest = {"scores": count, "decision": at.NEAREST, "link": at.EXP_NEGATIVE}
        return _write(model, scaled, inputs, constants, bits, labels=tuple(range(count)), **rest)
    if bits - shift_of(bits) != _NAT_BITS:
        raise ModelError(
            "the mixture's covariance is too near singular: drop features, or reg_covar"
        )
    threshold = round(-min_log_density * 65536)
    rest = {"scores": count + 1, "decision": at.DENSITY, "threshold": threshold}
    return _write(model, scaled, inputs, constants, bits, labels=(1, -1), **rest)
