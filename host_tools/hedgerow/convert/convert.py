"""The public functions: convert a .tflite, and verify the result against the TFLM wheel.

result = convert(tflite_bytes)
result.hgm, result.report
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from hedge.core.errors import ModelError as DeviceModelError
from hedge.infer import Model
from hedgerow.convert import reference
from hedgerow.convert.emit import emit
from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.importer import read_tflite
from hedgerow.convert.passes import lower
from hedgerow.convert.plan import make_plan
from hedgerow.errors import ModelError, ToolError

_DEVICE_INPUTS = 100  # the device format runs in plain Python here: slow, so a part of --verify N


@dataclass(frozen=True)
class Layer:
    """One device op of the report; macs: multiply-adds; constant_bytes: before padding."""

    kind: str
    name: str
    output_bytes: int
    macs: int
    constant_bytes: int


@dataclass(frozen=True)
class Report:
    """What a person wants to know before flashing. Sizes in bytes."""

    layers: tuple[Layer, ...]
    macs: int
    flash_bytes: int
    constant_bytes: int
    arena_bytes: int
    input_bytes: int
    output_bytes: int

    def as_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Conversion:
    """graph: as imported; device_graph: after the passes; hgm: the file."""

    graph: Graph
    device_graph: Graph
    hgm: bytes
    report: Report


def convert(tflite_data: bytes) -> Conversion:
    """Convert an int8 .tflite. Raises ModelError: what is wrong, in which op, and the cure."""
    graph = read_tflite(tflite_data)
    device_graph = lower(graph)
    plan = make_plan(device_graph)
    hgm = emit(plan)
    try:
        Model(hgm)
    except DeviceModelError as error:
        raise ModelError(f"the written file is refused by its own reader: {error}") from error
    return Conversion(graph, device_graph, hgm, _report(device_graph, hgm, plan.arena_bytes))


def convert_file(source: Path, target: Path) -> Conversion:
    """convert() from file to file; raises ModelError naming the file."""
    try:
        result = convert(Path(source).read_bytes())
    except OSError as error:
        raise ModelError(f"{source}: {error.strerror}") from None
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from None
    Path(target).write_bytes(result.hgm)
    return result


def _report(graph: Graph, hgm: bytes, arena_bytes: int) -> Report:
    layers = tuple(_layer(graph, op) for op in graph.ops)
    return Report(
        layers=layers,
        macs=sum(layer.macs for layer in layers),
        flash_bytes=len(hgm),
        constant_bytes=sum(layer.constant_bytes for layer in layers),
        arena_bytes=arena_bytes,
        input_bytes=graph.tensors[graph.input].elements,
        output_bytes=graph.tensors[graph.output].elements,
    )


def _layer(graph: Graph, op: Op) -> Layer:
    out = graph.tensors[op.outputs[0]]
    if op.kind == "table":
        return Layer(op.kind, out.name, out.elements, 0, 256)
    weights = op.options["weights"]
    constant_bytes = weights.size + 4 * len(op.options["bias"]) + 8 * len(op.options["requant"])
    macs = graph.tensors[op.inputs[0]].elements * weights.shape[0]
    return Layer(op.kind, out.name, out.elements, macs, constant_bytes)


def verify_against_tflm(tflite_data: bytes, result: Conversion, inputs: np.ndarray) -> int:
    """Differing output bytes over all inputs, (n, input) int8: reference and device format
    against the tflite-micro wheel. The device format is run on the first 100 inputs.

    Raises ToolError if the wheel is missing or refuses the model.
    """
    wanted = run_tflm(tflite_data, inputs)
    got = np.stack([reference.run(result.device_graph, x) for x in inputs])
    differing = int((got != wanted).sum())
    device = run_hgm(result.hgm, inputs[:_DEVICE_INPUTS])
    return differing + int((device != wanted[:_DEVICE_INPUTS]).sum())


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
    """(n, m) int8 outputs of the tflite-micro wheel, the oracle of the arithmetic."""
    runtime = _tflm()
    try:
        interpreter = runtime.Interpreter.from_bytes(bytes(tflite_data))
    except RuntimeError as error:
        raise ToolError(f"tflite-micro refuses the model: {error}") from error
    shape = tuple(interpreter.get_input_details(0)["shape"])
    outputs = []
    for x in inputs:
        interpreter.set_input(x.reshape(shape), 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).reshape(-1).copy())
    return np.stack(outputs)


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
