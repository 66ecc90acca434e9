"""Current through a shunt resistor from the voltage across it, in integers; TI's INA monitors.

The steps per ampere depend on the resistor, so a driver asks for its gain once:

    mult, shift = gain(100000, shunt_uohm)     # raw * 100000 / shunt_uohm ...
    value = raw * mult + (1 << shift - 1) >> shift     # ... within 2**-14 of it
"""

from micropython import const

from ..core.errors import ConfigError
from .i2c_sensor import I2CSensor

_REG_CONFIG = const(0x00)
_REG_FIRST = const(0x01)  # shunt and bus voltage, of each channel
_REG_MANUFACTURER = const(0xFE)
_REG_DIE = const(0xFF)
_MANUFACTURER = const(0x5449)  # "TI"
_RESET = const(0x8000)


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


class ShuntMonitor(I2CSensor):
    """Steps of an INA chip; it measures when told, words of shunt and bus follow each other."""

    TRIGGER = 0  # configuration that begins a measurement
    MEASURE_MS = 0
    DIE = 0
    STATUS = READY = 0  # register and bit that say it is done

    def __init__(self, i2c, addr, n_words, give_up_ms, numerator, shunt_uohm):
        """numerator: of gain()."""
        I2CSensor.__init__(self, i2c, addr, 2 * n_words, give_up_ms)
        self._mult, self._shift = gain(numerator, shunt_uohm)
        view = memoryview(self._buf)
        self._words = [view[2 * i : 2 * i + 2] for i in range(n_words)]

    def _reset(self, step):
        self._write_word(_REG_CONFIG, _RESET)
        return 0

    def _configure(self):
        self._expect("manufacturer", self._read_word(_REG_MANUFACTURER), _MANUFACTURER)
        self._expect("die", self._read_word(_REG_DIE), self.DIE)

    def _trigger(self):
        self._write_word(_REG_CONFIG, self.TRIGGER)
        return self.MEASURE_MS

    def _collect(self, out):
        if not self._read_word(self.STATUS) & self.READY:
            return False
        for i in range(len(self._words)):
            self._i2c.readfrom_mem_into(self._addr, _REG_FIRST + i, self._words[i])
        self.decode_into(self._buf, out)
        return True

    def _current(self, shunt):
        return shunt * self._mult + (1 << self._shift - 1) >> self._shift
