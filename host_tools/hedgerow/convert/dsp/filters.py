"""From float filter coefficients (scipy.signal designs them) to the board's integers.

coefs = biquads(scipy.signal.butter(4, 100, fs=1000, output="sos"))  # hedge.dsp.iir.Biquads
taps, shift = fir(scipy.signal.firwin(31, 0.2))  # hedge.dsp.fir.Fir
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgerow.errors import ModelError

_Q28 = 1 << 28
_SECTION_SUM = 7.89  # hedge/dsp/iir.py refuses 7.9
_TAPS_SUM = 65000 - 4096  # hedge/dsp/fir.py refuses 65000; rounding adds up to half a unit a tap
_GRID = 4096  # points of the frequency axis where gains are compared


def biquads(sos: ArrayLike) -> list[int]:
    """(b0, b1, b2, -a1, -a2) of each section in q28.

    sos: (sections, 6) as scipy.signal's output="sos". Gain is spread so that no section's output
    exceeds its input in the steady state, as far as the whole gain allows. Raises ModelError if
    a section is not stable or its coefficients do not fit.
    """
    sections = np.atleast_2d(np.asarray(sos, dtype=np.float64))
    if sections.ndim != 2 or sections.shape[1] != 6 or not np.isfinite(sections).all():
        raise ModelError("biquads: needs (sections, 6) finite numbers, as scipy.signal's sos")
    for i, section in enumerate(sections):
        if not section[3] or np.abs(np.roots(section[3:])).max(initial=0.0) >= 1 - 2**-20:
            raise ModelError(f"biquads: section {i} is not stable, or nearly so")
    sections = _spread(sections / sections[:, 3:4])
    rows = np.concatenate([sections[:, :3], -sections[:, 4:]], axis=1)
    for i, total in enumerate(np.abs(rows).sum(axis=1)):
        if total > _SECTION_SUM:
            raise ModelError(
                f"biquads: section {i} sums to {total:.2f}, at most {_SECTION_SUM}: "
                "scale the filter's gain down"
            )
    return [int(value) for value in np.round(rows * _Q28).ravel()]


def _spread(sections: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numerators scaled so that the largest gain up to each section but the last is 1."""
    z = np.exp(-1j * np.pi * np.arange(_GRID + 1) / _GRID)
    powers = np.stack([np.ones_like(z), z, z * z])
    scaled, so_far, wanted = sections.copy(), np.ones_like(z), 1.0
    for i, section in enumerate(sections):
        so_far = so_far * (section[:3] @ powers) / (section[3:] @ powers)
        peak = float(np.abs(so_far).max())
        gain = wanted if i == len(sections) - 1 or peak == 0 else 1 / peak
        scaled[i, :3] *= gain
        so_far = so_far * gain
        wanted = wanted / gain
    return scaled


def fir(taps: ArrayLike) -> tuple[list[int], int]:
    """(integer taps, shift): taps * 2**shift, with the largest shift up to 23 that fits.

    Each tap is within one unit, and their sum within half a unit.

    Raises ModelError for no or too many taps, or a gain that leaves no room.
    """
    values = np.asarray(taps, dtype=np.float64).ravel()
    total = float(np.abs(values).sum())
    if not 1 <= values.size <= 4096 or not np.isfinite(total) or total == 0:
        raise ModelError(f"fir: {values.size} taps that sum to {total:g}: 1 to 4096, not all zero")
    shift = int(np.floor(np.log2(_TAPS_SUM / total)))
    if shift < 8:
        raise ModelError(f"fir: absolute values of the taps sum to {total:g}, at most 128")
    shift = min(shift, 23)
    return [int(value) for value in _rounded(values * (1 << shift))], shift


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded so that the sum is right as well, which is the gain at DC: largest remainders."""
    low = np.floor(values)
    up = np.argsort(low - values, kind="stable")[: round(float((values - low).sum()))]
    low[up] += 1
    return low
