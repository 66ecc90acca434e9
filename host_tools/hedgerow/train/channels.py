"""Which channels of a float graph are one and the same thing, and the graph without some.

    channels = trace(graph)
    smaller = without(graph, channels, {3, 7})

Every number along the last axis of a computed tensor has a name. A convolution or dense layer
makes new names; ADD, MUL and SUB of two tensors make two names one; the rest passes them on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hedgerow.convert.graph import Graph, Op, Tensor, verify
from hedgerow.train.float_ops import LAYERS, constant_of

_PASS = (
    "AVERAGE_POOL_2D",
    "HARD_SWISH",
    "LEAKY_RELU",
    "LOGISTIC",
    "MAX_POOL_2D",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "TANH",
)


@dataclass
class Channels:
    """names: of every computed tensor's last axis; kept: names that must stay.

    makers: name -> (number of the op, output channel) of the layers whose rows make it.
    """

    names: dict[int, np.ndarray] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    makers: dict[int, list[tuple[int, int]]] = field(default_factory=dict)


class _Names:
    """Union-find over channel names."""

    def __init__(self) -> None:
        self._same: list[int] = []

    def fresh(self, count: int) -> np.ndarray:
        start = len(self._same)
        self._same.extend(range(start, start + count))
        return np.arange(start, start + count)

    def one(self, name: int) -> int:
        while self._same[name] != name:
            name = self._same[name]
        return name

    def all(self, names: np.ndarray) -> np.ndarray:
        return np.array([self.one(int(name)) for name in names])

    def join(self, a: np.ndarray, b: np.ndarray) -> None:
        for left, right in zip(a, b, strict=True):
            self._same[self.one(int(right))] = self.one(int(left))


def trace(graph: Graph) -> Channels:
    """Names of all channels of a float graph."""
    walk = _Walk(graph)
    for number, op in enumerate(graph.ops):
        walk.visit(number, op)
    return walk.finish()


class _Walk:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._pool = _Names()
        self._names: dict[int, np.ndarray] = {}
        self._locked: list[np.ndarray] = []
        self._made: list[tuple[np.ndarray, int]] = []
        self._names[graph.input] = self._lock(self._pool.fresh(self._width(graph.input)))

    def _width(self, index: int) -> int:
        return self._graph.tensors[index].shape[-1]

    def _lock(self, names: np.ndarray) -> np.ndarray:
        self._locked.append(names)
        return names

    def visit(self, number: int, op: Op) -> None:
        computed = [i for i in op.inputs if i in self._names]
        out = op.outputs[0]
        if op.kind in LAYERS:
            self._names[out] = self._layer(number, op)
        elif op.kind in ("ADD", "MUL", "SUB"):
            self._names[out] = self._binary(computed, out)
        elif op.kind == "CONCATENATION":
            self._names[out] = self._concatenation(op)
        elif self._passes(op):
            self._names[out] = self._names[op.inputs[0]]
        else:
            self._names[out] = self._reshaped(op)

    def _layer(self, number: int, op: Op) -> np.ndarray:
        x = op.inputs[LAYERS[op.kind][0]]
        if op.kind == "DEPTHWISE_CONV_2D":
            return np.repeat(self._names[x], self._width(op.outputs[0]) // self._width(x))
        if constant_of(self._graph.tensors[op.inputs[1]]).shape[-1] != self._width(x):
            self._lock(self._names[x])
        names = self._pool.fresh(self._width(op.outputs[0]))
        self._made.append((names, number))
        return names

    def _binary(self, computed: Sequence[int], out: int) -> np.ndarray:
        wide = [self._names[i] for i in computed if self._width(i) == self._width(out)]
        for i in computed:
            if self._width(i) != self._width(out):
                self._lock(self._names[i])
        for other in wide[1:]:
            self._pool.join(wide[0], other)
        return wide[0] if wide else self._lock(self._pool.fresh(self._width(out)))

    def _concatenation(self, op: Op) -> np.ndarray:
        parts = [
            self._names[i] if i in self._names else self._lock(self._pool.fresh(self._width(i)))
            for i in op.inputs
        ]
        rank = len(self._graph.tensors[op.outputs[0]].shape)
        if op.options["axis"] % rank == rank - 1:
            return np.concatenate(parts)
        for other in parts[1:]:
            self._pool.join(parts[0], other)
        return parts[0]

    def _passes(self, op: Op) -> bool:
        """Whether the last axis comes out as it went in."""
        x, out = (self._graph.tensors[i] for i in (op.inputs[0], op.outputs[0]))
        if op.kind in ("PAD", "PADV2", "STRIDED_SLICE"):
            return x.shape[-1] == out.shape[-1] and len(x.shape) == len(out.shape)
        if op.kind == "MEAN":
            axes = constant_of(self._graph.tensors[op.inputs[1]]).reshape(-1) % len(x.shape)
            return len(x.shape) - 1 not in axes
        return op.kind in _PASS or (op.kind == "RESHAPE" and x.shape[-1] == out.shape[-1])

    def _reshaped(self, op: Op) -> np.ndarray:
        """A RESHAPE to one row repeats the names; after anything else all must stay."""
        names, out = self._names[op.inputs[0]], self._graph.tensors[op.outputs[0]]
        if op.kind == "RESHAPE" and out.shape == (1, out.elements):
            return np.tile(names, out.elements // len(names))
        self._lock(names)
        return self._lock(self._pool.fresh(out.shape[-1]))

    def finish(self) -> Channels:
        self._lock(self._names[self._graph.output])
        names = {i: self._pool.all(n) for i, n in self._names.items()}
        found = Channels(names, {int(n) for part in self._locked for n in self._pool.all(part)})
        for made, number in self._made:
            for row, name in enumerate(self._pool.all(made)):
                found.makers.setdefault(int(name), []).append((number, row))
        return found


def without(graph: Graph, channels: Channels, gone: set[int]) -> Graph:
    """The graph with the channels of these names cut out of every tensor and constant."""
    keep = {i: ~np.isin(names, list(gone)) for i, names in channels.names.items()}
    tensors = [
        replace(t, shape=(*t.shape[:-1], int(keep[i].sum()))) if i in keep else t
        for i, t in enumerate(graph.tensors)
    ]
    ops = []
    for op in graph.ops:
        inputs = list(op.inputs)
        for place, index in enumerate(op.inputs):
            if index != -1 and graph.tensors[index].data is not None:
                tensors.append(_cut(graph, op, place, keep, tensors[op.outputs[0]]))
                inputs[place] = len(tensors) - 1
        ops.append(Op(op.kind, tuple(inputs), op.outputs, op.options))
    return verify(replace(graph, tensors=tuple(tensors), ops=tuple(ops)), after="pruning")


def _cut(graph: Graph, op: Op, place: int, keep: dict[int, np.ndarray], out: Tensor) -> Tensor:
    """The constant input `place` of an op, for the channels that are left."""
    tensor = graph.tensors[op.inputs[place]]
    data, kept = constant_of(tensor), keep[op.outputs[0]]
    if op.kind in LAYERS:
        x, weights, bias = LAYERS[op.kind]
        if place == bias:
            data = data.reshape(-1)[kept]
        elif place == weights and op.kind == "DEPTHWISE_CONV_2D":
            data = data[..., kept]
        elif place == weights:
            source = keep[op.inputs[x]]
            data = data[kept]
            data = data[..., source] if data.shape[-1] == len(source) else data
        else:
            data = np.array(out.shape, dtype=np.int32)  # output shape of TRANSPOSE_CONV
    elif op.kind == "RESHAPE":
        data = np.array(out.shape, dtype=np.int32)
    elif op.kind == "STRIDED_SLICE" and place == 2:
        full = data.reshape(-1).copy()
        full[-1] = min(int(full[-1]), out.shape[-1])
        data = full
    elif op.kind in ("ADD", "MUL", "SUB") and data.ndim and data.shape[-1] == len(kept) > 1:
        data = data[..., kept]
    data = np.ascontiguousarray(data)
    return replace(tensor, data=data, shape=data.shape)
