"""Saved models to .hgl: only formats that cannot run code when they are read (a pickle can)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hedgerow.convert.classic import lightgbm_text, linear, xgboost_model
from hedgerow.convert.classic.ensemble import Ensemble, pack
from hedgerow.convert.classic.estimators import convert_estimator, given_inputs
from hedgerow.errors import ModelError, ToolError

SUFFIXES = (".json", ".ubj", ".txt", ".skops")


def is_classic(path: Path) -> bool:
    """True if convert_classic_file() is the function for this file, by its name."""
    return Path(path).suffix.lower() in SUFFIXES


def convert_classic_file(
    path: Path,
    rows: np.ndarray | None = None,
    *,
    steps: Sequence[float] | None = None,
) -> bytes:
    """The .hgl file of XGBoost's .json or .ubj, LightGBM's .txt or a scikit-learn .skops file.

    rows, steps: as of convert_estimator(). Raises ModelError naming the file and the cure.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        if path.suffix.lower() == ".skops":
            return convert_estimator(_load_skops(path), rows, steps=steps)
        trees = _parse(path, data)
        return pack(trees, given_inputs(steps, trees.features, linear.HALF))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def _parse(path: Path, data: bytes) -> Ensemble:
    suffix = path.suffix.lower()
    if suffix in (".json", ".ubj"):
        return xgboost_model.parse(data)
    if suffix == ".txt":
        return lightgbm_text.parse(data.decode(errors="replace"))
    hint = " (a pickle runs code: save with skops, or call convert_estimator() in Python)"
    raise ModelError(f"suffix is none of {', '.join(SUFFIXES)}{hint}")


def _load_skops(path: Path) -> Any:
    """The estimator in a skops file, of types that skops trusts only: not of scikit-learn's trees,
    whose C code believes the sizes that a file states."""
    try:
        from skops import io
    except ImportError:
        raise ToolError(
            "reading .skops files needs the package skops: pip install skops"
        ) from None
    try:
        unknown = io.get_untrusted_types(file=path)
        if unknown:
            raise ModelError(
                f"types that skops does not trust: {', '.join(sorted(unknown))}; in Python, "
                "convert_estimator() takes the estimator itself"
            )
        return io.load(path)
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a damaged zip or schema makes it raise
        raise ModelError(f"not a skops file: {type(error).__name__} {error}") from None
