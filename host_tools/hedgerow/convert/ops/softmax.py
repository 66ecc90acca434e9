"""SOFTMAX of int8 to int8 (scale 1/256, zero point -128) or int16 (1/65536, -32768).

Sources: reference/softmax.h, micro/kernels/softmax_common.cc, quantization_util.cc
PreprocessSoftmaxScaling and CalculateInputRadius.
"""

import functools
import math

import numpy as np

from hedgerow.convert import arithmetic
from hedgerow.convert.graph import Graph, Op, where
from hedgerow.convert.ops.quant import Values, shaped, tensors
from hedgerow.errors import ModelError

_INTEGER_BITS = 5  # of the scaled difference
_SUM_INTEGER_BITS = 12


def softmax_parameters(scale: float, beta: float) -> tuple[int, int, int]:
    """(multiplier, shift, radius): a difference d is scaled to Q5.26 by d << shift, times
    multiplier (SRDHM); from d > radius on, exp(-d) counts as 0."""
    real = min(beta * scale * (1 << (31 - _INTEGER_BITS)), (1 << 31) - 1.0)
    multiplier, shift = arithmetic.quantize_multiplier(real)
    radius = math.floor(((1 << _INTEGER_BITS) - 1) * float(1 << (31 - _INTEGER_BITS)) / 2.0**shift)
    # Shift 31 only comes with radius 0: nothing but d = 0 is scaled.
    return multiplier, min(shift, 30), min(radius, 255)


@functools.lru_cache(maxsize=64)
def exp_table(multiplier: int, shift: int, radius: int) -> np.ndarray:
    """(256,) int64: exp(-d) in Q0.31 for d = 0 .. 255, 0 where TFLM skips."""
    table = np.zeros(256, dtype=np.int64)
    for i in range(radius + 1):
        scaled = arithmetic.srdhm(-i * (1 << shift), multiplier)
        table[i] = arithmetic.exp_on_negative_values(scaled, _INTEGER_BITS)
    return table


def softmax_rows(x: np.ndarray, table: np.ndarray, bits: int = 8) -> np.ndarray:
    """(rows, depth) of `bits` bits, as int64, from int8."""
    wide = x.astype(np.int64)
    powers = table[wide.max(axis=1, keepdims=True) - wide]
    totals = arithmetic.rounding_divide_by_pot(powers, _SUM_INTEGER_BITS).sum(axis=1)
    rows = [_row(p, int(total), bits) for p, total in zip(powers, totals, strict=True)]
    return np.stack(rows)


def _row(powers: np.ndarray, total: int, bits: int) -> np.ndarray:
    headroom = 32 - total.bit_length()
    scale = arithmetic.one_over_one_plus_x((total << headroom) - (1 << 31))
    exponent = _SUM_INTEGER_BITS - headroom + 31 - bits
    q = arithmetic.rounding_divide_by_pot(arithmetic.srdhm(powers, scale), exponent)
    lowest = -(1 << (bits - 1))
    return np.clip(q + lowest, lowest, -lowest - 1)


def softmax(graph: Graph, op: Op, values: Values) -> np.ndarray:
    x, out = tensors(graph, op, 1)
    bits = {"int8": 8, "int16": 16}.get(out.dtype)
    if x.dtype != "int8" or bits is None:
        raise ModelError(f"{where(graph, op)}: from {x.dtype} to {out.dtype}")
    rows = values[op.inputs[0]].reshape(-1, x.shape[-1])
    result = softmax_rows(rows, exp_table(*softmax_parameters(x.scale, op.options["beta"])), bits)
    return shaped(graph, op, values, result.astype(out.dtype))
