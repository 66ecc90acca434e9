"""Microchip MCP9808 thermometer over I2C, awake only while it converts.

    sensor = MCP9808(board.i2c("i2c0"))
    out = array.array("i", (0,))
    await sensor.read_into(out)  # centi-degC

Source: "DS" is Microchip DS25095A, 2011: registers (DS 5.1), configuration (DS register 5-2),
ambient temperature (DS register 5-4, figure 5-5 reads 25.25 degC), ids (DS 5.1.4, 5.1.5),
conversion time (DS 5.2.4: 250 ms typical at 0.0625 degC). Second source of registers, ids and
format: Linux drivers/hwmon/jc42.c; of resolution and times: adafruit_mcp9808.py.

The hysteresis bits are set to +1.5 degC, which concerns only the alert pin: after a brown-out they
are 0, and so is the temperature register, which would read as 0 degC.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

_REG_CONFIG = const(0x01)
_REG_TEMP = const(0x05)
_REG_MANUFACTURER = const(0x06)
_REG_DEVICE = const(0x07)  # low byte: revision
_REG_RESOLUTION = const(0x08)  # 8 bits

_MANUFACTURER = const(0x0054)
_DEVICE = const(0x04)
_AWAKE = const(0x0200)  # hysteresis 1.5 degC
_ASLEEP = const(0x0300)
_STEP_1_16 = const(3)

_MEASURE_MS = const(300)
_GIVE_UP_MS = const(600)


class MCP9808(I2CSensor):
    """out: [centi-degC]."""

    NAME = "mcp9808"

    def __init__(self, i2c, addr=0x18):
        I2CSensor.__init__(self, i2c, addr, 2, _GIVE_UP_MS)

    def decode_into(self, data, out):
        """data: 2 bytes of the temperature register: three flags, sign, 12 bits of 1/16 degC."""
        raw = (data[0] & 0x0F) << 8 | data[1]
        if data[0] & 0x10:
            raw -= 0x1000
        centi_c = raw * 25 + 2 >> 2
        self._check_range(centi_c, -4100, 12600)
        out[0] = min(max(centi_c, -4000), 12500)

    def _configure(self):
        self._expect("manufacturer id", self._read_word(_REG_MANUFACTURER), _MANUFACTURER)
        self._expect("device id", self._read_word(_REG_DEVICE) >> 8, _DEVICE)
        self._write_byte(_REG_RESOLUTION, _STEP_1_16)

    def _trigger(self):
        self._write_word(_REG_CONFIG, _AWAKE)
        return _MEASURE_MS

    def _collect(self, out):
        if self._read_word(_REG_CONFIG) != _AWAKE:
            raise SensorError("mcp9808: lost its settings, restarted or locked?")
        self._i2c.readfrom_mem_into(self._addr, _REG_TEMP, self._buf)
        self._write_word(_REG_CONFIG, _ASLEEP)
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Microchip MCP9808",
        "class": "MCP9808",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Microchip MCP9808 thermometer, 0.25 degC typical",
        "params": {
            "addr": ("int", 0x18, 0x18, 0x1F, "I2C address: 24 (0x18) plus A2, A1, A0"),
        },
        "channels": (("temp", "Cel", 100, -40, 125),),
        "resolution": (0.0625,),
        "raw_bytes": 2,
        "first_ms": 300,
        "convert_ms": 300,
        "addrs": (0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F),
        "max_hz": 400000,
        "who_am_i": "registers 0x06 = 0x0054 and 0x07 = 0x04xx",
        "datasheet": "Microchip DS25095A, 2011",
        "checked_against": "Linux drivers/hwmon/jc42.c; adafruit_mcp9808.py",
    }
