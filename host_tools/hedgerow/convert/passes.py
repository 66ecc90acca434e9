"""Rewrites an imported graph into device ops: small passes, the graph verified after each.

    device_graph = lower(graph)

Kinds of a device graph: dense, conv, depthwise, pool, add, softmax, table (ops/device.py).
"""

from dataclasses import replace

from hedgerow.convert.eliminate import eliminate
from hedgerow.convert.fold import fold_constants, fold_padding, fuse_clamps
from hedgerow.convert.graph import Graph, Op, Tensor, verify, where
from hedgerow.convert.lowering import LOWERINGS, lower_ops
from hedgerow.convert.order import order_for_arena
from hedgerow.convert.overlap import is_direct, sees_border
from hedgerow.errors import ModelError

_MIN_SCALE, _MAX_SCALE = 1e-30, 1e30  # of a tensor; beyond, float32 ratios are not finite
_KNOWN = tuple(LOWERINGS)
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
    """An op that needs working memory gets it as a second output."""
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
    """As SPEC.md gives them to each kind; 0: none."""
    if op.kind == "lstm":
        return 8 * int(op.options["cells"])
    if op.kind == "conv":
        taps = op.options["weights"].shape[1]
        one_pixel = op.options["window"].out == (1, 1)
        return 0 if is_direct(op) and one_pixel else 4 * (taps + taps % 2)
    if op.kind == "depthwise" and sees_border(op):
        return -(-op.options["weights"].size // 4) * 4
    return 0


PASSES = (
    fold_constants,
    refuse_unsupported,
    lower_ops,
    drop_reshape,
    fuse_clamps,
    fold_padding,
    eliminate,
    order_for_arena,
    add_scratch,
)


def lower(graph: Graph) -> Graph:
    """Rewrite an imported graph into device ops. Raises ModelError naming the op."""
    for rewrite in PASSES:
        graph = verify(rewrite(graph), after=rewrite.__name__)
    return graph
