"""A model that is int8 inside with float ends: QUANTIZE and DEQUANTIZE at the border go.

A board quantises by itself (Model.quantize), so the interface becomes the integer tensor behind.
"""

from dataclasses import replace

from hedgerow.convert.graph import Graph, Op

_INTEGERS = ("int8", "int16")


def cut_float_border(graph: Graph) -> Graph:
    """The graph from the first integer tensor to the last; unchanged where it is not of the kind.

    The op indices of errors then count from the first op that stays.
    """
    return _cut_output(_cut_input(graph))


def _cut_input(graph: Graph) -> Graph:
    """Every reader of the float input is a QUANTIZE, and they all give the same integers."""
    readers = [op for op in graph.ops if graph.input in op.inputs]
    same = {_numbers(graph, op) for op in readers}
    plain = all(op.kind == "QUANTIZE" and len(op.inputs) == 1 for op in readers)
    if graph.tensors[graph.input].dtype != "float32" or not plain or len(same) != 1:
        return graph
    outputs = {op.outputs[0] for op in readers}
    first = readers[0].outputs[0]
    if graph.tensors[first].dtype not in _INTEGERS or outputs & {graph.input, graph.output}:
        return graph
    ops = [_reading(op, outputs, first) for op in graph.ops if op not in readers]
    return replace(graph, ops=tuple(ops), input=first)


def _numbers(graph: Graph, op: Op) -> tuple[object, ...]:
    t = graph.tensors[op.outputs[0]]
    return t.dtype, t.scales, t.zero_point, t.shape


def _reading(op: Op, old: set[int], new: int) -> Op:
    return replace(op, inputs=tuple(new if i in old else i for i in op.inputs))


def _cut_output(graph: Graph) -> Graph:
    makers = [op for op in graph.ops if graph.output in op.outputs]
    if len(makers) != 1 or makers[0].kind != "DEQUANTIZE" or len(makers[0].inputs) != 1:
        return graph
    source = makers[0].inputs[0]
    reads = any(graph.output in op.inputs for op in graph.ops)
    if source == -1 or graph.tensors[source].dtype not in _INTEGERS or reads:
        return graph
    ops = tuple(op for op in graph.ops if op is not makers[0])
    return replace(graph, ops=ops, output=source)
