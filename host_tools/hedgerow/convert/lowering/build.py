"""A graph in the making: what a lowering adds device ops and tensors to, and refuses with."""

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from hedgerow.convert.graph import Graph, Op, Tensor, where
from hedgerow.errors import ModelError


class Builder:
    """graph: as imported; tensors, ops: of the device graph so far; at: the op being lowered."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tensors = list(graph.tensors)
        self.ops: list[Op] = []
        self.at: Op = graph.ops[0]

    def finish(self) -> Graph:
        return replace(self.graph, tensors=tuple(self.tensors), ops=tuple(self.ops))

    def add(self, kind: str, inputs: Sequence[int], output: int, **options: Any) -> None:
        self.ops.append(Op(kind, tuple(inputs), (output,), MappingProxyType(options)))

    def tensor(self, like: int, shape: tuple[int, ...], what: str) -> int:
        """Index of a new computed tensor with dtype and quantisation of tensor `like`."""
        model = self.tensors[like]
        name = f"{model.name} ({what})"
        self.tensors.append(replace(model, name=name, shape=shape, data=None, variable=False))
        return len(self.tensors) - 1

    def state(self, like: int, shape: tuple[int, ...]) -> int:
        """Index of a new state tensor, like a variable one."""
        index = self.tensor(like, shape, f"state {len(self.tensors)}")
        self.tensors[index] = replace(self.tensors[index], variable=True)
        return index

    def constant(self, like: int, data: np.ndarray, what: str) -> int:
        index = self.tensor(like, data.shape, what)
        self.tensors[index] = replace(self.tensors[index], data=data)
        return index

    def need(self, ok: object, what: str) -> None:
        """Raises ModelError naming the op unless ok."""
        if not ok:
            raise ModelError(f"{where(self.graph, self.at)}: {what}")

    def input(self, place: int = 0) -> Tensor:
        """Input `place` of the op. Raises ModelError if it is absent."""
        absent = len(self.at.inputs) <= place or self.at.inputs[place] == -1
        self.need(not absent, f"lacks input {place}")
        return self.tensors[self.at.inputs[place]]

    def has(self, place: int) -> bool:
        return len(self.at.inputs) > place and self.at.inputs[place] != -1

    @property
    def output(self) -> Tensor:
        return self.tensors[self.at.outputs[0]]

    def integers(self, place: int) -> list[int]:
        """Input `place`, a constant of integers: shapes, axes, paddings."""
        t = self.input(place)
        whole = t.data is not None and t.dtype in ("int8", "int16", "int32", "int64")
        self.need(whole, f"input {place} ({t.name!r}) must be a constant of integers")
        return [] if t.data is None else [int(v) for v in t.data.reshape(-1)]
