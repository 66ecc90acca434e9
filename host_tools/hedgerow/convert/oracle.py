"""The tflite-micro package as the oracle of the arithmetic: outputs, and every layer's tensors."""

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from hedgerow.convert import reference
from hedgerow.convert.graph import Graph, Op, Tensor, where
from hedgerow.convert.ops.quant import Values
from hedgerow.errors import ToolchainError, ToolError

_SPARE_BYTES = 1 << 18  # of TFLM's arena, beyond all tensors at once
_AT_ONCE = 1 << 19  # elements of the largest tensor: more runs at once leave the cache
_TRIAL = """import sys
from tflite_micro import runtime
runtime.Interpreter.from_file(sys.argv[1]).invoke()"""
_NUMPY_RUNS = 50  # of the written file where there is no Unix port


@dataclass(frozen=True)
class Verification:
    """differing_bytes: of all layers and outputs; first: the first layer that differs, or "".

    layers: how many were compared on the device's side; ran_on: what ran the written file;
    outputs: (n, m), TFLM's.
    """

    differing_bytes: int
    first: str
    layers: int = 0
    ran_on: str = ""
    outputs: np.ndarray | None = field(default=None, compare=False, repr=False)


def verify_layers(
    tflite_data: bytes, graph: Graph, device_graph: Graph, inputs: np.ndarray
) -> Verification:
    """Every layer of both graphs against TFLM on inputs (n, input), fresh state each time.

    A layer that lost channels is compared in those that stay; an op of the device graph whose
    output TFLM has not (a part of a layer) is covered by the layer it belongs to.
    Raises ToolError if the wheel is missing or refuses the model.
    """
    outputs = sorted({op.outputs[0] for op in graph.ops})
    layers = [(side, op) for side in (graph, device_graph) for op in side.ops]
    layers = [(side, op) for side, op in layers if op.outputs[0] in outputs]
    interpreter = _layered_interpreter(tflite_data, graph)
    counts, ends = np.zeros(len(layers), dtype=np.int64), []
    for part in _parts(graph, inputs):
        wanted = _run_layers(interpreter, graph, part, outputs)
        ends.append(wanted[graph.output])
        values = {id(side): reference.run_many(side, part) for side in (graph, device_graph)}
        for i, (side, op) in enumerate(layers):
            counts[i] += _differing(graph, op, values[id(side)], wanted)
    first = int(np.argmax(counts > 0))
    compared = sum(side is device_graph for side, _ in layers)
    total = int(counts.sum())
    name = where(*layers[first]) if total else ""
    return Verification(total, name, compared, outputs=np.concatenate(ends))


def _differing(graph: Graph, op: Op, values: Values, wanted: Values) -> int:
    index = op.outputs[0]
    expected, kept = wanted[index], op.options.get("kept")
    if kept is not None:
        channels = graph.tensors[index].shape[-1]
        expected = expected.reshape(len(expected), -1, channels)[..., kept]
    got = values[index].reshape(len(expected), -1)
    return int((got != expected.reshape(len(expected), -1)).sum())


