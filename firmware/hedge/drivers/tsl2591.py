"""ams TSL2591 ambient light sensor over I2C: two gains, chosen by what it sees.

    sensor = TSL2591(board.i2c("i2c0"))
    out = array.array("i", (0,))
    await sensor.read_into(out)  # deci-lx

Source: "DS" is the ams TSL2591 datasheet, 2013-Apr v1: command byte (DS figure 18), registers (DS
figure 17), enable, control, id and status (DS figures 20 to 28), integration time (DS figure 8:
108 ms at most for a step of 100 ms, which saturates at 36863 counts). Second source of all of
these and of the lux formula, which the datasheet leaves to an application note:
Adafruit_TSL2591.h and .cpp (coefficient 408, gains 1 and 25) and Zephyr
drivers/sensor/ams/tsl2591.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

# With the command bits 0xA0 (normal operation).
_REG_ENABLE = const(0xA0)
_REG_CONTROL = const(0xA1)
_REG_ID = const(0xB2)
_REG_STATUS = const(0xB3)
_REG_DATA = const(0xB4)  # channel 0 low, high; channel 1 low, high

_ID = const(0x50)
_OFF = const(0x00)
_ON = const(0x03)  # PON, AEN
_GAIN_MEDIUM = const(0x10)  # x25, 100 ms
_GAIN_LOW = const(0x00)  # x1, 100 ms
_STATUS_VALID = const(0x01)

_SATURATED = const(36000)
_MEASURE_MS = const(110)
_GIVE_UP_MS = const(400)


class TSL2591(I2CSensor):
    """out: [deci-lx]."""

    NAME = "tsl2591"

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x29, 4, _GIVE_UP_MS)
        self._gain = 25

    def decode_into(self, data, out):
        """data: both channels, as measured with the present gain. Products stay below 2**30."""
        both = data[1] << 8 | data[0]
        visible = both - (data[3] << 8 | data[2])
        if visible <= 0:
            out[0] = 0
            return
        # lx = (c0 - c1)**2 / c0 * 408 / (100 ms * gain)
        weighed = visible * (visible * 4096 // both) >> 6  # 1/64 counts
        out[0] = weighed * 51 // (80 * self._gain)

    def _configure(self):
        self._expect("device id", self._read_byte(_REG_ID), _ID)

    def _trigger(self):
        self._integrate(25)
        return _MEASURE_MS

    def _integrate(self, gain):
        self._gain = gain
        self._write_byte(_REG_ENABLE, _OFF)
        self._write_byte(_REG_CONTROL, _GAIN_LOW if gain == 1 else _GAIN_MEDIUM)
        self._write_byte(_REG_ENABLE, _ON)

    def _collect(self, out):
        if not self._read_byte(_REG_STATUS) & _STATUS_VALID:
            return False
        self._i2c.readfrom_mem_into(self._addr, _REG_DATA, self._buf)
        if (self._buf[1] << 8 | self._buf[0]) > _SATURATED:
            if self._gain == 1:
                raise SensorError("tsl2591: too bright")
            self._integrate(1)
            return self._again(_MEASURE_MS)
        self._write_byte(_REG_ENABLE, _OFF)
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "ams TSL2591",
        "class": "TSL2591",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "ams TSL2591 ambient light, up to bright overcast day",
        "params": {},
        "channels": (("light", "lx", 10, 0, 60000),),
        "resolution": (0.2,),
        "raw_bytes": 4,
        "first_ms": 220,
        "convert_ms": 220,
        "addrs": (0x29,),
        "max_hz": 400000,
        "who_am_i": "register 0x12 = 0x50",
        "datasheet": "ams TSL2591, 2013-Apr v1",
        "checked_against": "Adafruit_TSL2591; Zephyr drivers/sensor/ams/tsl2591",
    }
