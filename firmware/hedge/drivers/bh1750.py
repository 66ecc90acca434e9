"""ROHM BH1750FVI ambient light sensor over I2C, one-time high resolution mode.

    sensor = BH1750(board.i2c("i2c0"))
    out = array.array("i", (0,))
    await sensor.read_into(out)  # deci-lx

Source: "DS" is the ROHM BH1750FVI technical note, 2009.04 revision B: instructions (DS page 5),
measurement time (DS page 2: 180 ms at most), measurement time register (DS page 11), format and
example (DS page 10: 0x8390 is 28067 lx). Second source of addresses, instructions and sensitivity:
Linux drivers/iio/light/bh1750.c. The chip has no identification.

A chip that lost its supply reads 0, and so does darkness: a reading of 0 is measured once more.
"""

from micropython import const

from .i2c_sensor import I2CSensor

_OP_TIME_HIGH = b"\x42"  # measurement time register 69, upper 3 bits and lower 5: the default
_OP_TIME_LOW = b"\x65"
_OP_ONE_TIME_H = b"\x20"  # then it goes to sleep by itself

_MEASURE_MS = const(180)
_GIVE_UP_MS = const(400)


class BH1750(I2CSensor):
    """out: [deci-lx]."""

    NAME = "bh1750"

    def __init__(self, i2c, addr=0x23):
        I2CSensor.__init__(self, i2c, addr, 2, _GIVE_UP_MS)
        self._is_second = False

    def decode_into(self, data, out):
        """data: 2 bytes, counts; 1.2 counts are 1 lx."""
        out[0] = ((data[0] << 8 | data[1]) * 25 + 1) // 3

    def _trigger(self):
        self._is_second = False
        self._measure()
        return _MEASURE_MS

    def _measure(self):
        # Each instruction needs a transfer of its own.
        self._command(_OP_TIME_HIGH)
        self._command(_OP_TIME_LOW)
        self._command(_OP_ONE_TIME_H)

    def _collect(self, out):
        self._i2c.readfrom_into(self._addr, self._buf)
        if not self._buf[0] and not self._buf[1] and not self._is_second:
            self._is_second = True
            self._measure()
            return self._again(_MEASURE_MS)
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "ROHM BH1750FVI",
        "class": "BH1750",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "ROHM BH1750 ambient light",
        "params": {
            "addr": ("int", 0x23, 0x23, 0x5C, "I2C address: 35 (0x23) if ADDR is low, else 92"),
        },
        "channels": (("light", "lx", 10, 0, 54612),),
        "resolution": (0.83,),
        "raw_bytes": 2,
        "first_ms": 360,
        "convert_ms": 360,
        "addrs": (0x23, 0x5C),
        "max_hz": 400000,
        "who_am_i": "",
        "datasheet": "ROHM BH1750FVI 2009.04 revision B",
        "checked_against": "Linux drivers/iio/light/bh1750.c",
    }
