"""Between real numbers and a model's integers, in float32 as TFLM computes it.

Sources: kernels/internal/reference/quantize.h AffineQuantize (TfLiteRound of value / scale in
float32, halves away from zero; plus the zero point; saturated), reference/dequantize.h.
"""

import array
import struct

from ..core.errors import ModelError

_FORMATS = {1: "<b", 2: "<h", 4: "<i"}


def quantize(value, scale, zero_point, low, high):
    """The integer nearest to value / scale + zero_point, in low .. high. value: any but nan."""
    single = array.array("f", (value, 0.0))
    single[1] = single[0] / scale  # a quotient of two float32, rounded once to float32
    ratio = single[1]
    if ratio >= high - zero_point:
        return high
    if ratio <= low - zero_point:
        return low
    whole = int(ratio)
    if ratio - whole >= 0.5:
        whole += 1
    elif ratio - whole <= -0.5:
        whole -= 1
    return min(max(whole + zero_point, low), high)


def quantize_into(model, values):
    """See Model.quantize_into()."""
    size = model.input_type
    scale, zero_point = model.input_scale, model.input_zero_point
    most = 1 << (8 * size - 1)
    count = len(model.input) // size
    if len(values) != count:
        raise ModelError("%d values, the model takes %d" % (len(values), count))
    for i in range(count):
        value = values[i]
        if value != value:
            raise ModelError("value %d is not a number" % i)
        q = quantize(value, scale, zero_point, -most, most - 1)
        struct.pack_into(_FORMATS[size], model.input, i * size, q)


def dequantize(model, i):
    """See Model.dequantize()."""
    size = model.output_type
    q = struct.unpack_from(_FORMATS[size], model.output, i * size)[0]
    value = (q - model.output_zero_point) * model.output_scale
    return array.array("f", (value,))[0]
