"""LM75, LM75A, LM75B and copies: thermometer over I2C, awake only while it converts.

    sensor = LM75(board.i2c("i2c0"))
    out = array.array("i", (0,))
    await sensor.read_into(out)  # centi-degC

Source: "DS" is the NXP LM75B data sheet revision 6.1: registers (DS table 5), configuration (DS
table 8), temperature (DS tables 9 and 10). Second source of registers, resolutions and times of
the versions: Linux drivers/hwmon/lm75.c (9 bits and up to 500 ms for LM75 and LM75A of
National/TI, 11 bits and 100 ms for NXP's LM75B). The chip has no identification.

The bits below resolution_bits are undefined and left out. The fault queue is set to 2, which
concerns only the OS pin: after a brown-out it is 1 and the temperature register may not be valid.
"""

from micropython import const

from ..core.errors import ConfigError, SensorError
from .i2c_sensor import I2CSensor, signed16

_REG_TEMP = const(0x00)
_REG_CONFIG = const(0x01)

_AWAKE = const(0x08)  # fault queue 2
_ASLEEP = const(0x09)

_MEASURE_MS = const(300)  # National LM75: 300 ms at most; NXP LM75B: 100 ms
_GIVE_UP_MS = const(600)


class LM75(I2CSensor):
    """out: [centi-degC]."""

    NAME = "lm75"

    def __init__(self, i2c, addr=0x48, resolution_bits=9):
        """resolution_bits: 9 is right for every version; 11 for NXP. Raises ConfigError."""
        if not 9 <= resolution_bits <= 12:
            raise ConfigError("lm75: resolution_bits %r" % (resolution_bits,))
        I2CSensor.__init__(self, i2c, addr, 2, _GIVE_UP_MS)
        self._undefined = 16 - resolution_bits

    def decode_into(self, data, out):
        """data: 2 bytes of the temperature register, 1/256 degC."""
        raw = signed16(data[0] << 8 | data[1]) >> self._undefined << self._undefined
        centi_c = raw * 25 + 32 >> 6
        self._check_range(centi_c, -5600, 12800)
        out[0] = min(max(centi_c, -5500), 12500)

    def _trigger(self):
        self._write_byte(_REG_CONFIG, _AWAKE)
        return _MEASURE_MS

    def _collect(self, out):
        if self._read_byte(_REG_CONFIG) & 0x1F != _AWAKE:
            raise SensorError("lm75: lost its settings, restarted?")
        self._i2c.readfrom_mem_into(self._addr, _REG_TEMP, self._buf)
        self._write_byte(_REG_CONFIG, _ASLEEP)
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "LM75, LM75A, LM75B",
        "class": "LM75",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "LM75 family thermometer",
        "params": {
            "addr": ("int", 0x48, 0x48, 0x4F, "I2C address: 72 (0x48) plus A2, A1, A0"),
            "resolution_bits": ("int", 9, 9, 12, "9: 0.5 degC, every version; 11: NXP"),
        },
        "channels": (("temp", "Cel", 100, -55, 125),),
        "resolution": (0.5,),
        "raw_bytes": 2,
        "first_ms": 300,
        "convert_ms": 300,
        "addrs": (0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F),
        "max_hz": 400000,
        "who_am_i": "",
        "datasheet": "NXP LM75B revision 6.1",
        "checked_against": "Linux drivers/hwmon/lm75.c",
    }
