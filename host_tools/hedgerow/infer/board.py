"""Runs a batch on a board, emulated or the Unix port: hedge.infer as .mpy, the model in place."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hedgerow import paths
from hedgerow.emulate.board import Board, on_board_source
from hedgerow.emulate.targets import open_target
from hedgerow.errors import DeviceError, ModelError
from hedgerow.infer.model_file import ModelFile
from hedgerow.infer.outcome import Outcome
from hedgerow.toolchain.mpy import compile_mpy
from hedgerow.toolchain.natmod import native_module

_SECONDS_PER_INFERENCE = 60.0  # of real time; a large model in viper on the emulated Pico
_CLOCK_HZ = {"pico": 125_000_000}  # machine.freq() of the stock firmware
_NATIVE_NAME = "hedge_infer_native.mpy"
_REFUSAL = "ModelError: "  # how a board's traceback ends then


def run_on_board(model: ModelFile, inputs: np.ndarray, target: str, path: str | None) -> Outcome:
    """inputs: (n, elements) of the model's input type. path: native, viper, or None for the best.

    Raises ModelError if the board refuses the model (an arena that does not fit), DeviceError with
    what else it said, ToolchainError naming what is missing.
    """
    with open_target(target) as board:
        install(board, native=path != "viper")
        try:
            return _run(board, model, inputs, path)
        except DeviceError as error:
            *_, last = str(error).splitlines()
            if not last.startswith(_REFUSAL):
                raise
            raise ModelError(f"{target}: {last.removeprefix(_REFUSAL)}") from None


def install(board: Board, *, native: bool) -> None:
    """Put hedge.infer and what it needs on the board, compiled for it."""
    put_packages(board, ("core", "infer"))
    if native:
        board.put(_NATIVE_NAME, native_module(board.native_arch).read_bytes())


def put_packages(board: Board, packages: tuple[str, ...]) -> None:
    """Put packages of hedge, "core" and the like, on the board, compiled for it."""
    for name, data in _firmware(board.native_arch, packages):
        board.put(name, data)


def _firmware(arch: str, packages: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """(path on the board, .mpy) of each module."""
    root = paths.firmware_dir()
    sources = [root / "hedge" / "__init__.py"]
    for package in packages:
        sources += sorted((root / "hedge" / package).glob("*.py"))
    with tempfile.TemporaryDirectory() as folder:
        for source in sources:
            target = Path(folder, "module.mpy")
            compile_mpy(source, target, arch=arch)
            yield str(source.relative_to(root).with_suffix(".mpy")), target.read_bytes()


def _run(board: Board, model: ModelFile, inputs: np.ndarray, path: str | None) -> Outcome:
    model_at = board.blob(model.data)
    inputs_at = board.blob(np.ascontiguousarray(inputs).tobytes())
    board.exec(on_board_source("run_batch"))
    arguments = f"{model_at}, {len(model.data)}, {inputs_at}, {len(inputs)}, {path!r}"
    call = f"main({arguments}, lambda: {board.cycles_expr}, {board.cycles_wrap})\n"
    said = board.exec(call, timeout_s=_SECONDS_PER_INFERENCE * (len(inputs) + 3))
    *rows, last = said.strip().splitlines()
    outputs = np.frombuffer(bytes.fromhex("".join(rows)), dtype=model.output_dtype)
    figures = json.loads(last)
    us, cycles, unit = _time(board, figures["count"])
    return Outcome(
        outputs=outputs.reshape(len(inputs), -1),
        kernels=figures["kernels"],
        us_per_inference=us,
        cycles_per_inference=cycles,
        cycles_unit=unit,
        arena_bytes=figures["arena_bytes"],
        persistent_bytes=figures["persistent_bytes"],
        heap_bytes_per_invoke=figures["heap_bytes_per_invoke"],
    )


def _time(board: Board, count: int) -> tuple[float | None, int | None, str | None]:
    """(us, cycles, unit) of a count; an emulator of instructions knows no time."""
    if board.cycles_unit == "ns":
        return count / 1000, None, None
    clock_hz = _CLOCK_HZ.get(board.name)
    us = count / clock_hz * 1e6 if clock_hz else None
    return us, count, board.cycles_unit


def layer_counts(models: Sequence[ModelFile], target: str) -> tuple[list[list[int]], str]:
    """(for each model, steps of the board's counter for each record, native kernels; what the
    counter counts)."""
    with open_target(target) as board:
        install(board, native=True)
        for name in ("run_batch", "layer_counts"):
            board.exec(on_board_source(name))
        now = f"lambda: {board.cycles_expr}, {board.cycles_wrap}"
        counts = []
        for model in models:
            call = f"{board.blob(model.data)}, {len(model.data)}, 'native', {now}"
            said = board.exec(f"layer_counts({call})\n", timeout_s=_SECONDS_PER_INFERENCE)
            counts.append(json.loads(said))
        return counts, board.cycles_unit
