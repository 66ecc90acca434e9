"""The labels that a board returns: ints."""

import numpy as np

_LIMIT = 1 << 29


def int_labels(classes: np.ndarray) -> tuple[int, ...]:
    """The classes where they are ints a board can hold, else their positions 0, 1, ..."""
    classes = np.asarray(classes)
    whole = classes.dtype.kind in "iub" or (
        classes.dtype.kind == "f" and bool(np.all(classes == np.floor(classes)))
    )
    if whole and all(abs(int(value)) < _LIMIT for value in classes):
        return tuple(int(value) for value in classes)
    return tuple(range(len(classes)))
