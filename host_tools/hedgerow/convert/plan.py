"""Where every tensor lies in the arena.

Greedy by size: tensors are placed largest first, each at the lowest offset where it meets no
tensor alive at the same time. A table op whose input dies there works in place.
"""

from dataclasses import dataclass

from hedgerow.convert.graph import Graph


@dataclass(frozen=True)
class Plan:
    """offsets: tensor index -> arena offset in bytes."""

    graph: Graph
    offsets: dict[int, int]
    arena_bytes: int


@dataclass(frozen=True)
class _Life:
    """A buffer alive from op `first` to op `last`, shared by the tensors that alias it."""

    tensors: tuple[int, ...]
    size: int
    first: int
    last: int


def make_plan(graph: Graph) -> Plan:
    """The memory plan of a device graph."""
    placed: list[tuple[int, _Life]] = []
    for life in sorted(_lives(graph), key=lambda life: (-life.size, life.first)):
        placed.append((_lowest_offset(life, placed), life))
    offsets = {tensor: at for at, life in placed for tensor in life.tensors}
    return Plan(graph, offsets, max(at + life.size for at, life in placed))


def _lives(graph: Graph) -> list[_Life]:
    last_use = {graph.output: len(graph.ops)}
    for index, op in enumerate(graph.ops):
        for tensor in op.inputs:
            last_use[tensor] = max(last_use.get(tensor, index), index)
    buffers = {graph.input: [graph.input]}
    first = {graph.input: -1}
    for index, op in enumerate(graph.ops):
        out = op.outputs[0]
        if op.kind == "table" and last_use[op.inputs[0]] == index:
            buffers[out] = buffers.pop(op.inputs[0])
            buffers[out].append(out)
            first[out] = first[op.inputs[0]]
        else:
            buffers[out] = [out]
            first[out] = index
    return [
        _Life(
            tuple(tensors), graph.tensors[out].elements, first[out], last_use.get(out, first[out])
        )
        for out, tensors in buffers.items()
    ]


def _lowest_offset(life: _Life, placed: list[tuple[int, _Life]]) -> int:
    busy = sorted(
        (at, at + other.size)
        for at, other in placed
        if life.first <= other.last and other.first <= life.last
    )
    at = 0
    for start, end in busy:
        if at + life.size <= start:
            break
        at = max(at, end)
    return at
