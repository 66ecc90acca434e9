"""Rewrites an imported graph into device ops: small passes, the graph verified after each.

    device_graph = lower(graph)

A device graph has two kinds of ops, "dense" and "table", whose options are final numbers.
"""

from types import MappingProxyType
from typing import Any

import numpy as np

from hedgerow.convert import arithmetic, reference
from hedgerow.convert.graph import Graph, Op, verify, where
from hedgerow.errors import ModelError

MAX_IN = 1 << 15  # of a dense op: above, (x + 128) * (w + 128) summed may leave int32
MAX_OUT = 1 << 16
_INT32 = 1 << 31
_ALTERNATIVES = {
    "SOFTMAX": "end the model in LOGISTIC, or leave the last FULLY_CONNECTED's scores as they are",
    "DEQUANTIZE": "export with int8 inputs and outputs",
    "RELU": "let the exporter fuse it into the layer before (the default of TFLite converters)",
    "TANH": "use LOGISTIC or RELU",
    "CONV_2D": "use dense layers on computed features",
    "DEPTHWISE_CONV_2D": "use dense layers on computed features",
}


def refuse_unsupported(graph: Graph) -> Graph:
    """The graph unchanged; raises ModelError naming op, layer and what to use instead."""
    known = ("FULLY_CONNECTED", "LOGISTIC", "QUANTIZE", "RESHAPE")
    for op in graph.ops:
        if op.kind not in known:
            cure = _ALTERNATIVES.get(op.kind, f"supported are {', '.join(known)}")
            raise ModelError(f"{where(graph, op)} is not supported: {cure}")
        _check_int8(graph, op)
    return graph


def _check_int8(graph: Graph, op: Op) -> None:
    for index in (op.inputs[0] if op.inputs else -1, op.outputs[0]):
        tensor = graph.tensors[index]
        if index == -1 or tensor.dtype != "int8" or len(tensor.scales) != 1 or not tensor.scale:
            raise ModelError(
                f"{where(graph, op)}: {tensor.name!r} is {tensor.dtype}"
                f"{' without one scale' if tensor.dtype == 'int8' else ''}; "
                "quantise the whole model to int8"
            )
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


def make_tables(graph: Graph) -> Graph:
    """LOGISTIC and QUANTIZE have 256 possible inputs: exact 256-byte tables."""
    return graph.with_ops([_as_table(graph, op) for op in graph.ops])


def _as_table(graph: Graph, op: Op) -> Op:
    if op.kind not in ("LOGISTIC", "QUANTIZE"):
        return op
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    if x.elements != out.elements or x.elements > MAX_OUT:
        raise ModelError(f"{where(graph, op)}: shapes {x.shape} and {out.shape}")
    if op.kind == "LOGISTIC":
        if (out.scale, out.zero_point) != (1 / 256, -128):
            raise ModelError(f"{where(graph, op)}: output must have scale 1/256, zero point -128")
        table = arithmetic.logistic_int8_table(x.scale, x.zero_point)
    else:
        table = arithmetic.requantize_int8_table(x.scale, x.zero_point, out.scale, out.zero_point)
    return Op("table", op.inputs[:1], op.outputs, MappingProxyType({"table": table}))


def choose_requant(graph: Graph) -> Graph:
    """FULLY_CONNECTED to dense: zero point folded into the bias, multipliers and clamp final."""
    ops = [_as_dense(graph, op) if op.kind == "FULLY_CONNECTED" else op for op in graph.ops]
    return graph.with_ops(ops)


def _as_dense(graph: Graph, op: Op) -> Op:
    weights, bias = _constants(graph, op)
    x, out = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    scales = reference.effective_scales(x, graph.tensors[op.inputs[1]], out)
    pairs = tuple(arithmetic.quantize_multiplier(s) for s in scales)
    if op.options["activation"] not in ("none", "relu", "relu6", "relu_n1_to_1"):
        raise ModelError(f"{where(graph, op)}: unknown fused activation")
    low, high = reference.activation_range(op.options["activation"], out)
    folded = bias - x.zero_point * weights.astype(np.int64).sum(axis=1)
    options: dict[str, Any] = {
        "weights": weights,
        "bias": folded,
        "requant": pairs,
        "zero_point": out.zero_point,
        "act_min": low,
        "act_max": high,
    }
    _check_int32(graph, op, options)
    return Op("dense", op.inputs[:1], op.outputs, MappingProxyType(options))


def _constants(graph: Graph, op: Op) -> tuple[np.ndarray, np.ndarray]:
    """(n_out, n_in) int8 weights and (n_out,) int64 bias; raises ModelError if they do not fit."""
    if len(op.inputs) < 2 or op.inputs[1] == -1:
        raise ModelError(f"{where(graph, op)} has no weights")
    x, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    if weights.data is None or weights.dtype != "int8" or weights.data.ndim != 2:
        raise ModelError(f"{where(graph, op)}: weights must be a constant int8 matrix")
    n_out, n_in = weights.shape
    if len(weights.scales) not in (1, n_out) or weights.zero_point or not all(weights.scales):
        raise ModelError(f"{where(graph, op)}: weights must be symmetric, per tensor or channel")
    if n_in > MAX_IN or n_out > MAX_OUT or x.elements % n_in:
        raise ModelError(f"{where(graph, op)}: {x.elements} inputs for weights {weights.shape}")
    if graph.tensors[op.outputs[0]].elements != x.elements // n_in * n_out:
        raise ModelError(f"{where(graph, op)}: output shape does not fit the weights")
    if len(op.inputs) < 3 or op.inputs[2] == -1:
        return weights.data, np.zeros(n_out, dtype=np.int64)
    bias = graph.tensors[op.inputs[2]]
    if bias.data is None or bias.dtype != "int32" or bias.elements != n_out:
        raise ModelError(f"{where(graph, op)}: bias must be {n_out} constant int32")
    return weights.data, bias.data.reshape(-1).astype(np.int64)


def _check_int32(graph: Graph, op: Op, options: dict[str, Any]) -> None:
    """No input may drive an accumulator out of int32: then every order of adding is exact."""
    weights = options["weights"].astype(np.int64)
    shifts = max(0, *(shift for _, shift in options["requant"]))
    worst = np.abs(options["bias"]) + 256 * np.abs(weights).sum(axis=1)
    if int(worst.max()) << shifts >= _INT32 or shifts > 30:
        raise ModelError(f"{where(graph, op)}: accumulator may overflow int32; rescale the layer")


PASSES = (refuse_unsupported, drop_reshape, make_tables, choose_requant)


def lower(graph: Graph) -> Graph:
    """Rewrite an imported graph into device ops. Raises ModelError naming the op."""
    for rewrite in PASSES:
        graph = verify(rewrite(graph), after=rewrite.__name__)
    return graph
