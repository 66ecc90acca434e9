"""The public functions: convert a .tflite, and verify the result against the TFLM wheel.

result = convert(tflite_bytes)
result.hgm, result.report
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hedge.core.errors import ModelError as DeviceModelError
from hedge.infer import Model
from hedge.infer import plan as device_plan
from hedgerow.convert import reference
from hedgerow.convert.emit import emit
from hedgerow.convert.emit.layout import VERSION
from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.importer import read_tflite
from hedgerow.convert.oracle import (
    Verification,
    random_inputs,
    run_hgm,
    run_tflm,
    verify_device,
    verify_layers,
)
from hedgerow.convert.passes import lower
from hedgerow.convert.plan import make_plan
from hedgerow.errors import ModelError

__all__ = [
    "convert",
    "convert_file",
    "random_inputs",
    "run_hgm",
    "run_tflm",
    "verify_against_tflm",
]


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
    _check_by_reader(hgm)
    return Conversion(graph, device_graph, hgm, _report(device_graph, hgm, plan.arena_bytes))


def _check_by_reader(hgm: bytes) -> None:
    if device_plan.VERSION != VERSION:  # a board that reads the format before this one
        return
    try:
        Model(hgm)
    except DeviceModelError as error:
        raise ModelError(f"the written file is refused by its own reader: {error}") from error


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
    return Layer(op.kind, out.name, out.elements, _macs(graph, op), _constant_bytes(op))


def _macs(graph: Graph, op: Op) -> int:
    """Multiply-adds with a weight; padding counts."""
    if "weights" not in op.options:
        return 0
    weights = op.options["weights"]
    outputs = graph.tensors[op.outputs[0]].elements
    return outputs * (weights.shape[0] if op.kind == "depthwise" else weights.shape[1])


def _constant_bytes(op: Op) -> int:
    o = op.options
    if op.kind == "table":
        return 256
    tables = sum(4 * 256 for name in ("table", "table_a", "table_b") if name in o)
    if "weights" not in o:
        return tables
    return o["weights"].size + 4 * len(o["bias"]) + 8 * len(o["requant"])


def verify_against_tflm(
    tflite_data: bytes, result: Conversion, inputs: np.ndarray
) -> Verification:
    """Every layer, as imported and as lowered, and the written file against the tflite-micro
    wheel on inputs (n, input) int8. The file runs in plain Python, so on some inputs only.

    Raises ToolError if the wheel is missing or refuses the model.
    """
    layers = verify_layers(tflite_data, result.graph, result.device_graph, inputs)
    wanted = np.stack([reference.run(result.graph, x) for x in inputs])
    if layers.differing_bytes:
        return layers
    count = verify_device(result.hgm, inputs, wanted, result.report.macs)
    return Verification(count, "the written file's output" if count else "")
