"""Bosch BMP280 temperature and pressure over I2C, one forced measurement per read.

    sensor = BMP280(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # centi-degC, Pa

Source: "DS" is Bosch BST-BMP280-DS001: memory map (DS table 18), trimming (DS table 17),
calculation example (DS 3.12), times (DS table 13). Registers, formulas and second sources are as
in bme280.py, whose compensation is used here; second source of the id: Bosch's BMP280_driver
(bmp280.h: 0x58, samples 0x56 and 0x57, which are refused). A read allocates big integers.
"""

import struct

from micropython import const

from ..core.errors import SensorError
from .bme280 import compensate_pressure, t_fine
from .i2c_sensor import I2CSensor

_CHIP_ID = const(0x58)
_REG_CALIB = const(0x88)  # 24 bytes: T1..T3, P1..P9
_REG_CHIP_ID = const(0xD0)
_REG_RESET = const(0xE0)
_REG_STATUS = const(0xF3)
_REG_CTRL_MEAS = const(0xF4)
_REG_DATA = const(0xF7)  # 6 bytes: pressure 20 bit, temperature 20 bit

_RESET = const(0xB6)
_FORCED = const(0x2D)  # osrs_t x1, osrs_p x4 ("standard resolution"), mode forced
_STATUS_BUSY = const(0x09)  # measuring, or copying the trimming values

_STARTUP_MS = const(3)  # DS table 2: 2 ms
_MEASURE_MS = const(14)  # DS table 13: 13.3 ms at most
_GIVE_UP_MS = const(120)


class BMP280(I2CSensor):
    """out: [centi-degC, Pa]."""

    NAME = "bmp280"

    def __init__(self, i2c, addr=0x76):
        I2CSensor.__init__(self, i2c, addr, 6, _GIVE_UP_MS)
        self._t = self._p = None  # trimming words

    def set_trimming(self, data):
        """data: the 24 bytes from 0x88."""
        words = struct.unpack("<HhhHhhhhhhhh", data)
        if words[0] in (0, 0xFFFF) or words[3] in (0, 0xFFFF):
            raise SensorError("bmp280: no trimming values")
        self._t, self._p = words[:3], words[3:]

    def decode_into(self, data, out):
        """data: 6 bytes of the data registers. Allocates big integers."""
        adc_p = data[0] << 12 | data[1] << 4 | data[2] >> 4
        adc_t = data[3] << 12 | data[4] << 4 | data[5] >> 4
        if adc_t == 0x80000 or adc_p == 0x80000:
            raise SensorError("bmp280: no measurement")
        fine = t_fine(adc_t, self._t)
        temp = fine * 5 + 128 >> 8
        pressure = compensate_pressure(adc_p, fine, self._p) + 128 >> 8
        self._check_range(temp, -4100, 8600)
        self._check_range(pressure, 29900, 110100)
        out[0] = min(max(temp, -4000), 8500)
        out[1] = min(max(pressure, 30000), 110000)

    def _reset(self, step):
        if step:
            return 0
        self._expect("chip id", self._read_byte(_REG_CHIP_ID), _CHIP_ID)
        self._write_byte(_REG_RESET, _RESET)
        return _STARTUP_MS

    def _configure(self):
        self.set_trimming(self._i2c.readfrom_mem(self._addr, _REG_CALIB, 24))

    def _trigger(self):
        self._write_byte(_REG_CTRL_MEAS, _FORCED)
        return _MEASURE_MS

    def _collect(self, out):
        if self._read_byte(_REG_STATUS) & _STATUS_BUSY:
            return False
        self._i2c.readfrom_mem_into(self._addr, _REG_DATA, self._buf)
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Bosch BMP280",
        "class": "BMP280",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Bosch BMP280 air temperature and pressure",
        "params": {
            "addr": ("int", 0x76, 0x76, 0x77, "I2C address: 118 (0x76) if SDO is low, else 119"),
        },
        "channels": (("temp", "Cel", 100, -40, 85), ("pressure", "Pa", 1, 30000, 110000)),
        "resolution": (0.005, 0.66),
        "raw_bytes": 6,
        "first_ms": 17,
        "convert_ms": 14,
        "addrs": (0x76, 0x77),
        "max_hz": 3400000,
        "who_am_i": "register 0xD0 = 0x58",
        "alloc_bytes": 1280,
        "active_ua": 720,
        "standby_ua": 0.1,
        "datasheet": "Bosch BST-BMP280-DS001",
        "checked_against": "Bosch BMP280_driver; Bosch BME280_SensorAPI 3.3.2",
    }
