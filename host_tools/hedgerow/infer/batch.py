"""Runs a batch of raw inputs through a .hgm file on a target's own runtime.

    outcome = run(parse_model(hgm), inputs, "pico")

A row of TARGETS for each: adding one is a row and, for a new kind, a file.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hedgerow.errors import UsageError
from hedgerow.infer.model_file import ModelFile
from hedgerow.infer.outcome import Outcome

PATHS = ("native", "viper")


def _reference(model: ModelFile, inputs: np.ndarray, _target: str, path: str | None) -> Outcome:
    from hedgerow.infer.reference import run_in_numpy

    if path:
        raise UsageError("--path is of boards: the reference has one path, NumPy")
    return run_in_numpy(model, inputs)


def _board(model: ModelFile, inputs: np.ndarray, target: str, path: str | None) -> Outcome:
    from hedgerow.infer.board import run_on_board

    return run_on_board(model, inputs, target, path)


TARGETS: Mapping[str, Callable[[ModelFile, np.ndarray, str, str | None], Outcome]] = {
    "unix": _board,
    "pico": _board,
    "qemu-m3": _board,
    "qemu-m4": _board,
    "qemu-m7": _board,
    "qemu-rv32": _board,
    "reference": _reference,
}


def run(model: ModelFile, inputs: np.ndarray, target: str, path: str | None = None) -> Outcome:
    """inputs: (n, input_size). path: "native", "viper", None: the best that the target has.

    Each inference starts with fresh state. Raises UsageError for an unknown target or path,
    DeviceError, ToolchainError as the target does.
    """
    if target not in TARGETS:
        raise UsageError(f"no target {target!r}: there are {', '.join(TARGETS)}")
    return TARGETS[target](model, inputs, target, path)
