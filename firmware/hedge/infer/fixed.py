"""Fixed point of TFLM's reference kernels in plain Python: exact, allocates long ints.

Sources: SPEC.md; gemmlowp's fixedpoint.h.
"""

_ONE_Q31 = (1 << 31) - 1


def requantize(acc, multiplier, shift):
    """round(acc * multiplier * 2**(shift - 31)) with the double rounding of TFLM's reference.

    acc: int32; multiplier: 0 .. 2**31 - 1; shift: -31 .. 30.
    """
    return divide(srdhm(acc << max(shift, 0), multiplier), max(-shift, 0))


def srdhm(a, b):
    return (a * b + (1 << 30)) >> 31


def divide(value, right):
    """value / 2**right, halves away from zero."""
    mask = (1 << right) - 1
    half = (mask >> 1) + (1 if value < 0 else 0)
    return (value >> right) + (1 if value & mask > half else 0)


def clamp(value, low, high):
    return min(max(value, low), high)


# (bit of the rest, exp(-2**(bit - 26)) in Q0.31): GEMMLOWP_EXP_BARREL_SHIFTER.
_FACTORS = (
    (24, 1672461947),
    (25, 1302514674),
    (26, 790015084),
    (27, 290630308),
    (28, 39332535),
    (29, 720401),
    (30, 242),
)


def exp_on_negative_values(a):
    """exp(a) in Q0.31 of a <= 0 in Q5.26."""
    if a == 0:
        return _ONE_Q31
    reduced = (a & 0xFFFFFF) - (1 << 24)
    result = _exp_small(reduced << 5)
    for bit, factor in _FACTORS:
        if reduced - a & 1 << bit:
            result = srdhm(result, factor)
    return result


def _exp_small(a):
    """exp(a) in Q0.31 of a in -1/4 .. 0, Q0.31."""
    x = a + (1 << 28)
    x2 = srdhm(x, x)
    x3 = srdhm(x2, x)
    x4_4 = divide(srdhm(x2, x2), 2)
    tail = divide(srdhm(x4_4 + x3, 715827883) + x2, 1)
    return 1895147668 + srdhm(1895147668, x + tail)


def reciprocal(total):
    """(scale Q0.31, leading zeros of total in 32 bits): Newton-Raphson as gemmlowp's."""
    zeros = 1
    while total < 1 << 30:
        total <<= 1
        zeros += 1
    y = 1515870810 + srdhm(total, -1010580540)
    for _ in range(3):
        y += srdhm(y, (1 << 29) - srdhm(total, y)) << 2
    return min(2 * y, _ONE_Q31), zeros
