"""Exact elimination: channels that no output depends on, or that are constant, leave the model.

Not one output bit changes. A channel of a conv may go if every reader can do without it:
- a conv whose weights for it are all zero, or for which it is a proven constant (ranges.py), then
  moved into the bias; where the conv sees padding, only if the constant is what padding holds;
- a depthwise, pool or table, whose own channel of that number then goes too.
Tensors tied by such ops form one group: a channel goes in all of them or in none.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.overlap import sees_border
from hedgerow.convert.ranges import Range, channel_ranges

_TIED = ("depthwise", "pool", "table")  # output channel j depends on input channel j alone


def eliminate(graph: Graph) -> Graph:
    """The graph without such channels; repeated, since each round may leave others unread.

    An op that lost output channels has options["kept"]: their numbers in the tensor as imported.
    """
    while True:
        keep = _kept_channels(graph)
        if not keep:
            return graph
        graph = _without(graph, keep)


def _kept_channels(graph: Graph) -> dict[int, np.ndarray]:
    """tensor -> bool mask of its channels, for the tensors that lose some."""
    bounds = channel_ranges(graph)
    masks: dict[int, np.ndarray] = {}
    for group in _groups(graph):
        channels = {len(bounds[t][0]) for t in group}
        if len(channels) != 1 or not _may_shrink(graph, group):
            continue
        drop = np.ones(channels.pop(), dtype=bool)
        for tensor in group:
            for op in _readers(graph, tensor):
                if op.kind == "conv":
                    drop &= _conv_can_do_without(op, bounds[tensor])
        if drop.all():
            drop[0] = False  # a tensor must stay
        if drop.any():
            masks.update(dict.fromkeys(group, ~drop))
    return masks


def _groups(graph: Graph) -> list[list[int]]:
    """Tensors made by convs, each with all that hang on it by tied ops."""
    group_of: dict[int, list[int]] = {}
    for op in graph.ops:
        out = op.outputs[0]
        if op.kind == "conv":
            group_of[out] = [out]
        elif op.kind in _TIED and op.inputs[0] in group_of:
            group_of[out] = group_of[op.inputs[0]]
            group_of[out].append(out)
    return [group for tensor, group in group_of.items() if group[0] == tensor]


def _may_shrink(graph: Graph, group: list[int]) -> bool:
    """Only convs and tied ops read it, and a RESHAPE has not mixed its channels with pixels."""
    for tensor in group:
        channels = (graph.tensors[tensor].shape or (1,))[-1]
        readers = _readers(graph, tensor)
        if tensor == graph.output or any(op.kind not in ("conv", *_TIED) for op in readers):
            return False
        for op in readers:
            seen = op.options.get("in_shape", (channels,))[-1]
            if seen % channels or (op.kind != "conv" and seen != channels):
                return False
    return True


def _readers(graph: Graph, tensor: int) -> list[Op]:
    return [op for op in graph.ops if tensor in op.inputs]


def _conv_can_do_without(op: Op, given: Range) -> np.ndarray:
    """(channels,) bool."""
    low, high = given
    unread = ~_by_channel(op, len(low)).any(axis=(0, 1))
    constant = low == high
    if sees_border(op):
        constant &= low == op.options["fill"]
    return unread | constant


def _by_channel(op: Op, channels: int) -> np.ndarray:
    """The conv's weights as (c_out, taps, channels of the tensor that it reads)."""
    weights = op.options["weights"]
    return weights.reshape(len(weights), -1, channels)


def _without(graph: Graph, keep: Mapping[int, np.ndarray]) -> Graph:
    bounds = channel_ranges(graph)
    ops = []
    for op in graph.ops:
        options = dict(op.options)
        x, out = op.inputs[0], op.outputs[0]
        if x in keep:
            _shrink_input(op, options, keep[x], bounds[x])
        if out in keep:
            _shrink_output(op, options, keep[out])
        ops.append(Op(op.kind, op.inputs, op.outputs, MappingProxyType(options)))
    tensors = list(graph.tensors)
    for index, mask in keep.items():
        shape = (*tensors[index].shape[:-1], int(mask.sum()))
        tensors[index] = replace(tensors[index], shape=shape)
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _shrink_input(op: Op, options: dict[str, Any], keep: np.ndarray, given: Range) -> None:
    if "in_shape" in options:
        *sides, seen = options["in_shape"]
        options["in_shape"] = (*sides, seen // len(keep) * int(keep.sum()))
    if op.kind == "conv":
        weights = _by_channel(op, len(keep))
        gone = weights[:, :, ~keep].astype(np.int64).sum(axis=1)
        options["bias"] = options["bias"] + gone @ given[0][~keep]  # of the unread, times zero
        options["weights"] = weights[:, :, keep].reshape(len(weights), -1)


def _shrink_output(op: Op, options: dict[str, Any], keep: np.ndarray) -> None:
    options["kept"] = options.get("kept", np.arange(len(keep)))[keep]
    if op.kind not in ("conv", "depthwise"):
        return
    requant = options["requant"]
    pairs = requant if len(requant) > 1 else requant * len(keep)
    options["requant"] = tuple(pair for pair, stays in zip(pairs, keep, strict=True) if stays)
    options["bias"] = options["bias"][keep]
    weights = options["weights"]
    options["weights"] = weights[keep] if op.kind == "conv" else weights[:, keep]
