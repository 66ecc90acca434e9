"""Lite-On LTR-390UV ambient light and ultraviolet sensor over I2C, one after the other per read.

    sensor = LTR390(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # deci-lx, UV index * 100

Source: "DS" is the LTR-390UV-01 datasheet, DS86-2015-0004 V1.1: registers, part id 0xB, times and
resolutions, 0.6 * counts / (gain * time in 100 ms) lx, 2300 counts per UV index at gain 18 and 20
bits. Second source of registers, bits, times and the 2300: Linux drivers/iio/light/ltr390.c and
Adafruit_LTR390; of both formulas: ESPHome components/ltr390 and its documentation.

Light is measured at gain 1 with 18 bits, up to direct sun; UV at gain 18 with 20 bits. A window in
front of the sensor weakens both.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

_REG_CONTROL = const(0x00)
_REG_RATE = const(0x04)
_REG_GAIN = const(0x05)
_REG_PART = const(0x06)
_REG_STATUS = const(0x07)
_REG_LIGHT = const(0x0D)  # 3 bytes, low first
_REG_UV = const(0x10)  # 3 bytes, low first

_OFF = const(0x00)
_LIGHT = const(0x02)  # enable
_UV = const(0x0A)  # enable, UVS mode
_READY = const(0x08)  # cleared by reading

_LIGHT_RATE = const(0x22)  # 18 bits in 100 ms, every 100 ms
_LIGHT_GAIN = const(0)  # 1
_UV_RATE = const(0x04)  # 20 bits in 400 ms, every 500 ms
_UV_GAIN = const(4)  # 18

_LIGHT_MS = const(115)
_UV_MS = const(445)
_GIVE_UP_MS = const(1200)  # each


class LTR390(I2CSensor):
    """See I2CSensor. Light or UV at full scale raises SensorError."""

    NAME = "ltr390"

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x53, 6, _GIVE_UP_MS)
        view = memoryview(self._buf)
        self._light, self._uv = view[0:3], view[3:6]
        self._mode = _OFF

    def _configure(self):
        self._expect("part id", self._read_byte(_REG_PART) & 0xF0, 0xB0)

    def _trigger(self):
        self._measure(_LIGHT, _LIGHT_RATE, _LIGHT_GAIN)
        return _LIGHT_MS

    def _measure(self, mode, rate, gain):
        self._mode = mode
        self._write_byte(_REG_CONTROL, _OFF)
        self._write_byte(_REG_RATE, rate)
        self._write_byte(_REG_GAIN, gain)
        self._read_byte(_REG_STATUS)  # forgets what was ready before
        self._write_byte(_REG_CONTROL, mode)

    def _collect(self, out):
        if not self._read_byte(_REG_STATUS) & _READY:
            return False
        self._expect("mode", self._read_byte(_REG_CONTROL), self._mode)  # no brown-out since
        if self._mode == _LIGHT:
            self._i2c.readfrom_mem_into(self._addr, _REG_LIGHT, self._light)
            self._measure(_UV, _UV_RATE, _UV_GAIN)
            return self._again(_UV_MS)
        self._i2c.readfrom_mem_into(self._addr, _REG_UV, self._uv)
        self._write_byte(_REG_CONTROL, _OFF)
        self.decode_into(self._buf, out)
        return True

    def decode_into(self, data, out):
        """Light (18 bits, gain 1) and UV (20 bits, gain 18), 6 bytes. Does not allocate."""
        light = data[0] | data[1] << 8 | (data[2] & 0x0F) << 16
        uv = data[3] | data[4] << 8 | (data[5] & 0x0F) << 16
        if light >= 0x3FFFF or uv == 0xFFFFF:
            raise SensorError("ltr390: too bright")
        out[0] = light * 6  # 0.6 lx
        out[1] = (uv + 11) // 23  # 2300 a UV index


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Lite-On LTR-390UV",
        "class": "LTR390",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Lite-On LTR-390UV ambient light and UV index",
        "params": {},
        "channels": (("light", "lx", 10, 0, 128000), ("uv_index", "/", 100, 0, 20)),
        "resolution": (0.6, 0.01),
        "raw_bytes": 6,
        "first_ms": 562,
        "convert_ms": 562,
        "addrs": (0x53,),
        "max_hz": 400000,
        "who_am_i": "register 0x06 = 0xBx",
        "datasheet": "Lite-On DS86-2015-0004 V1.1",
        "checked_against": "Linux drivers/iio/light/ltr390.c, Adafruit_LTR390, ESPHome ltr390",
    }
