"""Pruning of a float graph: single weights by magnitude, or whole channels that then are gone.

    sparse = prune_weights(graph, 0.5)     # half of the weights become 0
    small = prune_channels(graph, 0.25)    # a quarter of the channels leaves, consumers shrink
    tuned = fit(small, x, loss_for(small, labels))

fit() keeps zeros zero. Zero weights save flash only where a file is compressed; channels save
flash, RAM and time.
"""

from dataclasses import replace

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.errors import UsageError
from hedgerow.train.channels import Channels, trace, without
from hedgerow.train.float_ops import LAYERS, constant_of


def prune_weights(graph: Graph, fraction: float) -> Graph:
    """`fraction` of all layers' weights set to 0, those that matter least to their layer.

    Score: LAMP (Lee et al. 2021, arXiv:2010.07611), a weight's square by the sum of the squares
    that are not smaller; so no layer is emptied. Raises UsageError unless 0 <= fraction < 1.
    """
    check_fraction(fraction)
    indices = sorted({op.inputs[1] for op in graph.ops if op.kind in LAYERS})
    scores = {i: _lamp(constant_of(graph.tensors[i])) for i in indices}
    pooled = np.sort(np.concatenate([s.reshape(-1) for s in scores.values()]))
    cut = pooled[int(fraction * len(pooled))]
    tensors = list(graph.tensors)
    for i, score in scores.items():
        data = np.where(score < cut, np.float32(0), constant_of(tensors[i]))
        tensors[i] = replace(tensors[i], data=data)
    return replace(graph, tensors=tuple(tensors))


def _lamp(weights: np.ndarray) -> np.ndarray:
    flat = np.square(weights.astype(np.float64).reshape(-1))
    order = np.argsort(flat)
    left = np.cumsum(flat[order][::-1])[::-1]
    scores = np.empty_like(flat)
    scores[order] = flat[order] / np.maximum(left, np.finfo(float).tiny)
    return scores.reshape(weights.shape)


def prune_channels(graph: Graph, fraction: float) -> Graph:
    """The graph without `fraction` of the channels of each layer whose channels are free to go.

    Channels that an ADD or a depthwise layer ties together go together; those of the input and
    the output stay. Least important: smallest L1 norm of the weights that make them (Li et al.
    2017, arXiv:1608.08710). Raises UsageError unless 0 <= fraction < 1.
    """
    check_fraction(fraction)
    channels = trace(graph)
    gone: set[int] = set()
    for group in _groups(channels):
        norms = {name: _norm(graph, channels, name) for name in group}
        gone.update(sorted(group, key=norms.__getitem__)[: int(fraction * len(group))])
    return without(graph, channels, gone)


def _groups(channels: Channels) -> list[list[int]]:
    """Free channels by the layers that make them."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for name, makers in channels.makers.items():
        if name not in channels.kept:
            groups.setdefault(tuple(sorted({op for op, _ in makers})), []).append(name)
    return list(groups.values())


def _norm(graph: Graph, channels: Channels, name: int) -> float:
    """L1 norm of the rows that make a channel, each by its layer's mean."""
    total = 0.0
    for op, row in channels.makers[name]:
        weights = np.abs(constant_of(graph.tensors[graph.ops[op].inputs[1]]))
        total += float(weights[row].sum()) * len(weights) / max(float(weights.sum()), 1e-30)
    return total


def check_fraction(fraction: float) -> None:
    if not 0.0 <= fraction < 1.0:
        raise UsageError(f"a share of {fraction} cannot be pruned: give 0 to below 1")
