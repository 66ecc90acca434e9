"""The graph all passes work on: frozen tensors and ops; a pass returns a new graph.

importer -> Graph of TFLite ops -> passes.lower -> Graph of device ops -> plan -> emit
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from hedgerow.errors import ModelError


@dataclass(frozen=True)
class Tensor:
    """One tensor. dtype: NumPy's name. scales: none, one, or one per channel.

    data: read-only ndarray of a constant, None for what is computed. variable: state that an op
    keeps from one inference to the next.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...] = ()
    zero_point: int = 0
    data: np.ndarray | None = field(default=None, compare=False)
    variable: bool = False

    @property
    def elements(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def item_bytes(self) -> int:
        return np.dtype(self.dtype).itemsize

    @property
    def bytes(self) -> int:
        return self.elements * self.item_bytes

    @property
    def scale(self) -> float:
        return self.scales[0]


@dataclass(frozen=True)
class Op:
    """One op: kind, input and output tensor indices (-1: absent input), options by name."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Graph:
    """Tensors and ops in execution order; input and output are tensor indices."""

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    input: int
    output: int

    def with_ops(self, ops: list[Op], output: int | None = None) -> "Graph":
        return replace(self, ops=tuple(ops), output=self.output if output is None else output)


def where(graph: Graph, op: Op) -> str:
    """How an error names an op: its kind, place and output."""
    index = graph.ops.index(op)
    return f"op {index} {op.kind} ({graph.tensors[op.outputs[0]].name or 'unnamed'})"


@contextmanager
def naming(graph: Graph, op: Op) -> Iterator[None]:
    """A ModelError from inside names the op."""
    try:
        yield
    except ModelError as error:
        name = where(graph, op)
        if str(error).startswith(name):
            raise
        raise ModelError(f"{name}: {error}") from error


def verify(graph: Graph, *, after: str) -> Graph:
    """The graph, if it is sound: each tensor is made before it is used, and once.

    Raises ModelError naming the step after which it was found broken.
    """
    given = {i for i, t in enumerate(graph.tensors) if t.data is not None or t.variable}
    made = {graph.input} | given
    for op in graph.ops:
        for index in op.inputs:
            if index not in made and index != -1:
                tensor = graph.tensors[index]
                raise ModelError(
                    f"after {after}: {where(graph, op)} uses {tensor.name!r}, which nobody makes "
                    f"(and no {tensor.dtype} constant that can be read)"
                )
        if any(index in made for index in op.outputs):
            raise ModelError(f"after {after}: {where(graph, op)} writes a tensor made before")
        made.update(op.outputs)
    if graph.output not in made or graph.tensors[graph.output].data is not None:
        raise ModelError(
            f"after {after}: nobody makes the model's output, or it is the same for every input"
        )
    return graph
