"""Exact integer arithmetic of the TFLM reference kernels, in Python ints and NumPy int64.

Sources are named by file in tensorflow/lite/kernels/internal of tflite-micro, and gemmlowp's
fixedpoint/fixedpoint.h. This file is the definition; the board's kernels are tested against it.
"""

import functools
import math
from typing import Any, TypeVar

import numpy as np

from hedgerow.errors import ModelError

_Ints = TypeVar("_Ints", int, np.ndarray)
_ONE_Q31 = (1 << 31) - 1


def quantize_multiplier(real: float) -> tuple[int, int]:
    """(multiplier Q0.31, shift) with real = multiplier * 2**(shift - 31).

    Source: quantization_util.cc QuantizeMultiplier; shift < -31 becomes zero. Raises ModelError
    for what no scales of a sound model give.
    """
    if not abs(real) < 1 << 62:
        raise ModelError(f"a ratio of scales is {real:g}; the model's scales are damaged")
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(abs(fraction) * (1 << 31) + 0.5)  # half away from zero
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def srdhm(a: _Ints, b: Any) -> _Ints:
    """Saturating rounding doubling high multiply: floor((a*b + 2**30) / 2**31); a, b int32.

    The one saturating case, both -2**31, cannot come: multipliers are positive (gemmlowp).
    """
    return (a * b + (1 << 30)) >> 31


def rounding_divide_by_pot(x: _Ints, exponent: Any) -> _Ints:
    """x / 2**exponent, halves away from zero (gemmlowp RoundingDivideByPOT)."""
    half = (1 << exponent) >> 1
    return (x + half - ((x < 0) & (exponent > 0))) >> exponent


def multiply_by_quantized_multiplier(x: _Ints, multiplier: Any, shift: Any) -> _Ints:
    """Double rounding, the default of TFLM (common.cc MultiplyByQuantizedMultiplier).

    multiplier and shift may be int64 arrays that broadcast with x.
    """
    left = shift * (shift > 0)
    right = left - shift
    wide = x * (1 << left) if np.any(left) else x
    return rounding_divide_by_pot(srdhm(wide, multiplier), right)


# --- gemmlowp fixed point, raw int32 values as Python ints; Qm.n has m integer bits ---


def _saturate(x: int) -> int:
    return max(min(x, _ONE_Q31), -(1 << 31))


def _exp_small(a: int) -> int:
    """exp(a) in Q0.31 for a in [-1/4, 0) (exp_on_interval_between_negative_one_quarter_..)."""
    x = a + (1 << 28)  # around -1/8
    x2 = srdhm(x, x)
    x3 = srdhm(x2, x)
    x4 = srdhm(x2, x2)
    x4_4 = rounding_divide_by_pot(x4, 2)
    tail = rounding_divide_by_pot(srdhm(x4_4 + x3, 715827883) + x2, 1)
    return 1895147668 + srdhm(1895147668, x + tail)


# exp(-2**k) in Q0.31 for k = -2 .. 4 (fixedpoint.h, GEMMLOWP_EXP_BARREL_SHIFTER).
_EXP_FACTORS = {
    -2: 1672461947,
    -1: 1302514674,
    0: 790015084,
    1: 290630308,
    2: 39332535,
    3: 720401,
    4: 242,
}


def exp_on_negative_values(a: int, integer_bits: int) -> int:
    """exp(a) in Q0.31 for a <= 0 in Q(integer_bits); integer_bits <= 5."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    reduced = (a & (quarter - 1)) - quarter
    result = _exp_small(_saturate(reduced << integer_bits))
    rest = reduced - a
    for exponent, factor in _EXP_FACTORS.items():
        if integer_bits > exponent and rest & (1 << (fraction_bits + exponent)):
            result = srdhm(result, factor)
    return _ONE_Q31 if a == 0 else result


def one_over_one_plus_x(a: int) -> int:
    """1 / (1 + a) in Q0.31 for a in [0, 1) Q0.31 (one_over_one_plus_x_for_x_in_0_1)."""
    return _saturate(_newton(a) << 1)


def _newton(a: int) -> int:
    """2 / (1 + a) in Q2.29 for a in [0, 1) Q0.31: three Newton-Raphson steps (fixedpoint.h)."""
    half_denominator = (a + _ONE_Q31 + 1) // 2  # RoundingHalfSum of two non-negative numbers
    x = 1515870810 + srdhm(half_denominator, -1010580540)  # 48/17 - 32/17 d
    for _ in range(3):
        error = (1 << 29) - srdhm(half_denominator, x)
        x += _saturate(srdhm(x, error) << 2)
    return x


def logistic(a: int, integer_bits: int) -> int:
    """1 / (1 + exp(-a)) in Q0.31, a in Q(integer_bits) (gemmlowp::logistic)."""
    if a == 0:
        return 1 << 30
    positive = one_over_one_plus_x(exp_on_negative_values(-abs(a), integer_bits))
    return positive if a > 0 else _ONE_Q31 - positive


def tanh(a: int, integer_bits: int) -> int:
    """tanh(a) in Q0.31, a in Q(integer_bits) (gemmlowp::tanh); integer_bits <= 4."""
    if a == 0:
        return 0
    # exp(-2|a|): doubling is one more integer bit. (1 - x) / (1 + x) = 2 / (1 + x) - 1.
    power = exp_on_negative_values(-abs(a), integer_bits + 1)
    positive = _saturate((_newton(power) - (1 << 29)) << 2)
    return positive if a > 0 else -positive


def sigmoid_input(scale: float) -> tuple[int, int, int]:
    """(multiplier, shift, radius) of LOGISTIC's and TANH's input; at the radius they saturate.

    Source: micro/kernels/logistic_common.cc, tanh.cc. Raises ModelError where theirs overflows.
    """
    multiplier, shift = quantize_multiplier(float(np.float32(scale)) * (1 << 27))
    radius = math.floor(15 * (1 << 27) / 2.0**shift) if multiplier else 1 << 31
    if radius >= 1 << 31:
        raise ModelError(f"input scale {scale:g} is too fine")
    return multiplier, shift, radius


@functools.lru_cache(maxsize=64)
def logistic_int8_table(scale: float, zero_point: int) -> np.ndarray:
    """(256,) int8: LOGISTIC of -128 .. 127; output scale 1/256, zero point -128.

    Source: reference/integer_ops/logistic.h.
    """
    multiplier, shift, radius = sigmoid_input(scale)
    table = np.empty(256, dtype=np.int8)
    for q in range(-128, 128):
        x = q - zero_point
        if abs(x) >= radius:
            table[q + 128] = 127 if x > 0 else -128
            continue
        q4 = multiply_by_quantized_multiplier(x, multiplier, shift)
        value = rounding_divide_by_pot(logistic(q4, 4), 23) - 128
        table[q + 128] = min(max(value, -128), 127)
    return table


def requantize_int8_table(
    scale: float, zero_point: int, out_scale: float, out_zero_point: int
) -> np.ndarray:
    """(256,) int8: QUANTIZE from int8 to int8 (reference/requantize.h, double rounding)."""
    multiplier, shift = quantize_multiplier(float(scale) / float(out_scale))
    x = np.arange(-128, 128, dtype=np.int64) - zero_point
    scaled = multiply_by_quantized_multiplier(x, multiplier, shift) + out_zero_point
    return np.clip(scaled, -128, 127).astype(np.int8)
