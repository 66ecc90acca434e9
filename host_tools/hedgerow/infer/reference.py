"""Runs a .hgm in NumPy by the converter's definitions, in an arena laid out as the file says.

No kernel of a board takes part, and a plan that lets two tensors meet shows.
"""

import time

import numpy as np

from hedgerow.convert.ops import OPS
from hedgerow.infer.decode import decode
from hedgerow.infer.model_file import ModelFile
from hedgerow.infer.outcome import Outcome
from hedgerow.infer.records import Step, records

_STATEFUL = ("lstm", "svdf")  # their definitions leave the new state in `values`


def run_in_numpy(model: ModelFile, inputs: np.ndarray) -> Outcome:
    """inputs: (n, input_size). Fresh state each time."""
    resets, plan = ([decode(r) for r in part] for part in records(model.data))
    arena = np.zeros(model.arena_bytes, dtype=np.uint8)
    outputs = np.empty((len(inputs), model.output_size), dtype=model.output_dtype)
    start = time.perf_counter()
    for x, out in zip(inputs, outputs, strict=True):
        for step in resets:
            _execute(model, arena, step)
        _view(arena, model.input_offset, model.input_dtype, model.input_size)[:] = x
        for step in plan:
            _execute(model, arena, step)
        out[:] = _view(arena, model.output_offset, model.output_dtype, model.output_size)
    us = (time.perf_counter() - start) / len(inputs) * 1e6
    return Outcome(outputs, "numpy", us, None, None, model.arena_bytes, None, None)


def _view(memory: np.ndarray, at: int, dtype: np.dtype | str, count: int) -> np.ndarray:
    return np.frombuffer(memory, dtype, count, at)


def _execute(model: ModelFile, arena: np.ndarray, step: Step) -> None:
    op = step.graph.ops[0]
    values = {}
    for index, (where, at) in enumerate(step.places):
        t = step.graph.tensors[index]
        memory = np.frombuffer(model.data, np.uint8) if where == "file" else arena
        values[index] = _view(memory, at, t.dtype, t.elements).reshape(t.shape).copy()
    if op.kind == "copy":
        _copy(arena, step, values)
        return
    result = OPS[op.kind](step.graph, op, values)
    _view(arena, step.target, result.dtype, result.size)[:] = result.reshape(-1)
    for index, (_, at) in enumerate(step.places[1:], start=1):
        if op.kind in _STATEFUL:
            state = values[index]
            _view(arena, at, state.dtype, state.size)[:] = state.reshape(-1)


def _copy(arena: np.ndarray, step: Step, values: dict[int, np.ndarray]) -> None:
    """COPY and FILL leave what lies between: they write into the arena itself."""
    options = step.graph.ops[0].options
    for at, count, value in options["fills"]:
        arena[step.target + at : step.target + at + count] = value & 0xFF
    for place, first, counts, source, _, target in options["copies"]:
        k = np.indices(counts).reshape(len(counts), -1)
        taken = values[place].reshape(-1)[first + np.array(source) @ k]
        arena[step.target + np.array(target) @ k] = taken.view(np.uint8)
