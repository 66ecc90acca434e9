"""Where every tensor lies in the arena.

Tensors are placed one after the other, each at the lowest offset where it meets no tensor alive at
the same time: largest first, then in orders changed at random (always the same), until the sum of
what is alive at once is reached or the tries are used up. An op of one int8 to one int8 whose
input dies there works in place.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from hedgerow.convert.graph import Graph, Op

_TRIES = 200
_IN_PLACE = ("add", "softmax", "table")  # element by element, in order


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
    lives = _lives(graph)
    bound = _live_bytes(lives, len(graph.ops))
    best: list[tuple[int, _Life]] = []
    for order in _orders(lives):
        placed = _place(order)
        if not best or _top(placed) < _top(best):
            best = placed
        if _top(best) == bound:
            break
    offsets = {tensor: at for at, life in best for tensor in life.tensors}
    return Plan(graph, offsets, _top(best))


def _orders(lives: list[_Life]) -> Iterator[list[_Life]]:
    """Largest first; in order of use; then the first with some lives moved to another place."""
    order = sorted(lives, key=lambda life: (-life.size, life.first))
    yield order
    yield sorted(lives, key=lambda life: (life.first, -life.size))
    rng = random.Random(0)
    for _ in range(_TRIES):
        changed = list(order)
        for _ in range(rng.randint(1, 3)):
            life = changed.pop(rng.randrange(len(changed)))
            changed.insert(rng.randrange(len(changed) + 1), life)
        yield changed


def _place(order: list[_Life]) -> list[tuple[int, _Life]]:
    placed: list[tuple[int, _Life]] = []
    for life in order:
        placed.append((_lowest_offset(life, placed), life))
    return placed


def _top(placed: list[tuple[int, _Life]]) -> int:
    return max(at + life.size for at, life in placed)


def _live_bytes(lives: list[_Life], ops: int) -> int:
    """The most that is alive at one op: no plan can need less."""
    return max(
        sum(life.size for life in lives if life.first <= at <= life.last)
        for at in range(-1, ops + 1)
    )


def _lives(graph: Graph) -> list[_Life]:
    last_use = {graph.output: len(graph.ops)}
    for index, op in enumerate(graph.ops):
        for tensor in op.inputs:
            last_use[tensor] = max(last_use.get(tensor, index), index)
    buffers = {graph.input: [graph.input]}  # the newest tensor of a buffer -> all that share it
    first = {graph.input: -1}
    for index, op in enumerate(graph.ops):
        shared = _in_place(op, index, last_use, buffers)
        for out in op.outputs:
            buffers[out], first[out] = [out], index
        if shared is not None:
            out = op.outputs[0]
            buffers[out] = [*buffers.pop(shared), out]
            first[out] = first[shared]
    return [
        _Life(
            tuple(tensors), graph.tensors[out].elements, first[out], last_use.get(out, first[out])
        )
        for out, tensors in buffers.items()
    ]


def _in_place(op: Op, index: int, last_use: dict[int, int], buffers: dict) -> int | None:
    """The input whose bytes the op's output may take: nobody reads it later."""
    if op.kind not in _IN_PLACE:
        return None
    dying = (i for i in op.inputs if last_use[i] == index and i in buffers)
    return next(dying, None)


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
