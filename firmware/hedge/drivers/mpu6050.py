"""InvenSense MPU-6050 accelerometer, gyroscope and thermometer over I2C.

    sensor = MPU6050(board.i2c("i2c0"), range_g=4, range_dps=500)
    out = array.array("i", (0,) * 7)
    await sensor.read_into(out)  # mm/s2 x y z, mrad/s x y z, centi-degC

Source: "DS" is PS-MPU-6000A-00 revision 3.4 (scale factors 6.1 to 6.3, start-up times), "RM" the
register map RM-MPU-6000A-00 revision 4.2. Second source of every register and bit:
Adafruit_MPU6050.h; of the scale factors: Linux drivers/iio/imu/inv_mpu6050, inv_mpu_core.c, which
also divides the full scale by 32768 (the 131 LSB of the DS are 131.072).

Copies and successors answer 0x70, 0x71, 0x72 or 0x98; they are refused, their scales may differ.
A chip that lost its supply sleeps and has no new data: the read fails, the next one starts anew.
"""

from micropython import const

from .free_running import IMU

_REG_SMPLRT_DIV = const(0x19)
_REG_CONFIG = const(0x1A)
_REG_GYRO_CONFIG = const(0x1B)
_REG_ACCEL_CONFIG = const(0x1C)
_REG_FIFO_EN = const(0x23)
_REG_INT_ENABLE = const(0x38)
_REG_INT_STATUS = const(0x3A)  # RM: reading clears it
_REG_DATA = const(0x3B)  # accelerometer, temperature, gyroscope: 14 bytes
_REG_PWR_MGMT_1 = const(0x6B)
_REG_PWR_MGMT_2 = const(0x6C)
_REG_WHO_AM_I = const(0x75)

_WHO_AM_I = const(0x68)  # at both addresses
_DEVICE_RESET = const(0x80)
_CLOCK_PLL_X = const(0x01)  # RM: recommended over the internal oscillator; wakes the chip
_DLPF_44_HZ = const(3)  # then the internal rate is 1 kHz
_DIVIDE_BY_10 = const(9)  # 100 Hz
_DATA_READY = const(0x01)

_RESET_MS = const(100)
_SETTLE_MS = const(50)  # DS 6.1: gyroscope from sleep 30 ms; then one sample
_SAMPLE_MS = const(10)
_GIVE_UP_MS = const(100)

# mm/s2 = raw * 19613 >> 15 at 2 g: 2 * 9806.65 mm/s2 over 32768. mrad/s = raw * 17453 >> 17 at
# 250 deg/s: 4363.32 mrad/s over 32768. Both within 20 ppm; products stay below 2**30.
_ACCEL = const(19613)
_GYRO = const(17453)


class MPU6050(IMU):
    """One sensor on a bus the caller owns; the caller serialises concurrent reads."""

    NAME = "mpu6050"
    STATUS, NEW, DATA = _REG_INT_STATUS, _DATA_READY, _REG_DATA
    SETTLE_MS, SAMPLE_MS = _SETTLE_MS, _SAMPLE_MS
    LOW_FIRST = False

    def __init__(self, i2c, addr=0x68, range_g=2, range_dps=250):
        """range_g: 2, 4, 8, 16. range_dps: 250, 500, 1000, 2000. Raises ConfigError."""
        IMU.__init__(self, i2c, addr, range_g, range_dps, _GIVE_UP_MS)

    def _reset(self, step):
        if step:
            return 0
        self._expect("who_am_i", self._read_byte(_REG_WHO_AM_I), _WHO_AM_I)
        self._write_byte(_REG_PWR_MGMT_1, _DEVICE_RESET)
        return _RESET_MS

    def _set_up(self):
        self._write_byte(_REG_PWR_MGMT_1, _CLOCK_PLL_X)
        self._write_byte(_REG_PWR_MGMT_2, 0)
        self._write_byte(_REG_CONFIG, _DLPF_44_HZ)
        self._write_byte(_REG_SMPLRT_DIV, _DIVIDE_BY_10)
        self._write_byte(_REG_GYRO_CONFIG, self._gyro_fs << 3)
        self._write_byte(_REG_ACCEL_CONFIG, self._accel_fs << 3)
        self._write_byte(_REG_FIFO_EN, 0)
        self._write_byte(_REG_INT_ENABLE, _DATA_READY)

    def _take_away(self):
        self._read_byte(_REG_INT_STATUS)

    def decode_into(self, data, out):
        """Write mm/s2 (3), mrad/s (3), centi-degC of the 14 data bytes into out."""
        self._scale(data, 0, _ACCEL, 15 - self._accel_fs, out, 0)
        self._scale(data, 8, _GYRO, 17 - self._gyro_fs, out, 3)
        # RM 4.18: degC = raw / 340 + 36.53
        out[6] = (self._word_at(data, 6) * 10 + 17) // 34 + 3653


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "InvenSense MPU-6050",
        "class": "MPU6050",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "InvenSense MPU-6050 acceleration, rotation and chip temperature",
        "params": {
            "addr": ("int", 0x68, 0x68, 0x69, "I2C address: 104 (0x68) if AD0 is low, else 105"),
            "range_g": ("int", 2, 2, 16, "full scale of acceleration: 2, 4, 8 or 16 g"),
            "range_dps": ("int", 250, 250, 2000, "of rotation: 250, 500, 1000 or 2000 deg/s"),
        },
        "channels": (
            ("accel_x", "m/s2", 1000, -156.9, 156.9),
            ("accel_y", "m/s2", 1000, -156.9, 156.9),
            ("accel_z", "m/s2", 1000, -156.9, 156.9),
            ("gyro_x", "rad/s", 1000, -34.9, 34.9),
            ("gyro_y", "rad/s", 1000, -34.9, 34.9),
            ("gyro_z", "rad/s", 1000, -34.9, 34.9),
            ("temp", "Cel", 100, -40, 85),
        ),
        "resolution": (0.0006, 0.0006, 0.0006, 0.00013, 0.00013, 0.00013, 0.003),
        "raw_bytes": 14,
        "first_ms": 160,
        "convert_ms": 20,
        "addrs": (0x68, 0x69),
        "max_hz": 400000,
        "who_am_i": "register 0x75 = 0x68",
        "datasheet": "InvenSense PS-MPU-6000A-00 revision 3.4; RM-MPU-6000A-00 revision 4.2",
        "checked_against": "Adafruit_MPU6050; Linux drivers/iio/imu/inv_mpu6050",
    }
