"""ST LIS3DH accelerometer over I2C, 12 bits, 100 Hz.

    sensor = LIS3DH(board.i2c("i2c0"), range_g=2)
    out = array.array("i", (0, 0, 0))
    await sensor.read_into(out)  # mm/s2 x y z

Source: "DS" is the LIS3DH datasheet, DocID17530 revision 2, 2016-12: mechanical characteristics
(table 4, 1, 2, 4 and 12 mg a digit), registers (section 8). Second source of every register and
bit: Adafruit_LIS3DH.h and .cpp. Its 16 g setting is 12 mg a digit, not 8: the chip then goes on to
24 g, and what lies beyond 16 g is reported as 16 g.

A chip that lost its supply is powered down and has no new data: the read fails, the next one
starts anew.
"""

from micropython import const

from ..core.errors import ConfigError
from .free_running import FreeRunningSensor
from .i2c_sensor import signed16

_REG_WHO_AM_I = const(0x0F)
_REG_CTRL1 = const(0x20)
_REG_CTRL2 = const(0x21)
_REG_CTRL4 = const(0x23)
_REG_CTRL5 = const(0x24)
_REG_STATUS = const(0x27)
_REG_OUT = const(0x28 | 0x80)  # x, y, z low byte first; bit 7 lets the address count up

_WHO_AM_I = const(0x33)
_BOOT = const(0x80)  # DS 8.12: reload the trimming values
_ODR_100_XYZ = const(0x57)
_BDU_HR = const(0x88)  # both bytes of one sample; 12 bits
_ZYXDA = const(0x08)

_BOOT_MS = const(6)  # DS: 5 ms
_TURN_ON_MS = const(80)  # DS table 12: 7 samples in high resolution; then one sample
_SAMPLE_MS = const(10)
_GIVE_UP_MS = const(150)

_MG_A_DIGIT = (1, 2, 4, 12)


class LIS3DH(FreeRunningSensor):
    """One sensor on a bus the caller owns; the caller serialises concurrent reads."""

    NAME = "lis3dh"
    STATUS, NEW, DATA = _REG_STATUS, _ZYXDA, _REG_OUT
    SETTLE_MS, SAMPLE_MS = _TURN_ON_MS, _SAMPLE_MS

    def __init__(self, i2c, addr=0x18, range_g=2):
        """range_g: 2, 4, 8 or 16. Raises ConfigError."""
        if range_g not in (2, 4, 8, 16):
            raise ConfigError("lis3dh: range_g %r: 2, 4, 8 or 16" % (range_g,))
        FreeRunningSensor.__init__(self, i2c, addr, 6, _GIVE_UP_MS)
        self._fs = (2, 4, 8, 16).index(range_g)
        self._limit_mg = range_g * 1000 if range_g == 16 else 30000

    def _reset(self, step):
        if step:
            return 0
        self._expect("who_am_i", self._read_byte(_REG_WHO_AM_I), _WHO_AM_I)
        self._write_byte(_REG_CTRL5, _BOOT)  # FIFO off, too
        return _BOOT_MS

    def _set_up(self):
        self._write_byte(_REG_CTRL5, 0)
        self._write_byte(_REG_CTRL2, 0)  # no high-pass filter
        self._write_byte(_REG_CTRL4, _BDU_HR | self._fs << 4)
        self._write_byte(_REG_CTRL1, _ODR_100_XYZ)

    def decode_into(self, data, out):
        """Write mm/s2 x, y, z of the 6 output bytes into out. 1 mg is 9.80665 mm/s2."""
        for i in range(3):
            raw = signed16(data[2 * i + 1] << 8 | data[2 * i]) >> 4
            mg = min(max(raw * _MG_A_DIGIT[self._fs], -self._limit_mg), self._limit_mg)
            out[i] = (mg * 19613 + 1000) // 2000


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "ST LIS3DH",
        "class": "LIS3DH",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "ST LIS3DH acceleration, 12 bits at 100 Hz",
        "params": {
            "addr": ("int", 0x18, 0x18, 0x19, "I2C address: 24 (0x18) if SDO/SA0 is low, else 25"),
            "range_g": ("int", 2, 2, 16, "full scale: 2, 4, 8 or 16 g"),
        },
        "channels": (
            ("accel_x", "m/s2", 1000, -156.9, 156.9),
            ("accel_y", "m/s2", 1000, -156.9, 156.9),
            ("accel_z", "m/s2", 1000, -156.9, 156.9),
        ),
        "resolution": (0.01, 0.01, 0.01),
        "raw_bytes": 6,
        "first_ms": 96,
        "convert_ms": 20,
        "addrs": (0x18, 0x19),
        "max_hz": 400000,
        "who_am_i": "register 0x0F = 0x33",
        "datasheet": "ST LIS3DH DocID17530 revision 2, 2016-12",
        "checked_against": "Adafruit_LIS3DH",
    }
