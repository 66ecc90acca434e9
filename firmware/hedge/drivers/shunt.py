"""Current through a shunt resistor from the voltage across it, in integers.

The steps per ampere depend on the resistor, so a driver asks for its gain once:

    mult, shift = gain(100000, shunt_uohm)     # raw * 100000 / shunt_uohm ...
    value = raw * mult + (1 << shift - 1) >> shift     # ... within 2**-14 of it
"""

from ..core.errors import ConfigError


def gain(numerator, shunt_uohm):
    """(mult, shift) so that raw * mult >> shift is raw * numerator / shunt_uohm.

    mult has 14 bits: its product with a 16-bit reading is a small int on 32-bit boards too.
    Raises ConfigError unless 100 <= shunt_uohm <= 10000000.
    """
    if not 100 <= shunt_uohm <= 10000000:
        raise ConfigError("shunt_uohm %d: 100 to 10000000" % shunt_uohm)
    shift = 0
    while numerator << shift < shunt_uohm << 13:
        shift += 1
    return ((numerator << shift) + shunt_uohm // 2) // shunt_uohm, shift
