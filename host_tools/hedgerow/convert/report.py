"""What a person wants to know before flashing: work, memory, what elimination saved, cycles."""

from dataclasses import asdict, dataclass
from math import prod

import numpy as np

from hedgerow.convert.cost import Cycles, predicted_cycles
from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.plan import Plan

_WEIGHTS = {  # TFLite kind -> place of its weights, axis of its output channels
    "CONV_2D": (1, 0),
    "DEPTHWISE_CONV_2D": (1, 3),
    "FULLY_CONNECTED": (1, 0),
    "TRANSPOSE_CONV": (1, 0),
}
_SIGMOID_BYTES = 512  # the table of every LSTM


@dataclass(frozen=True)
class Layer:
    """One device op. macs: multiply-adds; constant_bytes: of weights, biases and tables."""

    kind: str
    name: str
    output_bytes: int
    macs: int
    constant_bytes: int
    cycles: dict[str, int]


@dataclass(frozen=True)
class Eliminated:
    """Multiply-adds and weights of the model as imported, and how many of them are gone."""

    macs_before: int
    macs_gone: int
    weights_before: int
    weights_gone: int


@dataclass(frozen=True)
class Report:
    """Sizes in bytes. cycles: board -> predicted cycles of one inference (cost.py)."""

    layers: tuple[Layer, ...]
    macs: int
    eliminated: Eliminated
    flash_bytes: int
    constant_bytes: int
    arena_bytes: int
    state_bytes: int
    input_bytes: int
    output_bytes: int
    cycles: dict[str, int]

    def as_dict(self) -> dict:
        return asdict(self)


def make_report(imported: Graph, plan: Plan, hgm: bytes) -> Report:
    """imported: the graph before the passes; plan: of the device graph; hgm: the file."""
    graph = plan.graph
    layers = tuple(_layer(graph, op) for op in graph.ops)
    macs = sum(layer.macs for layer in layers)
    return Report(
        layers=layers,
        macs=macs,
        eliminated=_eliminated(imported, graph),
        flash_bytes=len(hgm),
        constant_bytes=sum(t.data.nbytes for t in imported.tensors if t.data is not None),
        arena_bytes=plan.arena_bytes,
        state_bytes=plan.state_bytes,
        input_bytes=_bytes(graph, graph.input),
        output_bytes=_bytes(graph, graph.output),
        cycles=_sum(layer.cycles for layer in layers),
    )


def macs_of(graph: Graph, op: Op) -> int:
    """Multiply-adds of a device op with a weight; padding counts."""
    outputs, o = graph.tensors[op.outputs[0]].elements, op.options
    if op.kind == "lstm":
        return outputs // o["cells"] * sum(part[0].size for part in (*o["input"], *o["recurrent"]))
    if op.kind == "svdf":
        return int(o["feature"].size + o["time"].size)
    if "weights" not in o:
        return 0
    return outputs * (o["weights"].shape[0] if op.kind == "depthwise" else o["weights"].shape[1])


def work_of(graph: Graph, op: Op) -> int:
    """What an op's time grows with beside its outputs: multiply-adds, cells that a pool or mean
    reads, runs of bytes that a move writes."""
    if op.kind == "pool":
        return graph.tensors[op.outputs[0]].elements * prod(op.options["window"].kernel)
    if op.kind == "mean":
        return graph.tensors[op.inputs[0]].elements
    if op.kind == "move":
        copies = op.options["copies"]
        return len(op.options["fills"]) + sum(prod(counts[:3]) for _, _, counts, *_ in copies)
    return macs_of(graph, op)


def _layer(graph: Graph, op: Op) -> Layer:
    out = graph.tensors[op.outputs[0]]
    macs = macs_of(graph, op)
    cycles: Cycles = predicted_cycles(op, work_of(graph, op), out.elements)
    size = _bytes(graph, op.outputs[0])
    return Layer(op.kind, out.name, size, macs, _constant_bytes(op), cycles)


def _bytes(graph: Graph, tensor: int) -> int:
    t = graph.tensors[tensor]
    return t.elements * np.dtype(t.dtype).itemsize


def _constant_bytes(op: Op) -> int:
    """Weights, 4 bytes a bias, tables: what the op's kind carries, before packing."""
    arrays = {k: v for k, v in op.options.items() if isinstance(v, np.ndarray) and k != "kept"}
    if op.kind == "lstm":
        parts = (*op.options["input"], *op.options["recurrent"])
        return _SIGMOID_BYTES + sum(weights.size + 4 * bias.size for weights, bias, _ in parts)
    sizes = {"bias": 4, "feature_bias": 4, "table": 1, "weights": 1}
    return sum(a.size * sizes.get(name, a.dtype.itemsize) for name, a in arrays.items())


def _eliminated(imported: Graph, graph: Graph) -> Eliminated:
    before = [_weighted(imported, op) for op in imported.ops if op.kind in _WEIGHTS]
    kept = [op for op in graph.ops if "weights" in op.options]
    weights = sum(op.options["weights"].size for op in kept)
    macs = sum(macs_of(graph, op) for op in kept)
    macs_before = sum(m for m, _ in before)
    weights_before = sum(w for _, w in before)
    gone = max(0, macs_before - macs), max(0, weights_before - weights)
    return Eliminated(macs_before, gone[0], weights_before, gone[1])


def _weighted(imported: Graph, op: Op) -> tuple[int, int]:
    """(multiply-adds, weights) of a TFLite op."""
    place, axis = _WEIGHTS[op.kind]
    weights = imported.tensors[op.inputs[place]]
    taps = weights.elements // max(1, weights.shape[axis])
    return imported.tensors[op.outputs[0]].elements * taps, weights.elements


def _sum(parts: object) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:  # type: ignore[attr-defined]
        for board, cycles in part.items():
            total[board] = total.get(board, 0) + cycles
    return total
