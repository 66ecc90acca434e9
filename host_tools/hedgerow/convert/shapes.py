"""Ops that compute a shape go: every tensor's shape is known in the file.

Keras writes SHAPE, STRIDED_SLICE and PACK before the RESHAPE of a Reshape layer, for a batch of
any size.
"""

from dataclasses import replace

from hedgerow.convert.graph import Graph


def drop_shapes(graph: Graph) -> Graph:
    """A RESHAPE takes its output's shape, so what computed that for it is dead and goes."""
    ops = [replace(op, inputs=op.inputs[:1]) if op.kind == "RESHAPE" else op for op in graph.ops]
    return drop_dead(replace(graph, ops=tuple(ops)))


def drop_dead(graph: Graph) -> Graph:
    """Without the ops whose output nobody reads."""
    needed, kept = {graph.output}, []
    for op in reversed(graph.ops):
        if needed.intersection(op.outputs):
            needed.update(op.inputs)
            kept.append(op)
    return replace(graph, ops=tuple(kept[::-1]))
