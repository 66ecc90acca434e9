"""Passes that bring a float graph to the ops the quantiser knows; what it computes stays.

    graph = simplify(read_tflite(data))

BatchNorm arrives here as MUL and ADD by constants and ends in the weights of the layer before.
"""

from collections import Counter
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from hedgerow.convert.graph import Graph, Op, Tensor, verify, where
from hedgerow.convert.shapes import drop_dead
from hedgerow.errors import ModelError
from hedgerow.train.float_ops import LAYERS, check_float, constant_of

_FOLDING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_FUSING = (*_FOLDING, "ADD", "SUB", "MUL")
_ACTIVATIONS = {"RELU": "relu", "RELU6": "relu6", "RELU_N1_TO_1": "relu_n1_to_1"}


def simplify(graph: Graph) -> Graph:
    """The graph with folded constants and fused activations.

    Raises ModelError naming an op that cannot be quantised, and what to use instead.
    """
    graph = verify(graph, after="reading")
    for rewrite in PASSES:
        graph = verify(rewrite(graph), after=rewrite.__name__)
        if rewrite is drop_dead:
            check_float(graph)
    return check_float(graph)


def refuse_quantised(graph: Graph) -> Graph:
    """Raises ModelError if the model is not float: nothing is left to calibrate then."""
    tensor = graph.tensors[graph.input]
    if tensor.dtype != "float32":
        raise ModelError(
            f"input {tensor.name!r} is {tensor.dtype}: quantising starts from a float32 model "
            "(an int8 one goes straight to `hedgerow convert`)"
        )
    for op in graph.ops:
        if op.kind in LAYERS and any(graph.tensors[i].dtype == "int8" for i in op.inputs):
            raise ModelError(f"{where(graph, op)} has int8 weights: export without quantisation")
    return graph


def widen_constants(graph: Graph) -> Graph:
    """DEQUANTIZE of a float16 constant becomes the float32 constant."""
    tensors, ops = list(graph.tensors), []
    for op in graph.ops:
        source = graph.tensors[op.inputs[0]] if op.inputs else None
        if op.kind == "DEQUANTIZE" and source and source.data is not None:
            if source.dtype != "float16":
                raise ModelError(f"{where(graph, op)}: export without quantisation")
            index = op.outputs[0]
            tensors[index] = replace(tensors[index], data=source.data.astype(np.float32))
        else:
            ops.append(op)
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def plain_reshapes(graph: Graph) -> Graph:
    """The shape of a RESHAPE is known, whoever computes it in the file."""
    tensors, ops = list(graph.tensors), []
    for op in graph.ops:
        if op.kind == "RESHAPE":
            shape = np.array(tensors[op.outputs[0]].shape, dtype=np.int32)
            tensors.append(Tensor(f"shape_{len(tensors)}", shape.shape, "int32", data=shape))
            op = Op("RESHAPE", (op.inputs[0], len(tensors) - 1), op.outputs)
        ops.append(op)
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def fold_scales(graph: Graph) -> Graph:
    """MUL, ADD and SUB by a constant per channel go into the layer before, its only reader."""
    while (folded := _fold_one(graph)) is not None:
        graph = folded
    return graph


def _fold_one(graph: Graph) -> Graph | None:
    readers = _readers(graph)
    makers = {op.outputs[0]: op for op in graph.ops}
    folds = (_folded(graph, op, makers, readers) for op in graph.ops)
    return next((folded for folded in folds if folded is not None), None)


def _readers(graph: Graph) -> Counter:
    counts = Counter(i for op in graph.ops for i in op.inputs)
    counts[graph.output] += 1
    return counts


def _folded(graph: Graph, op: Op, makers: dict[int, Op], readers: Counter) -> Graph | None:
    """The graph with `op` inside the layer that makes its input; None if it does not fit."""
    if op.kind not in ("MUL", "ADD", "SUB"):
        return None
    operands = [graph.tensors[i].data for i in op.inputs[:2]]
    place = 0 if operands[0] is None else 1  # of the computed input
    factor = operands[1 - place]
    maker = makers.get(op.inputs[place])
    channels = graph.tensors[op.outputs[0]].shape[-1]
    if factor is None or maker is None or factor.size not in (1, channels):
        return None
    free = maker.kind in _FOLDING and maker.options["activation"] == "none"
    along = factor.size == 1 or factor.shape[-1] == channels
    if not free or not along or readers[maker.outputs[0]] != 1:
        return None
    if op.kind == "SUB" and place == 1:
        return None
    return _merge(graph, maker, op, np.broadcast_to(factor.reshape(-1), (channels,)))


def _merge(graph: Graph, layer: Op, op: Op, factor: np.ndarray) -> Graph:
    axis = 3 if layer.kind == "DEPTHWISE_CONV_2D" else 0
    weights = graph.tensors[layer.inputs[1]]
    w, b = constant_of(weights), np.zeros(len(factor), np.float32)
    if len(layer.inputs) > 2 and layer.inputs[2] != -1:
        b = constant_of(graph.tensors[layer.inputs[2]]).reshape(-1)
    if op.kind == "MUL":
        shape = [1] * w.ndim
        shape[axis] = -1
        w, b = w * factor.reshape(shape), b * factor
    else:
        b = b + factor if op.kind == "ADD" else b - factor
    new_w = replace(weights, data=w.astype(np.float32))
    new_b = Tensor(f"{weights.name}/bias", b.shape, "float32", data=b.astype(np.float32))
    tensors = (*graph.tensors, new_w, new_b)
    options = MappingProxyType({**layer.options, "activation": op.options["activation"]})
    inputs = (layer.inputs[0], len(tensors) - 2, len(tensors) - 1)
    merged = Op(layer.kind, inputs, op.outputs, options)
    ops = [merged if o is layer else o for o in graph.ops if o is not op]
    return replace(graph, tensors=tensors, ops=tuple(ops))


def fuse_activations(graph: Graph) -> Graph:
    """RELU and its kin become the clamp of the op before, if only they read it."""
    readers, makers = _readers(graph), {op.outputs[0]: op for op in graph.ops}
    fused: dict[int, Op] = {}
    gone = set()
    for op in graph.ops:
        maker = makers.get(op.inputs[0]) if op.kind in _ACTIVATIONS else None
        if maker is None or maker.kind not in _FUSING or readers[maker.outputs[0]] != 1:
            continue
        if maker.options["activation"] == "none":
            options = MappingProxyType({**maker.options, "activation": _ACTIVATIONS[op.kind]})
            fused[id(maker)] = Op(maker.kind, maker.inputs, op.outputs, options)
            gone.add(id(op))
    return graph.with_ops([fused.get(id(op), op) for op in graph.ops if id(op) not in gone])


PASSES = (
    refuse_quantised,
    widen_constants,
    plain_reshapes,
    drop_dead,
    fold_scales,
    fuse_activations,
)
