"""ST LSM6DSO, LSM6DSOX, LSM6DSL, LSM6DS3TR-C, LSM6DS3: acceleration and rotation over I2C, 104 Hz.

    sensor = LSM6DS(board.i2c("i2c0"), range_g=4, range_dps=500)
    out = array.array("i", (0,) * 7)
    await sensor.read_into(out)  # mm/s2 x y z, mrad/s x y z, centi-degC

Source: "DS" is the LSM6DSO datasheet, DS12140 revision 2: sensitivities (table 2: 0.061 mg and
8.75 mdps a digit in the narrow ranges), registers CTRL1_XL, CTRL2_G, CTRL3_C, STATUS_REG,
OUT_TEMP_L to OUTZ_H_A. Second source of every register and sensitivity: jaw0/minicopter
(lsm6ds3.h), ozzmaker/BerryIMU (LSM6DSL.h), RIOT drivers/lsm6dsxx, and, also of the 35 ms after a
reset, Zephyr drivers/sensor/st/lsm6dso.

These versions differ in their FIFO and embedded functions, which are not used here; who_am_i tells
them apart. A chip that lost its supply is powered down and has no new data: the read fails, the
next one starts anew.
"""

from micropython import const

from ..core.errors import SensorError
from .free_running import IMU

_REG_WHO_AM_I = const(0x0F)
_REG_CTRL1_XL = const(0x10)
_REG_CTRL2_G = const(0x11)
_REG_CTRL3_C = const(0x12)
_REG_STATUS = const(0x1E)
_REG_DATA = const(0x20)  # temperature, rotation, acceleration; low byte first: 14 bytes

_WHO_AM_I = (0x6C, 0x6A, 0x69)  # DSO and DSOX; DSL and DS3TR-C; DS3
_SOFT_RESET = const(0x05)  # address counts up, as at power-on
_BDU_COUNT_UP = const(0x44)
_ODR_104_HZ = const(0x40)
_NEW_BOTH = const(0x03)

_RESET_MS = const(35)
_SETTLE_MS = const(80)  # DS: gyroscope from power-down 35 ms; then samples of a settled filter
_SAMPLE_MS = const(10)
_GIVE_UP_MS = const(200)

# mm/s2 = raw * 19602 >> 15 at 2 g: 0.061 mg of 9.80665 m/s2. mrad/s = raw * 20017 >> 17 at 250
# deg/s: 8.75 mdps. Each range doubles the one before; products stay below 2**30.
_ACCEL = const(19602)
_GYRO = const(20017)
_FS_XL = (0, 2, 3, 1)  # bits of 2, 4, 8, 16 g


class LSM6DS(IMU):
    """One sensor on a bus the caller owns; the caller serialises concurrent reads."""

    NAME = "lsm6ds"
    STATUS, NEW, DATA = _REG_STATUS, _NEW_BOTH, _REG_DATA
    SETTLE_MS, SAMPLE_MS = _SETTLE_MS, _SAMPLE_MS

    def __init__(self, i2c, addr=0x6A, range_g=2, range_dps=250):
        """range_g: 2, 4, 8, 16. range_dps: 250, 500, 1000, 2000. Raises ConfigError."""
        IMU.__init__(self, i2c, addr, range_g, range_dps, _GIVE_UP_MS)

    def _reset(self, step):
        if step:
            return 0
        version = self._read_byte(_REG_WHO_AM_I)
        if version not in _WHO_AM_I:
            raise SensorError("lsm6ds: who_am_i 0x%x, expected 0x6c, 0x6a or 0x69" % version)
        self._write_byte(_REG_CTRL3_C, _SOFT_RESET)
        return _RESET_MS

    def _set_up(self):
        self._write_byte(_REG_CTRL3_C, _BDU_COUNT_UP)
        self._write_byte(_REG_CTRL1_XL, _ODR_104_HZ | _FS_XL[self._accel_fs] << 2)
        self._write_byte(_REG_CTRL2_G, _ODR_104_HZ | self._gyro_fs << 2)

    def decode_into(self, data, out):
        """Write mm/s2 (3), mrad/s (3), centi-degC of the 14 data bytes into out."""
        self._scale(data, 8, _ACCEL, 15 - self._accel_fs, out, 0)
        self._scale(data, 2, _GYRO, 17 - self._gyro_fs, out, 3)
        # DS: 256 digits a degC, 0 at 25 degC
        out[6] = (self._word_at(data, 0) * 25 + 32 >> 6) + 2500


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "ST LSM6DSO, LSM6DSOX, LSM6DSL, LSM6DS3",
        "class": "LSM6DS",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "ST LSM6DS family: acceleration, rotation and chip temperature",
        "params": {
            "addr": (
                "int",
                0x6A,
                0x6A,
                0x6B,
                "I2C address: 106 (0x6A) if SDO/SA0 is low, else 107",
            ),
            "range_g": ("int", 2, 2, 16, "full scale of acceleration: 2, 4, 8 or 16 g"),
            "range_dps": ("int", 250, 250, 2000, "of rotation: 250, 500, 1000 or 2000 deg/s"),
        },
        "channels": (
            ("accel_x", "m/s2", 1000, -156.8, 156.8),
            ("accel_y", "m/s2", 1000, -156.8, 156.8),
            ("accel_z", "m/s2", 1000, -156.8, 156.8),
            ("gyro_x", "rad/s", 1000, -40.03, 40.03),
            ("gyro_y", "rad/s", 1000, -40.03, 40.03),
            ("gyro_z", "rad/s", 1000, -40.03, 40.03),
            ("temp", "Cel", 100, -40, 85),
        ),
        "resolution": (0.0006, 0.0006, 0.0006, 0.00015, 0.00015, 0.00015, 0.004),
        "raw_bytes": 14,
        "first_ms": 125,
        "convert_ms": 20,
        "addrs": (0x6A, 0x6B),
        "max_hz": 400000,
        "who_am_i": "register 0x0F = 0x6C, 0x6A or 0x69",
        "datasheet": "ST DS12140 revision 2 (LSM6DSO)",
        "checked_against": "jaw0/minicopter; ozzmaker/BerryIMU; Zephyr lsm6dso; RIOT lsm6dsxx",
    }
