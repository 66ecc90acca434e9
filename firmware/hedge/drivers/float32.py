"""IEEE 754 single precision in a chip's answer, scaled to an int without float arithmetic.

    scaled(data, 0, 100)   # 41 D9 70 E7 FF F5 is 27.238: 2724

Sensirion's layout: two bytes, CRC, two bytes, CRC; the CRCs are the caller's business. Floats
allocate in MicroPython. 20 bits of the fraction are used: products stay below 2**30.
"""

from ..core.errors import SensorError


def scaled(data, at, scale):
    """round(value * scale) for scale up to 1000. SensorError from 2**20 on, or if no number."""
    high = data[at] << 8 | data[at + 1]
    exponent = high >> 7 & 0xFF
    if not exponent:
        return 0  # zero and subnormal numbers
    shift = 146 - exponent  # the value is fraction * 2**-shift
    if shift < 0:
        raise SensorError("float of exponent %d" % (exponent - 127))
    fraction = 0x80000 | (high & 0x7F) << 12 | data[at + 3] << 4 | data[at + 4] >> 4
    value = fraction * scale
    if shift:
        value = (value >> min(shift, 31) - 1) + 1 >> 1
    return -value if high & 0x8000 else value
