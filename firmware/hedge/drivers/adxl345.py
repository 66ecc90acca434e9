"""Analog Devices ADXL345 accelerometer over I2C, full resolution: 16 g in steps of 3.9 mg, 100 Hz.

    sensor = ADXL345(board.i2c("i2c0"))
    out = array.array("i", (0, 0, 0))
    await sensor.read_into(out)  # mm/s2 x y z

Source: "DS" is the ADXL345 data sheet revision G: specifications (table 1: 256 LSB/g in full
resolution at every range), register map (table 19), turn-on time (table 1: 1.4 ms, then a sample).
Second source of every register and bit: Adafruit_ADXL345_U.h and .cpp.

The chip has no reset command: all settings that matter are written at the start. A chip that lost
its supply is in standby and has no new data: the read fails, the next one starts anew.
"""

from micropython import const

from .free_running import FreeRunningSensor
from .i2c_sensor import signed16

_REG_DEVID = const(0x00)
_REG_OFS = const(0x1E)  # three offsets
_REG_BW_RATE = const(0x2C)
_REG_POWER_CTL = const(0x2D)
_REG_INT_SOURCE = const(0x30)
_REG_DATA_FORMAT = const(0x31)
_REG_DATA = const(0x32)  # x, y, z, low byte first
_REG_FIFO_CTL = const(0x38)

_DEVID = const(0xE5)
_MEASURE = const(0x08)
_RATE_100_HZ = const(0x0A)
_FULL_RES_16_G = const(0x0B)
_DATA_READY = const(0x80)

_TURN_ON_MS = const(25)
_SAMPLE_MS = const(10)
_GIVE_UP_MS = const(100)


class ADXL345(FreeRunningSensor):
    """One sensor on a bus the caller owns; the caller serialises concurrent reads."""

    NAME = "adxl345"
    STATUS, NEW, DATA = _REG_INT_SOURCE, _DATA_READY, _REG_DATA
    SETTLE_MS, SAMPLE_MS = _TURN_ON_MS, _SAMPLE_MS

    def __init__(self, i2c, addr=0x53):
        FreeRunningSensor.__init__(self, i2c, addr, 6, _GIVE_UP_MS)

    def _set_up(self):
        self._expect("device id", self._read_byte(_REG_DEVID), _DEVID)
        self._write_byte(_REG_POWER_CTL, 0)  # DS: change settings in standby
        for axis in range(3):
            self._write_byte(_REG_OFS + axis, 0)
        self._write_byte(_REG_BW_RATE, _RATE_100_HZ)
        self._write_byte(_REG_DATA_FORMAT, _FULL_RES_16_G)
        self._write_byte(_REG_FIFO_CTL, 0)
        self._write_byte(_REG_POWER_CTL, _MEASURE)

    def decode_into(self, data, out):
        """Write mm/s2 x, y, z of the 6 data bytes into out: 9806.65 / 256 a step."""
        for i in range(3):
            raw = signed16(data[2 * i + 1] << 8 | data[2 * i])
            out[i] = raw * 19613 + 256 >> 9


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Analog Devices ADXL345",
        "class": "ADXL345",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Analog Devices ADXL345 acceleration up to 16 g",
        "params": {
            "addr": ("int", 0x53, 0x1D, 0x53, "I2C address: 83 (0x53), or 29 if SDO is high"),
        },
        "channels": (
            ("accel_x", "m/s2", 1000, -156.9, 156.9),
            ("accel_y", "m/s2", 1000, -156.9, 156.9),
            ("accel_z", "m/s2", 1000, -156.9, 156.9),
        ),
        "resolution": (0.038, 0.038, 0.038),
        "raw_bytes": 6,
        "first_ms": 30,
        "convert_ms": 20,
        "addrs": (0x53, 0x1D),
        "max_hz": 400000,
        "who_am_i": "register 0x00 = 0xE5",
        "datasheet": "Analog Devices ADXL345 revision G",
        "checked_against": "Adafruit_ADXL345",
    }
