"""ST LIS3MDL magnetometer over I2C, 16 bits, 80 Hz.

    compass = LIS3MDL(board.i2c("i2c0"), range_gauss=4)
    out = array.array("i", (0, 0, 0))
    await compass.read_into(out)  # nT x y z

Source: "DS" is the LIS3MDL datasheet, DocID024204 revision 4, May 2015: gains 6842, 3421, 2281 and
1711 LSB a gauss, registers CTRL_REG1 to CTRL_REG5, STATUS_REG, OUT_X_L to OUT_Z_H, a sub-address
whose bit 7 lets it count up. Second source of registers, bits and gains: opensatellite/KS-1Q
(LIS3MDL.h), gschorcht's lis3mdl driver for esp-open-rtos, ozzmaker/BerryIMU.

Iron in the housing adds a field of its own: turn the finished thing once around and subtract the
middle of what each axis saw. A chip that lost its supply is powered down and has no new data: the
read fails, the next one starts anew.
"""

from micropython import const

from ..core.errors import ConfigError
from .free_running import FreeRunningSensor
from .i2c_sensor import signed16

_REG_WHO_AM_I = const(0x0F)
_REG_CTRL1 = const(0x20)
_REG_CTRL2 = const(0x21)
_REG_CTRL3 = const(0x22)
_REG_CTRL4 = const(0x23)
_REG_CTRL5 = const(0x24)
_REG_STATUS = const(0x27)
_REG_OUT = const(0x28 | 0x80)  # x, y, z low byte first

_WHO_AM_I = const(0x3D)
_SOFT_RESET = const(0x04)
_XY_BEST_80_HZ = const(0x7C)  # ultra-high performance
_Z_BEST = const(0x0C)
_CONTINUOUS = const(0)
_BDU = const(0x40)  # both bytes of one sample
_ZYXDA = const(0x08)

_RESET_MS = const(5)
_SETTLE_MS = const(26)  # two samples
_SAMPLE_MS = const(13)
_GIVE_UP_MS = const(100)

# nT a digit * 1024: 100000 nT a gauss over the gains.
_NT_1024 = (14966, 29933, 44893, 59849)


class LIS3MDL(FreeRunningSensor):
    """One sensor on a bus the caller owns; the caller serialises concurrent reads."""

    NAME = "lis3mdl"
    STATUS, NEW, DATA = _REG_STATUS, _ZYXDA, _REG_OUT
    SETTLE_MS, SAMPLE_MS = _SETTLE_MS, _SAMPLE_MS

    def __init__(self, i2c, addr=0x1C, range_gauss=4):
        """range_gauss: 4, 8, 12 or 16. Raises ConfigError."""
        if range_gauss not in (4, 8, 12, 16):
            raise ConfigError("lis3mdl: range_gauss %r: 4, 8, 12 or 16" % (range_gauss,))
        FreeRunningSensor.__init__(self, i2c, addr, 6, _GIVE_UP_MS)
        self._fs = range_gauss // 4 - 1

    def _reset(self, step):
        if step:
            return 0
        self._expect("who_am_i", self._read_byte(_REG_WHO_AM_I), _WHO_AM_I)
        self._write_byte(_REG_CTRL2, _SOFT_RESET)
        return _RESET_MS

    def _set_up(self):
        self._write_byte(_REG_CTRL1, _XY_BEST_80_HZ)
        self._write_byte(_REG_CTRL2, self._fs << 5)
        self._write_byte(_REG_CTRL4, _Z_BEST)
        self._write_byte(_REG_CTRL5, _BDU)
        self._write_byte(_REG_CTRL3, _CONTINUOUS)

    def decode_into(self, data, out):
        """Write nT x, y, z of the 6 output bytes into out."""
        factor = _NT_1024[self._fs] >> 1 if self._fs else _NT_1024[0]  # products below 2**30
        shift = 9 if self._fs else 10
        for i in range(3):
            raw = signed16(data[2 * i + 1] << 8 | data[2 * i])
            out[i] = raw * factor + (1 << shift - 1) >> shift


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "ST LIS3MDL",
        "class": "LIS3MDL",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "ST LIS3MDL magnetic field, 16 bits",
        "params": {
            "addr": ("int", 0x1C, 0x1C, 0x1E, "I2C address: 28 (0x1C) if SDO/SA1 is low, else 30"),
            "range_gauss": ("int", 4, 4, 16, "full scale: 4, 8, 12 or 16 gauss"),
        },
        "channels": (
            ("mag_x", "T", 1000000000, -0.0016, 0.0016),
            ("mag_y", "T", 1000000000, -0.0016, 0.0016),
            ("mag_z", "T", 1000000000, -0.0016, 0.0016),
        ),
        "resolution": (1.5e-08, 1.5e-08, 1.5e-08),
        "raw_bytes": 6,
        "first_ms": 34,
        "convert_ms": 26,
        "addrs": (0x1C, 0x1E),
        "max_hz": 400000,
        "who_am_i": "register 0x0F = 0x3D",
        "datasheet": "ST LIS3MDL DocID024204 revision 4, May 2015",
        "checked_against": "opensatellite/KS-1Q; gschorcht lis3mdl; ozzmaker/BerryIMU",
    }
