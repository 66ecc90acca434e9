"""The order of ops that needs the least memory: branches can be computed one or the other way."""

from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.plan import find_lives, live_bytes

_ROUNDS = 8  # through all neighbours; a chain needs one
_EFFORT = 40_000  # trials times ops, some seconds: a batch of 81 images would take hours


def order_for_arena(graph: Graph) -> Graph:
    """Move ops past neighbours they do not depend on as long as the live bytes get fewer."""
    best, trials = _live(graph), _EFFORT // len(graph.ops)
    for _ in range(_ROUNDS):
        improved = False
        for place, op in enumerate(graph.ops):
            for target in _other_places(graph, place, op):
                if not trials:
                    return graph
                trials -= 1
                trial = graph.with_ops(_moved(graph, place, target))
                if _live(trial) < best:
                    graph, best, improved = trial, _live(trial), True
                    break
        if not improved:
            break
    return graph


def _live(graph: Graph) -> int:
    return live_bytes(find_lives(graph), len(graph.ops))


def _moved(graph: Graph, place: int, target: int) -> list[Op]:
    ops = list(graph.ops)
    ops.insert(target, ops.pop(place))
    return ops


def _other_places(graph: Graph, place: int, op: Op) -> range:
    """Earlier places of the op, down to just behind the last op that it depends on."""
    needs = set(op.inputs)
    earliest = place
    while earliest and not needs & set(graph.ops[earliest - 1].outputs):
        if _keeps_state(graph, op) or _keeps_state(graph, graph.ops[earliest - 1]):
            break  # what shares state keeps its order
        earliest -= 1
    return range(earliest, place)


def _keeps_state(graph: Graph, op: Op) -> bool:
    return any(graph.tensors[i].variable for i in op.inputs if i != -1)
