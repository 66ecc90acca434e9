"""The tflite-micro package as the oracle of the arithmetic: outputs, and every layer's tensors."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from hedge.infer import Model
from hedgerow.convert import reference
from hedgerow.convert.graph import Graph, where
from hedgerow.errors import ToolError

_SPARE_BYTES = 1 << 18  # of TFLM's arena, beyond all tensors at once
_DEVICE_MACS = 4_000_000  # the device format runs in plain Python here: 2 to 10 M a second
_DEVICE_INPUTS = 100


@dataclass(frozen=True)
class Verification:
    """differing_bytes: of all layers and outputs; first: the first layer that differs, or ""."""

    differing_bytes: int
    first: str


def verify_layers(
    tflite_data: bytes, graph: Graph, device_graph: Graph, inputs: np.ndarray
) -> Verification:
    """Every layer of both graphs against TFLM on inputs (n, input), fresh state each time.

    Raises ToolError if the wheel is missing or refuses the model.
    """
    differing, first = 0, ""
    outputs = sorted({op.outputs[0] for op in graph.ops})
    for x, wanted in zip(inputs, run_layers(tflite_data, graph, inputs, outputs), strict=True):
        for side in (graph, device_graph):
            values = reference.run_all(side, x)
            for op in side.ops:
                index = op.outputs[0]
                count = int((values[index].reshape(-1) != wanted[index]).sum())
                differing += count
                if count and not first:
                    first = where(side, op)
    return Verification(differing, first)


def verify_device(hgm: bytes, inputs: np.ndarray, wanted: np.ndarray, macs: int) -> int:
    """Differing output bytes of the file under the board's own code, on some of the inputs."""
    count = min(len(inputs), _DEVICE_INPUTS, 1 + _DEVICE_MACS // max(1, macs))
    return int((run_hgm(hgm, inputs[:count]) != wanted[:count]).sum())


def run_hgm(hgm: bytes, inputs: np.ndarray) -> np.ndarray:
    """(n, m) int8 outputs of the board's own code (hedge.infer, plain Python path)."""
    model = Model(hgm)
    outputs = np.empty((len(inputs), len(model.output)), dtype=np.int8)
    for i, x in enumerate(inputs):
        model.input[:] = memoryview(x.tobytes()).cast("b")
        model.invoke()
        outputs[i] = model.output
    return outputs


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


def run_layers(
    tflite_data: bytes, graph: Graph, inputs: np.ndarray, wanted: Iterable[int]
) -> Iterator[dict[int, np.ndarray]]:
    """For each input the flat values of the `wanted` tensors, by index."""
    sizes = sum(t.elements for t in graph.tensors if t.data is None)
    config = _tflm().InterpreterConfig.kPreserveAllTensors
    space = 10 * len(tflite_data) + 4 * sizes + _SPARE_BYTES
    interpreter = _interpreter(tflite_data, arena_size=space, intrepreter_config=config)
    shape = graph.tensors[graph.input].shape
    for x in inputs:
        interpreter.reset()
        _invoke(interpreter, x.reshape(shape))
        yield {i: interpreter.GetTensor(i, 0)["tensor_data"].reshape(-1).copy() for i in wanted}


def _invoke(interpreter: Any, x: np.ndarray) -> None:
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


def random_inputs(n: int, size: int, *, seed: int = 0) -> np.ndarray:
    """(n, size) int8: uniform noise, with the extremes first."""
    rng = np.random.default_rng(seed)
    inputs = rng.integers(-128, 128, size=(n, size), dtype=np.int8)
    for i, value in enumerate((-128, 127, 0)[:n]):
        inputs[i] = value
    return inputs
