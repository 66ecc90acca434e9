"""Where every tensor lies in the arena.

Tensors are placed one after the other, each at the lowest offset where it keeps clear of all that
is alive at the same time: in two orders, each then changed at random (always the same), until what
must be alive at once is reached or the tries are used up. A layer's output may lie over the input
that dies there, as far as overlap.py allows; element-wise ops may work in place.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.overlap import lag_bytes

_TRIES = 300
_EFFORT = 1_000_000  # tries times pairs of lives, some seconds
_ALIGN = 4  # of every offset (SPEC.md)
_IN_PLACE = ("add", "mul", "softmax", "table")  # element by element, in order
_DTYPE_BYTES = {"int8": 1, "int16": 2, "int32": 4}


@dataclass(frozen=True)
class Life:
    """A tensor, or the block of all state, alive from op `first` to op `last`.

    over: input tensor -> least distance below it at which this one may lie over it.
    same: inputs whose very place it may take.
    """

    tensors: tuple[int, ...]
    size: int
    first: int
    last: int
    over: dict[int, int] = field(default_factory=dict)
    same: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Plan:
    """offsets: tensor index -> arena offset in bytes; lives: for the picture of the plan."""

    graph: Graph
    offsets: dict[int, int]
    arena_bytes: int
    state_offset: int = 0
    state_bytes: int = 0
    lives: tuple[Life, ...] = ()


def make_plan(graph: Graph) -> Plan:
    """The memory plan of a device graph: from two orders, each bettered by small changes."""
    lives = find_lives(graph)
    bound = live_bytes(lives, len(graph.ops))
    best: list[tuple[int, Life]] = []
    for order in _orders(lives):
        placed = _better(order, bound)
        if not best or _top(placed) < _top(best):
            best = placed
        if _top(best) <= bound:
            break
    return _plan(graph, best)


def _better(order: list[Life], bound: int) -> list[tuple[int, Life]]:
    """Places by `order`, then by orders changed at random, of which the last no worse is kept."""
    best = _place(order)
    rng = random.Random(0)
    for _ in range(min(_TRIES, _EFFORT // len(order) ** 2)):
        if _top(best) <= bound:
            break
        changed = list(order)
        for _ in range(rng.randint(1, 3)):
            life = changed.pop(rng.randrange(len(changed)))
            changed.insert(rng.randrange(len(changed) + 1), life)
        placed = _place(changed)
        if _top(placed) <= _top(best):
            best, order = placed, changed
    return best


def _plan(graph: Graph, placed: list[tuple[int, Life]]) -> Plan:
    offsets: dict[int, int] = {}
    state = (0, 0)
    for at, life in placed:
        if graph.tensors[life.tensors[0]].variable:
            state = (at, life.size)
        for tensor in life.tensors:
            offsets[tensor] = at
            at += _bytes(graph, tensor)
    lives = tuple(life for _, life in placed)
    return Plan(graph, offsets, _top(placed), *state, lives)


def _bytes(graph: Graph, tensor: int) -> int:
    """Size in the arena, a multiple of 4."""
    t = graph.tensors[tensor]
    return -(-t.elements * _DTYPE_BYTES[t.dtype] // _ALIGN) * _ALIGN


def _orders(lives: list[Life]) -> Iterator[list[Life]]:
    """Backwards in time (a chain then steps up by its lags); largest first."""
    yield sorted(lives, key=lambda life: (-life.last, -life.first, -life.size))
    yield sorted(lives, key=lambda life: (-life.size, -life.last))


def _place(order: list[Life]) -> list[tuple[int, Life]]:
    placed: list[tuple[int, Life]] = []
    for life in order:
        placed.append((_lowest_offset(life, placed), life))
    return placed


def _top(placed: list[tuple[int, Life]]) -> int:
    return max(at + life.size for at, life in placed)


def _lowest_offset(life: Life, placed: list[tuple[int, Life]]) -> int:
    """The lowest offset that lies in none of the open ranges that others forbid."""
    at = 0
    for low, high in sorted(_forbidden(life, placed)):
        if at <= low:
            break
        at = max(at, high)
    return at


def _forbidden(life: Life, placed: list[tuple[int, Life]]) -> Iterator[tuple[int, int]]:
    """Ranges (low, high), ends excluded, in which `life` may not start."""
    for at, other in placed:
        if life.first > other.last or other.first > life.last:
            continue
        below, above = at - life.size, at + other.size  # the start must be <= or >= these
        if _may_share(life, other):
            yield below, at
            yield at, above
        elif (lag := _over(life, other)) is not None:
            yield max(below, at - lag), above
        elif (lag := _over(other, life)) is not None:
            yield below, min(above, at + lag)
        else:
            yield below, above


def _may_share(a: Life, b: Life) -> bool:
    return b.tensors[0] in a.same or a.tensors[0] in b.same


def _over(out: Life, x: Life) -> int | None:
    return out.over.get(x.tensors[0])


def live_bytes(lives: list[Life], ops: int) -> int:
    """The most that is alive at one op, overlaps at their best: no plan can need less."""
    return max(
        _live_at([x for x in lives if x.first <= at <= x.last]) for at in range(-1, ops + 1)
    )


def _live_at(alive: list[Life]) -> int:
    sizes = {life.tensors[0]: life.size for life in alive}
    total = sum(sizes.values())
    saved = 0
    for life in alive:
        overlaps = {**life.over, **dict.fromkeys(life.same, 0)}
        for x, lag in overlaps.items():
            if x in sizes:
                apart = life.size + sizes[x]
                saved = max(saved, apart - min(apart, max(life.size, sizes[x] + lag)))
    return total - saved


def find_lives(graph: Graph) -> list[Life]:
    """Every tensor that needs a place; all state is one block that lives throughout."""
    last_use = {graph.output: len(graph.ops)}
    for index, op in enumerate(graph.ops):
        for tensor in op.inputs:
            last_use[tensor] = max(last_use.get(tensor, index), index)
    lives = [_life(graph, graph.input, -1, last_use)]
    for index, op in enumerate(graph.ops):
        for out in op.outputs:
            lives.append(_life(graph, out, index, last_use, op))
    state = tuple(i for i, t in enumerate(graph.tensors) if t.variable and i in last_use)
    if state:
        size = sum(_bytes(graph, i) for i in state)
        lives.append(Life(state, size, -1, len(graph.ops)))
    return lives


def _life(
    graph: Graph, tensor: int, first: int, last_use: dict[int, int], op: Op | None = None
) -> Life:
    last = last_use.get(tensor, first)
    if op is None or tensor != op.outputs[0]:
        return Life((tensor,), _bytes(graph, tensor), first, max(last, first))
    dying = [i for i in op.inputs if last_use.get(i) == first and _is_computed(graph, i)]
    size, exact = _bytes(graph, tensor), graph.tensors[tensor].bytes
    lag = lag_bytes(op)
    over = {} if lag is None else dict.fromkeys(dying[:1], lag)
    same = [i for i in dying if op.kind in _IN_PLACE and graph.tensors[i].bytes == exact]
    return Life((tensor,), size, first, last, over, frozenset(same))


def _is_computed(graph: Graph, tensor: int) -> bool:
    t = graph.tensors[tensor]
    return t.data is None and not t.variable