def _parts(graph: Graph, inputs: np.ndarray) -> Iterable[np.ndarray]:
    """As many inputs at a time as keep the largest tensor of all runs in the cache."""
    largest = max(t.elements for t in graph.tensors)
    runs = max(1, _AT_ONCE // max(1, largest))
    return (inputs[at : at + runs] for at in range(0, len(inputs), runs))


def verify_file(hgm: bytes, inputs: np.ndarray, wanted: np.ndarray) -> Verification:
    """The written file under the board's own code on inputs (n, input): on the Unix port, else,
    for a few of them, in NumPy from the file alone."""
    outputs, ran_on = run_hgm(hgm, inputs)
    count = int((outputs != wanted[: len(outputs)]).sum())
    return Verification(count, "the written file's output" if count else "", 0, ran_on)


def run_hgm(hgm: bytes, inputs: np.ndarray) -> tuple[np.ndarray, str]:
    """(outputs of the file, where it ran): of all inputs on the Unix port, else of a few."""
    from hedgerow.infer.batch import run
    from hedgerow.infer.model_file import parse_model

    model = parse_model(hgm)
    try:
        return run(model, inputs, "unix").outputs, "the Unix port"
    except ToolchainError:
        few = inputs[:_NUMPY_RUNS]
        return run(model, few, "reference").outputs, f"NumPy, {len(few)} inputs"


def refuse_crash(path: Path) -> None:
    """Raises ToolError if tflite-micro crashes on the file: a process of its own tries first.

    Its 2026-10 build does, on a DEPTHWISE_CONV_2D whose bias is said to be absent (index -1).
    """
    done = subprocess.run(
        [sys.executable, "-c", _TRIAL, str(path)], capture_output=True, check=False
    )
    if done.returncode not in (0, 1):  # 1: a Python error, which the true run says better
        raise ToolError(
            f"{path}: tflite-micro crashes on this model (exit code {done.returncode}), so there "
            "is nothing to compare with; it may be sound: leave --verify out"
        )


def run_tflm(tflite_data: bytes, inputs: np.ndarray) -> np.ndarray:
    """(n, m) outputs of the tflite-micro wheel. Raises ToolError as verify_layers()."""
    interpreter = _interpreter(tflite_data)
    shape = tuple(interpreter.get_input_details(0)["shape"])
    outputs = []
    for x in inputs:
        interpreter.reset()
        _invoke(interpreter, x.reshape(shape))
        outputs.append(interpreter.get_output(0).reshape(-1).copy())
    return np.stack(outputs)


def _layered_interpreter(tflite_data: bytes, graph: Graph) -> Any:
    """An interpreter that keeps every tensor."""
    sizes = sum(t.bytes for t in graph.tensors if t.data is None)
    space = 10 * len(tflite_data) + 4 * sizes + _SPARE_BYTES
    config = _tflm().InterpreterConfig.kPreserveAllTensors
    return _interpreter(tflite_data, arena_size=space, intrepreter_config=config)


def _run_layers(interpreter: Any, graph: Graph, inputs: np.ndarray, wanted: list[int]) -> Values:
    """(runs, elements) of each wanted tensor."""
    given = graph.tensors[graph.input]
    found = {
        i: np.empty((len(inputs), graph.tensors[i].elements), graph.tensors[i].dtype)
        for i in wanted
    }
    for run, x in enumerate(inputs):
        interpreter.reset()
        _invoke(interpreter, x.reshape(given.shape), given)
        for i in wanted:
            found[i][run] = interpreter.GetTensor(i, 0)["tensor_data"].reshape(-1)
    return found


def _invoke(interpreter: Any, x: np.ndarray, given: Tensor | None = None) -> None:
    """given: the integer input; where the model's own is float, it gets what quantises to x."""
    if given and np.dtype(interpreter.get_input_details(0)["dtype"]) == np.float32:
        x = (x.astype(np.float32) - given.zero_point) * np.float32(given.scale)
    try:
        interpreter.set_input(x, 0)
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        raise ToolError(f"tflite-micro cannot run the model: {error}") from error


def _interpreter(tflite_data: bytes, **settings: Any) -> Any:
    try:
        return _tflm().Interpreter.from_bytes(bytes(tflite_data), **settings)
    except RuntimeError as error:
        raise ToolError(f"tflite-micro refuses the model: {error}") from error


def _tflm() -> ModuleType:
    try:
        from tflite_micro import runtime
    except ImportError:
        raise ToolError(
            "--verify needs the tflite-micro package: pip install tflite-micro"
        ) from None
    return runtime


def random_inputs(n: int, size: int, *, seed: int = 0, dtype: str = "int8") -> np.ndarray:
    """(n, size) of an integer type: uniform noise, with the extremes first."""
    rng, limits = np.random.default_rng(seed), np.iinfo(dtype)
    shape = (n, size)
    inputs = rng.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)
    for i, value in enumerate((limits.min, limits.max, 0)[:n]):
        inputs[i] = value
    return inputs
