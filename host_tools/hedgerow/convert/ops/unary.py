"""Ops of one int8 to one int8: each is a table of 256 values, made by the exact arithmetic.

Adding one is a function and a row of TABLES. Sources in each function; micro/kernels of TFLM.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hedgerow.convert import arithmetic
from hedgerow.convert.arithmetic import multiply_by_quantized_multiplier, quantize_multiplier
from hedgerow.convert.graph import Graph, Op, Tensor, naming, where
from hedgerow.convert.ops.quant import Values, activation_range, shaped, tensors
from hedgerow.errors import ModelError

_ALL = np.arange(-128, 128, dtype=np.int64)


def _clip(x: np.ndarray, low: int = -128, high: int = 127) -> np.ndarray:
    return np.clip(x, low, high).astype(np.int8)


def _logistic(x: Tensor, out: Tensor, _op: Op) -> np.ndarray:
    if (out.scale, out.zero_point) != (1 / 256, -128):
        raise ModelError("output must have scale 1/256, zero point -128")
    return arithmetic.logistic_int8_table(x.scale, x.zero_point)


def _tanh(x: Tensor, out: Tensor, _op: Op) -> np.ndarray:
    """integer_ops/tanh.h."""
    if (out.scale, out.zero_point) != (1 / 128, 0):
        raise ModelError("output must have scale 1/128, zero point 0")
    multiplier, shift, radius = arithmetic.sigmoid_input(x.scale)
    table = np.empty(256, dtype=np.int64)
    for i, q in enumerate(_ALL.tolist()):
        value = q - x.zero_point
        if abs(value) >= radius:
            table[i] = 127 if value > 0 else -128
            continue
        q4 = multiply_by_quantized_multiplier(value, multiplier, shift)
        table[i] = arithmetic.rounding_divide_by_pot(arithmetic.tanh(q4, 4), 24)
    return _clip(table)


def _requantize(x: Tensor, out: Tensor, _op: Op) -> np.ndarray:
    return arithmetic.requantize_int8_table(x.scale, x.zero_point, out.scale, out.zero_point)


def _relu(x: Tensor, out: Tensor, _op: Op) -> np.ndarray:
    """activations_common.cc: scales to the output, then clamps at its zero."""
    pair = quantize_multiplier(float(np.float32(x.scale)) / float(np.float32(out.scale)))
    scaled = out.zero_point + multiply_by_quantized_multiplier(_ALL - x.zero_point, *pair)
    return _clip(scaled, max(-128, out.zero_point))


def _relu6(x: Tensor, _out: Tensor, _op: Op) -> np.ndarray:
    """activations.cc: clamps in the input's scale, which the output shares."""
    return _clip(_ALL, *activation_range("relu6", x))


def _leaky_relu(x: Tensor, out: Tensor, op: Op) -> np.ndarray:
    """leaky_relu_common.cc: float32 scales."""
    s, o, alpha = (np.float32(v) for v in (x.scale, out.scale, op.options["alpha"]))
    value = _ALL - x.zero_point
    positive = multiply_by_quantized_multiplier(value, *quantize_multiplier(float(s / o)))
    slope = float(s * alpha / o)
    sign = -1 if slope < 0 else 1
    multiplier, shift = quantize_multiplier(slope)
    negative = sign * multiply_by_quantized_multiplier(value, multiplier, shift)
    return _clip(out.zero_point + np.where(value >= 0, positive, negative))


def _hard_swish(x: Tensor, out: Tensor, op: Op) -> np.ndarray:
    """reference/hard_swish.h, hard_swish_common.cc: 16-bit fixed point."""
    high_resolution = np.float32(1 / 128) * np.float32(x.scale)
    gain, gain_shift = _pair16(high_resolution / np.float32(out.scale))
    slope, slope_shift = _pair16(high_resolution / (np.float32(3.0) / np.float32(32768.0)))
    if gain_shift > 0:
        raise ModelError("output scale is too fine for HARD_SWISH")
    if min(gain_shift, slope_shift) < -15:  # TFLM shifts 16-bit numbers by them
        raise ModelError("input scale is too fine for HARD_SWISH, or for its output's")
    wide = (_ALL - x.zero_point) << 7
    preshift = _srdhm16(wide, gain)
    reluish = _saturate16(wide << max(slope_shift - 1, 0))
    reluish = _srdhm16(reluish, slope)
    if slope_shift > 0:
        reluish = _saturate16(reluish << 1)
    reluish = arithmetic.rounding_divide_by_pot(reluish, max(-slope_shift, 0))
    reluish = (reluish + (1 << 15)) >> 1
    product = reluish * preshift
    product = np.sign(product) * (np.abs(product) >> 15)  # C's division rounds to zero
    return _clip(arithmetic.rounding_divide_by_pot(product, -gain_shift) + out.zero_point)


def _pair16(scale: np.floating) -> tuple[int, int]:
    """DownScaleInt32ToInt16Multiplier: the multiplier's upper 16 bits, rounded, saturated."""
    multiplier, shift = quantize_multiplier(float(scale))
    return min((multiplier + (1 << 15)) >> 16, 32767), shift


def _saturate16(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -32768, 32767)


def _srdhm16(a: np.ndarray, b: int) -> np.ndarray:
    return _saturate16((a * b + (1 << 14)) >> 15)


TABLES: Mapping[str, Callable[[Tensor, Tensor, Op], np.ndarray]] = {
    "HARD_SWISH": _hard_swish,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _logistic,
    "QUANTIZE": _requantize,
    "RELU": _relu,
    "RELU6": _relu6,
    "TANH": _tanh,
}


def table_of(graph: Graph, op: Op) -> np.ndarray:
    """(256,) int8 of outputs for -128 .. 127. Raises ModelError naming the op."""
    x, out = tensors(graph, op, 1)
    with naming(graph, op):
        return TABLES[op.kind](x, out, op)


def quantize_pair(x: Tensor, out: Tensor) -> tuple[int, int]:
    return quantize_multiplier(float(x.scale) / float(out.scale))


def quantize(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """QUANTIZE between int8, int16 and int32 (reference/requantize.h); float32 is refused."""
    x, out = tensors(graph, op, 1)
    if not {x.dtype, out.dtype} <= {"int8", "int16", "int32"}:
        raise ModelError(f"{where(graph, op)}: from {x.dtype} to {out.dtype}")
    pair = quantize_pair(x, out)
    value = values[op.inputs[0]].astype(np.int64) - x.zero_point
    scaled = multiply_by_quantized_multiplier(value, *pair) + out.zero_point
    limits = np.iinfo(out.dtype)
    return shaped(graph, op, values, np.clip(scaled, limits.min, limits.max).astype(out.dtype))


def apply(graph: Graph, op: Op, values: Values) -> np.ndarray:
    result = table_of(graph, op)[values[op.inputs[0]].astype(np.int64) + 128]
    return shaped(graph, op, values, result)
