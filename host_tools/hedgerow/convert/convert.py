"""The public functions: convert a .tflite, and verify the result against the TFLM wheel.

result = convert(tflite_bytes)
result.hgm, result.report
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hedge.core.errors import ModelError as DeviceModelError
from hedge.infer import plan as device_plan
from hedgerow.convert.border import cut_float_border
from hedgerow.convert.emit import emit
from hedgerow.convert.graph import Graph
from hedgerow.convert.importer import read_tflite
from hedgerow.convert.oracle import (
    Verification,
    random_inputs,
    refuse_crash,
    run_tflm,
    verify_file,
    verify_layers,
)
from hedgerow.convert.passes import lower
from hedgerow.convert.plan import Plan, make_plan
from hedgerow.convert.report import Report, make_report
from hedgerow.convert.shapes import drop_shapes
from hedgerow.errors import ModelError
from hedgerow.files import refuse_to_overwrite, write_whole

__all__ = [
    "convert",
    "convert_file",
    "random_inputs",
    "random_inputs_for",
    "refuse_crash",
    "run_tflm",
    "verify_against_tflm",
]


@dataclass(frozen=True)
class Conversion:
    """graph: as imported, less float ends and what computes shapes; plan: of the device graph."""

    graph: Graph
    plan: Plan
    hgm: bytes
    report: Report

    @property
    def device_graph(self) -> Graph:
        return self.plan.graph


def convert(tflite_data: bytes) -> Conversion:
    """Convert an int8 .tflite. Raises ModelError: what is wrong, in which op, and the cure."""
    graph = cut_float_border(drop_shapes(read_tflite(tflite_data)))
    plan = make_plan(lower(graph))
    hgm = emit(plan)
    _check_by_reader(hgm)
    return Conversion(graph, plan, hgm, make_report(graph, plan, hgm))


def _check_by_reader(hgm: bytes) -> None:
    try:
        device_plan.check(hgm)
    except DeviceModelError as error:
        raise ModelError(f"the written file is refused by its own reader: {error}") from error


def convert_file(source: Path, target: Path) -> Conversion:
    """convert() from file to file; raises ModelError or UsageError naming the file."""
    refuse_to_overwrite(Path(target), Path(source))
    try:
        result = convert(Path(source).read_bytes())
    except OSError as error:
        raise ModelError(f"{source}: {error.strerror}") from None
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from None
    write_whole(Path(target), result.hgm)
    return result


def random_inputs_for(result: Conversion, n: int, *, seed: int = 0) -> np.ndarray:
    """(n, elements) of the model's input type."""
    x = result.graph.tensors[result.graph.input]
    return random_inputs(n, x.elements, seed=seed, dtype=x.dtype)


def verify_against_tflm(
    tflite_data: bytes, result: Conversion, inputs: np.ndarray
) -> Verification:
    """Every layer, as imported and as lowered, and the written file against the tflite-micro
    wheel on inputs (n, input).

    Raises ToolError if the wheel is missing or refuses the model.
    """
    layers = verify_layers(tflite_data, result.graph, result.device_graph, inputs)
    if layers.differing_bytes or layers.outputs is None:
        return layers
    return replace(verify_file(result.hgm, inputs, layers.outputs), layers=layers.layers)
