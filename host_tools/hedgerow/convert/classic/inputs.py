"""The int16 inputs of a model: real = q * scale + offset, one pair per feature."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hedgerow.errors import ModelError

_DECIMALS = 7  # steps 1, 0.1, ... 1e-7 are tried before a step that only fits the range
_OFF_GRID = 1e-6  # of a step: further away is not on the grid


@dataclass(frozen=True)
class Int16Inputs:
    """scale, offset: (n,) float64; half: q is used in -half .. half - 1."""

    scale: np.ndarray
    offset: np.ndarray
    half: int

    def packed(self) -> bytes:
        """(scale, offset) pairs, float32."""
        return np.stack([self.scale, self.offset], axis=1).astype("<f4").tobytes()

    def quantised(self, values: np.ndarray) -> np.ndarray:
        """(m, n) real -> int64, rounded, saturated."""
        q = np.round((values - self.offset) / self.scale)
        return np.clip(q, -self.half, self.half - 1).astype(np.int64)


def from_steps(steps: Sequence[float], features: int, half: int) -> Int16Inputs:
    """Inputs that the board already has as integers: real = q * step. Raises ModelError."""
    scale = np.asarray(steps, dtype=np.float64)
    if scale.shape != (features,) or not np.all(np.isfinite(scale)) or np.any(scale <= 0):
        raise ModelError(f"steps: {features} positive numbers are needed, one per feature")
    return Int16Inputs(scale, np.zeros(features), half)


def from_data(values: np.ndarray, half: int) -> Int16Inputs:
    """Scales and offsets that hold these rows: exact decimal steps where the data has them.

    values: (m, n) float. The range is that of the rows and a quarter of it on either side, so far
    as the steps allow; further out an input saturates.
    """
    columns = [_column(column, half) for column in np.asarray(values, dtype=np.float64).T]
    return Int16Inputs(np.array([c[0] for c in columns]), np.array([c[1] for c in columns]), half)


def _column(column: np.ndarray, half: int) -> tuple[float, float]:
    """(scale, offset) of one feature."""
    low, high = float(column.min()), float(column.max())
    span = high - low
    wanted = (1.5 * span if span else max(abs(high), 1.0)) / (2 * half - 2)
    for decimals in range(_DECIMALS + 1):
        step = 10.0**-decimals
        if span / step > 2 * half - 2:
            break
        if np.all(np.abs(column / step - np.round(column / step)) < _OFF_GRID):
            finer = max(1, 2 ** int(np.log2(step / wanted))) if wanted < step else 1
            return step / finer, step * round((low + high) / 2 / step)
    return wanted, (low + high) / 2
