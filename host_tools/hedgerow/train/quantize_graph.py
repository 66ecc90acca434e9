"""Post-training quantisation of a float graph to int8, by the TFLite 8-bit specification.

    int8 = quantize_graph(graph, calibrate(graph, samples))

Weights symmetric per output channel, activations asymmetric with 0 exact, bias int32 of scale
input * weight. Ops that only move values share one scale; SOFTMAX, LOGISTIC and TANH have theirs.
Source: ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hedgerow.convert.graph import Graph, Op, Tensor, verify
from hedgerow.train.calibrate import SAME_SCALE, Range
from hedgerow.train.float_ops import LAYERS, constant_of
from hedgerow.train.tflite_writer import Quant

FIXED = {
    "LOGISTIC": Quant(1 / 256, -128),
    "SOFTMAX": Quant(1 / 256, -128),
    "TANH": Quant(1 / 128, 0),
}
_BIAS_LIMIT = float(1 << 30)  # leaves the accumulator of an int32 kernel as much again
_MIN_SCALE = 1e-20


def quantize_graph(
    graph: Graph,
    ranges: Mapping[int, Range],
    *,
    input_quant: Quant | None = None,
    per_channel: bool = True,
) -> Graph:
    """The int8 graph. ranges: of every computed tensor, from calibrate().

    input_quant: fixes the input's scale, which else follows its range. per_channel: False gives
    one weight scale a layer, which older runtimes need for FULLY_CONNECTED.
    """
    graph, ranges = _own_scales(graph, dict(ranges))
    quants = _activation_quants(graph, ranges, input_quant)
    tensors = [
        replace(t, dtype="int8", scales=(quants[i].scale,), zero_point=quants[i].zero_point)
        if i in quants
        else t
        for i, t in enumerate(graph.tensors)
    ]
    ops = [_quantized(op, tensors, quants, per_channel) for op in graph.ops]
    return verify(replace(graph, tensors=tuple(tensors), ops=tuple(ops)), after="quantising")


def activation_quant(low: float, high: float) -> Quant:
    """Scale and zero point that cover low .. high and represent 0 exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = float(np.float32(max(high - low, 1e-6) / 255.0))
    return Quant(scale, int(np.clip(np.round(-128 - low / scale), -128, 127)))


def _own_scales(graph: Graph, ranges: dict[int, Range]) -> tuple[Graph, dict[int, Range]]:
    """A QUANTIZE before a CONCATENATION wherever an input cannot take the common scale."""
    fixed = _fixed(graph)
    tensors, ops = list(graph.tensors), []
    for op in graph.ops:
        inputs = list(op.inputs)
        for place, index in enumerate(inputs if op.kind == "CONCATENATION" else ()):
            if index in fixed or tensors[index].data is not None:
                tensors.append(replace(tensors[index], name=f"{tensors[index].name}/rescaled"))
                tensors[-1] = replace(tensors[-1], data=None)
                ranges[len(tensors) - 1] = ranges.get(index) or _data_range(tensors[index])
                ops.append(Op("QUANTIZE", (index,), (len(tensors) - 1,)))
                inputs[place] = len(tensors) - 1
        ops.append(Op(op.kind, tuple(inputs), op.outputs, op.options))
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops)), ranges


def _fixed(graph: Graph) -> dict[int, Quant]:
    """Tensors whose scale the specification fixes, through ops that keep it."""
    fixed: dict[int, Quant] = {}
    for op in graph.ops:
        if op.kind in FIXED:
            fixed[op.outputs[0]] = FIXED[op.kind]
        elif op.kind in SAME_SCALE and op.kind != "CONCATENATION" and op.inputs[0] in fixed:
            fixed[op.outputs[0]] = fixed[op.inputs[0]]
    return fixed


def _data_range(tensor: Tensor) -> Range:
    data = constant_of(tensor)
    return float(data.min()), float(data.max())


def _activation_quants(
    graph: Graph, ranges: Mapping[int, Range], input_quant: Quant | None
) -> dict[int, Quant]:
    group = _groups(graph, list(ranges))
    fixed = {group[i]: quant for i, quant in _fixed(graph).items()}
    if input_quant is not None:
        fixed.setdefault(group[graph.input], input_quant)
    whole: dict[int, Range] = {}
    for i, (low, high) in ranges.items():
        a, b = whole.get(group[i], (0.0, 0.0))
        whole[group[i]] = (min(a, low), max(b, high))
    return {i: fixed.get(group[i]) or activation_quant(*whole[group[i]]) for i in ranges}


