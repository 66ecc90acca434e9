"""ams TCS34725 colour sensor over I2C: clear, red, green and blue, one integration per read.

    sensor = TCS34725(board.i2c("i2c0"), gain=4)
    out = array.array("i", (0,) * 4)
    await sensor.read_into(out)  # clear, red, green, blue; 65535 is full scale

Source: "DS" is the ams TCS3472 datasheet v1-02, 2016-Feb-08: command byte (DS figure 25),
registers (DS figure 24), enable, timing, control, identity and status. Second source of registers,
bits, gains and identities: Linux drivers/iio/light/tcs3472.c, adafruit_tcs34725.py.

Also TCS34721, 34723 and 34727. The values are counts of the photodiodes, not lux: they depend on
gain and glass. 154 ms are no whole number of periods of lamps on 50 or 60 Hz.
"""

from micropython import const

from ..core.errors import ConfigError, SensorError
from .i2c_sensor import I2CSensor

# With the command bits: 0x80 one register, 0xA0 counting up.
_REG_ENABLE = const(0x80)
_REG_ATIME = const(0x81)
_REG_CONTROL = const(0x8F)
_REG_ID = const(0x92)
_REG_STATUS = const(0x93)
_REG_DATA = const(0xB4)  # clear, red, green, blue, low byte first

_OFF = const(0)
_POWER = const(0x01)  # PON
_MEASURE = const(0x03)  # PON, AEN
_VALID = const(0x01)
_ATIME = const(0xC0)  # 64 cycles of 2.4 ms: the shortest with 65535 counts
_WARM_UP_MS = const(3)  # DS: 2.4 ms from PON to AEN
_MEASURE_MS = const(160)  # 154 ms, the cycle that AEN begins with, and the clock's tolerance
_GIVE_UP_MS = const(500)

_GAINS = (1, 4, 16, 60)


class TCS34725(I2CSensor):
    """See I2CSensor. A channel at full scale raises SensorError."""

    NAME = "tcs34725"

    def __init__(self, i2c, addr=0x29, gain=4):
        """gain: 1, 4, 16 or 60. Raises ConfigError."""
        I2CSensor.__init__(self, i2c, addr, 8, _GIVE_UP_MS)
        if gain not in _GAINS:
            raise ConfigError("tcs34725: gain %d: one of %s" % (gain, _GAINS))
        self._gain = _GAINS.index(gain)
        self._warming = False

    def _configure(self):
        chip_id = self._read_byte(_REG_ID)
        if chip_id != 0x4D:  # TCS34723, TCS34727
            self._expect("id", chip_id, 0x44)

    def _trigger(self):
        self._write_byte(_REG_ENABLE, _OFF)  # AVALID is of the integration that AEN begins
        self._write_byte(_REG_ATIME, _ATIME)
        self._write_byte(_REG_CONTROL, self._gain)
        self._write_byte(_REG_ENABLE, _POWER)
        self._warming = True
        return _WARM_UP_MS

    def _collect(self, out):
        if self._warming:
            self._warming = False
            self._write_byte(_REG_ENABLE, _MEASURE)
            return self._again(_MEASURE_MS)
        if not self._read_byte(_REG_STATUS) & _VALID:
            return False
        self._i2c.readfrom_mem_into(self._addr, _REG_DATA, self._buf)
        self._expect("gain", self._read_byte(_REG_CONTROL), self._gain)  # no brown-out since
        self._write_byte(_REG_ENABLE, _OFF)
        self.decode_into(self._buf, out)
        return True

    def decode_into(self, data, out):
        """The data registers, 8 bytes. Does not allocate."""
        for i in range(0, 8, 2):
            if data[i] == 0xFF and data[i + 1] == 0xFF:
                raise SensorError("tcs34725: too bright, lower the gain")
        for i in range(4):
            out[i] = data[2 * i] | data[2 * i + 1] << 8


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "ams TCS34725",
        "class": "TCS34725",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "ams TCS34725 colour: clear, red, green and blue as parts of full scale",
        "params": {
            "addr": ("int", 0x29, 0x29, 0x39, "I2C address: 41 (0x29); TCS34721 and 34723: 57"),
            "gain": ("int", 4, 1, 60, "gain: 1, 4, 16 or 60"),
        },
        "channels": (
            ("clear", "/", 65535, 0, 1),
            ("red", "/", 65535, 0, 1),
            ("green", "/", 65535, 0, 1),
            ("blue", "/", 65535, 0, 1),
        ),
        "resolution": (0.0000153, 0.0000153, 0.0000153, 0.0000153),
        "raw_bytes": 8,
        "first_ms": 164,
        "convert_ms": 164,
        "addrs": (0x29, 0x39),
        "max_hz": 400000,
        "who_am_i": "register 0x12 = 0x44 or 0x4D",
        "datasheet": "ams TCS3472 v1-02, 2016-02-08",
        "checked_against": "Linux drivers/iio/light/tcs3472.c, adafruit_tcs34725.py",
    }
