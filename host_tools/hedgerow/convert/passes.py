"""Rewrites an imported graph into device ops: small passes, the graph verified after each.

    device_graph = lower(graph)

Kinds of a device graph: those in lower case of ops/__init__.py.
"""

from dataclasses import replace

import numpy as np

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
    "BATCH_TO_SPACE_ND": "use a convolution with dilation",
    "DEQUANTIZE": "export with int8 inputs and outputs",
    "DIV": "use MUL by the inverse",
    "ELU": "use RELU or HARD_SWISH",
    "GELU": "use HARD_SWISH",
    "HARD_SIGMOID": "use LOGISTIC",
    "PACK": "use CONCATENATION",
    "PRELU": "use LEAKY_RELU",
    "REDUCE_MAX": "use MAX_POOL_2D over the whole image",
    "RESIZE_BILINEAR": "use TRANSPOSE_CONV",
    "RESIZE_NEAREST_NEIGHBOR": "use TRANSPOSE_CONV",
    "SLICE": "use STRIDED_SLICE",
    "SPACE_TO_BATCH_ND": "use a convolution with dilation",
    "SPLIT": "use STRIDED_SLICE",
    "TRANSPOSE": "order the axes in training as the layers need them (NHWC)",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "use UNIDIRECTIONAL_SEQUENCE_LSTM or SVDF",
}


def refuse_unsupported(graph: Graph) -> Graph:
    """The graph unchanged; raises ModelError naming op, layer and what to use instead."""
    _check_interface(graph)
    for op in graph.ops:
        if op.kind not in _KNOWN:
            cure = _ALTERNATIVES.get(op.kind, f"supported are {', '.join(sorted(_KNOWN))}")
            raise ModelError(f"{where(graph, op)} is not supported: {cure}")
        _check_op(graph, op)
    return graph


_INTERFACE = {"input": ("int8", "int16"), "output": ("int8", "int16", "int32")}


def _check_interface(graph: Graph) -> None:
    for side, dtypes in _INTERFACE.items():
        tensor = graph.tensors[graph.input if side == "input" else graph.output]
        if tensor.dtype not in dtypes or len(tensor.scales) != 1:
            raise ModelError(
                f"{side} {tensor.name!r} is {tensor.dtype}, must be quantised "
                f"{' or '.join(dtypes)}: quantise the model with int8 inference_input_type and "
                "inference_output_type"
            )
        _check_quantization(f"{side} {tensor.name!r}", tensor)
        if not -128 <= tensor.zero_point <= 127:
            raise ModelError(f"{side} {tensor.name!r}: zero point {tensor.zero_point} is no int8")


# Places of the inputs that are activations, where it is not the first alone; and the ops that
# take or give other types than int8.
_ACTIVATIONS = {"ADD": (0, 1), "SUB": (0, 1), "MUL": (0, 1), "TRANSPOSE_CONV": (2,)}
_WIDER = {"QUANTIZE": ("int8", "int16", "int32"), "SOFTMAX": ("int8", "int16")}


def _check_op(graph: Graph, op: Op) -> None:
    places = _ACTIVATIONS.get(op.kind, (0,))
    if op.kind == "CONCATENATION":
        places = tuple(range(len(op.inputs)))
    if len(op.inputs) <= max(places, default=0) or any(op.inputs[p] == -1 for p in places):
        raise ModelError(f"{where(graph, op)} lacks an input")
    for index in (*(op.inputs[p] for p in places), op.outputs[0]):
        tensor, dtypes = graph.tensors[index], _WIDER.get(op.kind, ("int8",))
        if tensor.dtype not in dtypes or len(tensor.scales) != 1 or not tensor.scale:
            without = " without one scale" if tensor.dtype in dtypes else ""
            raise ModelError(
                f"{where(graph, op)}: {tensor.name!r} is {tensor.dtype}{without}; "
                "quantise the whole model to int8"
            )
        _check_quantization(where(graph, op), tensor)


def _check_quantization(who: str, tensor: Tensor) -> None:
    if not _MIN_SCALE < tensor.scale < _MAX_SCALE:
        raise ModelError(f"{who}: scale {tensor.scale:g} is out of range")
    limits = np.iinfo(tensor.dtype)
    if not limits.min <= tensor.zero_point <= limits.max:
        raise ModelError(f"{who}: zero point {tensor.zero_point} is not an {tensor.dtype}")


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
    output = same.get(graph.output, graph.output)
    if not ops or output == graph.input:
        raise ModelError("the model computes nothing: its output is its input")
    return graph.with_ops(ops, output)


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