def _groups(graph: Graph, indices: list[int]) -> dict[int, int]:
    """Tensor index -> the first of those that must share its scale."""
    group = {i: i for i in indices}
    for op in graph.ops:
        if op.kind not in SAME_SCALE:
            continue
        joined = op.inputs if op.kind == "CONCATENATION" else op.inputs[:1]
        first = group[joined[0]]
        for index in (*joined[1:], *op.outputs):
            old = group[index]
            group = {i: first if g == old else g for i, g in group.items()}
    return group


def _quantized(
    op: Op, tensors: list[Tensor], quants: Mapping[int, Quant], per_channel: bool
) -> Op:
    """The op with int8 constants, which are appended to tensors."""
    inputs = list(op.inputs)
    for place, index in enumerate(inputs):
        tensor = tensors[index]
        if index == -1 or tensor.data is None or tensor.data.dtype != np.float32:
            continue
        if op.kind in LAYERS and place == LAYERS[op.kind][1]:
            new = _weights(op, tensors, quants, per_channel)
        elif op.kind in LAYERS:
            new = _bias(tensor, tensors[inputs[LAYERS[op.kind][1]]], tensors[_data(op)])
        else:
            fills = op.kind == "PADV2"  # in the scale of what it is put into
            own = quants[op.outputs[0]] if fills else activation_quant(*_data_range(tensor))
            new = _constant(tensor, own)
        tensors.append(new)
        inputs[place] = len(tensors) - 1
    return Op(op.kind, tuple(inputs), op.outputs, op.options)


def _data(op: Op) -> int:
    return op.inputs[LAYERS[op.kind][0]]


def _weights(
    op: Op, tensors: list[Tensor], quants: Mapping[int, Quant], per_channel: bool
) -> Tensor:
    _, place, bias_place = LAYERS[op.kind]
    tensor = tensors[op.inputs[place]]
    axis = 3 if op.kind == "DEPTHWISE_CONV_2D" else 0
    data = constant_of(tensor)
    rows = np.moveaxis(data, axis, 0).reshape(tensor.shape[axis], -1)
    reach = np.abs(rows).max(axis=1).astype(np.float64)
    floor = np.full(len(reach), max(float(reach.max()) * 1e-6, _MIN_SCALE))
    if len(op.inputs) > bias_place and op.inputs[bias_place] != -1:
        # A channel of tiny weights must still hold its bias (dead channels of pruned models).
        bias = np.abs(constant_of(tensors[op.inputs[bias_place]]).reshape(-1))
        floor = np.maximum(floor, 127 * bias / (quants[_data(op)].scale * _BIAS_LIMIT))
    reach = np.maximum(reach, floor)
    scales = (reach if per_channel else reach.max(keepdims=True)) / 127.0
    scales = scales.astype(np.float32).astype(np.float64)
    shape = [1] * data.ndim
    shape[axis] = -1
    q = np.clip(np.round(data / scales.reshape(shape)), -127, 127).astype(np.int8)
    return replace(tensor, dtype="int8", scales=tuple(scales.tolist()), data=q)


def _bias(tensor: Tensor, weights: Tensor, x: Tensor) -> Tensor:
    scales = np.float32(x.scale) * np.array(weights.scales, dtype=np.float32)
    q = np.round(constant_of(tensor).reshape(-1).astype(np.float64) / scales.astype(np.float64))
    data = np.clip(q, -_BIAS_LIMIT, _BIAS_LIMIT).astype(np.int32)
    exact = tuple(float(s) for s in scales)
    return Tensor(tensor.name, data.shape, "int32", exact, 0, data)


def _constant(tensor: Tensor, quant: Quant) -> Tensor:
    """An operand, as int8."""
    q = np.round(constant_of(tensor).astype(np.float64) / quant.scale) + quant.zero_point
    data = np.clip(q, -128, 127).astype(np.int8)
    return replace(
        tensor, dtype="int8", scales=(quant.scale,), zero_point=quant.zero_point, data=data
    )
