"""Passes that make ops disappear: constants computed on the host, clamps and padding taken in."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from hedgerow.convert.graph import Graph, Op, naming, where
from hedgerow.convert.ops import OPS
from hedgerow.convert.ops.conv import Window
from hedgerow.convert.ops.quant import Values
from hedgerow.errors import ModelError

_CLAMPED = ("add", "conv", "depthwise", "mul", "pool")  # have act_min and act_max
_MAX_PAD = 255  # of the file format


def fold_constants(graph: Graph) -> Graph:
    """An op of constants alone is computed here, and its output is a constant."""
    tensors, ops = list(graph.tensors), []
    for op in graph.ops:
        inputs = [i for i in op.inputs if i != -1]
        known = {i: data for i in inputs if (data := tensors[i].data) is not None}
        out = op.outputs[0]
        if len(known) < len(inputs) or not inputs or op.kind not in OPS:
            ops.append(op)
            continue
        here = replace(graph, tensors=tuple(tensors))
        tensors[out] = replace(tensors[out], data=_computed(here, op, known))
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _computed(graph: Graph, op: Op, known: Values) -> np.ndarray:
    try:
        with naming(graph, op):
            return OPS[op.kind](graph, op, known)
    except (ValueError, IndexError, KeyError, ZeroDivisionError) as error:
        raise ModelError(f"{where(graph, op)}: its constants do not fit: {error}") from error


def fuse_clamps(graph: Graph) -> Graph:
    """A table that only clamps (RELU and RELU6 of an unchanged scale) joins the op before it."""
    return _merge(graph, _clamps)


def fold_padding(graph: Graph) -> Graph:
    """A PAD with the zero point joins the convolution that reads it."""
    return _merge(graph, _pads)


def _merge(graph: Graph, merged: Callable[[Graph, Op, Op], Op | None]) -> Graph:
    """Replace two ops, where the second alone reads the first's output, by one if `merged` can."""
    ops: list[Op] = []
    for op in graph.ops:
        first = next((o for o in ops if op.inputs and o.outputs[0] == op.inputs[0]), None)
        joint = None
        if first is not None and _only_reader(graph, first.outputs[0]):
            joint = merged(graph, first, op)
        if joint is None or first is None:
            ops.append(op)
        else:
            ops[ops.index(first)] = joint
    return graph.with_ops(ops)


def _only_reader(graph: Graph, tensor: int) -> bool:
    uses = sum(op.inputs.count(tensor) for op in graph.ops)
    return uses == 1 and tensor != graph.output


def _clamps(_graph: Graph, first: Op, table: Op) -> Op | None:
    if table.kind != "table" or first.kind not in _CLAMPED:
        return None
    values = table.options["table"].astype(np.int64)
    low, high = int(values.min()), int(values.max())
    if not np.array_equal(values, np.clip(np.arange(-128, 128), low, high)):
        return None
    limits = {
        "act_min": min(max(first.options["act_min"], low), high),
        "act_max": max(min(first.options["act_max"], high), low),
    }
    options = MappingProxyType({**first.options, **limits})
    return Op(first.kind, first.inputs, table.outputs, options)


def _pads(graph: Graph, move: Op, op: Op) -> Op | None:
    """A window over a padded image is a window with padding over the image."""
    pad = move.options.get("pad") if move.kind == "move" else None
    if pad is None or op.kind not in ("conv", "depthwise") or pad["value"] != op.options["fill"]:
        return None
    if tuple(graph.tensors[move.outputs[0]].shape) != tuple(op.options["in_shape"]):
        return None  # another rank, or a RESHAPE in between
    widths = [tuple(int(n) for n in pair) for pair in pad["widths"]]
    area: Window = op.options["window"]
    top, left = area.pad[0] + widths[1][0], area.pad[1] + widths[2][0]
    if widths[0] != (0, 0) or widths[3] != (0, 0) or max(top, left) > _MAX_PAD:
        return None
    options = {**op.options, "window": replace(area, pad=(top, left)), "in_shape": pad["in_shape"]}
    return Op(op.kind, (move.inputs[0], *op.inputs[1:]), op.outputs, MappingProxyType(options))
