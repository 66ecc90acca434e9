"""Rewrites an imported graph into device ops: small passes, the graph verified after each.

    device_graph = lower(graph)

Kinds of a device graph: dense, conv, depthwise, pool, add, softmax, table (ops/device.py).
"""

from dataclasses import replace

from hedgerow.convert.graph import Graph, Op, Tensor, verify, where
from hedgerow.convert.lowering import LOWERINGS
from hedgerow.convert.ops.conv import Window
from hedgerow.errors import ModelError

_MIN_SCALE, _MAX_SCALE = 1e-30, 1e30  # of a tensor; beyond, float32 ratios are not finite
_KNOWN = ("RESHAPE", *LOWERINGS)
_ALTERNATIVES = {
    "CONCATENATION": "add the branches (ADD) or widen one convolution",
    "DEQUANTIZE": "export with int8 inputs and outputs",
    "MEAN": "use AVERAGE_POOL_2D over the whole image (keras.layers.AveragePooling2D)",
    "MUL": "fold the factor into the weights of the layer before",
    "PAD": 'use padding="same" in the convolution',
    "PADV2": 'use padding="same" in the convolution',
    "STRIDED_SLICE": "slice the features before the model",
    "SVDF": "use convolutions over a window of features",
    "TRANSPOSE_CONV": "use CONV_2D",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "use convolutions over a window of features",
}


def refuse_unsupported(graph: Graph) -> Graph:
    """The graph unchanged; raises ModelError naming op, layer and what to use instead."""
    for index in (graph.input, graph.output):
        _check_interface(graph.tensors[index])
    for op in graph.ops:
        if op.kind not in _KNOWN:
            cure = _ALTERNATIVES.get(op.kind, f"supported are {', '.join(sorted(_KNOWN))}")
            raise ModelError(f"{where(graph, op)} is not supported: {cure}")
        _check_int8(graph, op)
    return graph


def _check_interface(tensor: Tensor) -> None:
    if tensor.dtype != "int8" or not tensor.scales:
        raise ModelError(
            f"input or output {tensor.name!r} is {tensor.dtype}, must be quantised int8: "
            "quantise the model with int8 inference_input_type and inference_output_type"
        )


def _check_int8(graph: Graph, op: Op) -> None:
    operands = op.inputs[:2] if op.kind in ("ADD", "SUB") else op.inputs[:1]
    for index in (*operands, op.outputs[0]) if operands else (-1,):
        tensor = graph.tensors[index]
        if index == -1 or tensor.dtype != "int8" or len(tensor.scales) != 1 or not tensor.scale:
            raise ModelError(
                f"{where(graph, op)}: {tensor.name!r} is {tensor.dtype}"
                f"{' without one scale' if tensor.dtype == 'int8' else ''}; "
                "quantise the whole model to int8"
            )
        if not _MIN_SCALE < tensor.scale < _MAX_SCALE:
            raise ModelError(f"{where(graph, op)}: scale {tensor.scale:g} is out of range")
        if not -128 <= tensor.zero_point <= 127:
            raise ModelError(f"{where(graph, op)}: zero point {tensor.zero_point} is not an int8")


def lower_ops(graph: Graph) -> Graph:
    """Every op but RESHAPE becomes a device op, which carries the shape it needs."""
    return graph.with_ops([_lowered(graph, op) for op in graph.ops])


def _lowered(graph: Graph, op: Op) -> Op:
    return op if op.kind == "RESHAPE" else LOWERINGS[op.kind](graph, op)


def drop_reshape(graph: Graph) -> Graph:
    """RESHAPE moves no bytes: readers of its output read its input."""
    same: dict[int, int] = {}
    ops = []
    for op in graph.ops:
        inputs = tuple(same.get(i, i) for i in op.inputs)
        if op.kind == "RESHAPE":
            _check_reshape(graph, op)
            same[op.outputs[0]] = inputs[0]
        else:
            ops.append(Op(op.kind, inputs, op.outputs, op.options))
    if not ops:
        raise ModelError("the model computes nothing")
    return graph.with_ops(ops, same.get(graph.output, graph.output))


def _check_reshape(graph: Graph, op: Op) -> None:
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    if x.elements != out.elements or (x.scales, x.zero_point) != (out.scales, out.zero_point):
        raise ModelError(f"{where(graph, op)} changes more than the shape")


def add_scratch(graph: Graph) -> Graph:
    """A conv or depthwise that must gather what it sees gets the bytes for it: a second output."""
    tensors, ops = list(graph.tensors), []
    for op in graph.ops:
        size = _scratch_bytes(op)
        outputs = op.outputs
        if size:
            outputs = (*outputs, len(tensors))
            tensors.append(Tensor(f"{tensors[op.outputs[0]].name} (scratch)", (size,), "int8"))
        ops.append(Op(op.kind, op.inputs, outputs, op.options))
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _scratch_bytes(op: Op) -> int:
    """One patch; 0 where the kernel reads the input as it lies."""
    if op.kind not in ("conv", "depthwise"):
        return 0
    area: Window = op.options["window"]
    in_h, in_w, channels = op.options["in_shape"][1:]
    patch = area.kernel[0] * area.kernel[1] * channels
    inside = area.pad == (0, 0) and all(
        (area.out[a] - 1) * area.stride[a] + (area.kernel[a] - 1) * area.dilation[a] < side
        for a, side in enumerate((in_h, in_w))
    )
    if op.kind == "depthwise":
        return 0 if inside else patch
    plain = area.kernel == area.stride == area.dilation == (1, 1) and area.out == (in_h, in_w)
    return 0 if plain and inside else patch


PASSES = (refuse_unsupported, lower_ops, drop_reshape, add_scratch)


def lower(graph: Graph) -> Graph:
    """Rewrite an imported graph into device ops. Raises ModelError naming the op."""
    for rewrite in PASSES:
        graph = verify(rewrite(graph), after=rewrite.__name__)
    return graph
