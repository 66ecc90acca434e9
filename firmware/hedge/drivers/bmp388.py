"""Bosch BMP388 or BMP390 pressure and temperature over I2C, one forced measurement per read.

    sensor = BMP388(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # centi-degC, Pa

Source: "DS" is the BMP388 datasheet, Bosch BST-BMP388-DS001-01 revision 1.1, 2018-03: memory map
(DS 4.2), trimming (DS 3.11.1), measurement time (DS 3.9.2). Second source of every register, the
trimming words and the integer compensation: boschsensortec/BMP3_SensorAPI, bmp3.c and
bmp3_defs.h.

Oversampling x4 of pressure and x1 of temperature, no filter. As with the BME280, pressure needs
64 bits, so a read allocates big integers; start() and the bus transfers of poll() do not. Bosch's
divisions round to zero, the shifts here down: less than 0.01 Pa.
"""

import struct

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

_REG_CHIP_ID = const(0x00)
_REG_STATUS = const(0x03)
_REG_DATA = const(0x04)  # pressure 3, temperature 3, low byte first
_REG_PWR_CTRL = const(0x1B)
_REG_OSR = const(0x1C)
_REG_CONFIG = const(0x1F)
_REG_CALIB = const(0x31)  # 21 bytes
_REG_CMD = const(0x7E)

_BMP388 = const(0x50)
_BMP390 = const(0x60)
_SOFT_RESET = const(0xB6)
_OSR_P_X4_T_X1 = const(0x02)
_FORCED_P_T = const(0x13)
_DRDY_P_T = const(0x60)

_RESET_MS = const(5)  # DS: 2 ms
_MEASURE_MS = const(12)  # DS: 0.234 + 0.392 + 4 * 2.02 + 0.163 + 2.02 ms = 10.9
_GIVE_UP_MS = const(100)


class BMP388(I2CSensor):
    """One sensor on a bus the caller owns; the caller serialises concurrent reads."""

    NAME = "bmp388"

    def __init__(self, i2c, addr=0x76):
        I2CSensor.__init__(self, i2c, addr, 6, _GIVE_UP_MS)
        self._trim = None

    def _reset(self, step):
        if step:
            return 0
        chip_id = self._read_byte(_REG_CHIP_ID)
        if chip_id != _BMP390:
            self._expect("chip id", chip_id, _BMP388)
        self._write_byte(_REG_CMD, _SOFT_RESET)
        return _RESET_MS

    def _configure(self):
        self.set_trimming(self._i2c.readfrom_mem(self._addr, _REG_CALIB, 21))
        self._write_byte(_REG_CONFIG, 0)
        self._write_byte(_REG_OSR, _OSR_P_X4_T_X1)

    def _trigger(self):
        self._write_byte(_REG_PWR_CTRL, _FORCED_P_T)
        return _MEASURE_MS

    def _collect(self, out):
        if self._read_byte(_REG_STATUS) & _DRDY_P_T != _DRDY_P_T:
            return False
        self._i2c.readfrom_mem_into(self._addr, _REG_DATA, self._buf)
        self.decode_into(self._buf, out)
        return True

    def set_trimming(self, data):
        """data: the 21 bytes from 0x31: T1 T2 T3 P1 ... P11. Raises SensorError if empty."""
        self._trim = struct.unpack("<HHbhhbbHHbbhbb", data)
        if self._trim[0] in (0, 0xFFFF) or self._trim[1] in (0, 0xFFFF):
            raise SensorError("bmp388: no trimming values")

    def decode_into(self, data, out):
        """Compensate 6 data bytes: [centi-degC, Pa]. Allocates big integers, see the top."""
        t_lin = linear_temp(data[5] << 16 | data[4] << 8 | data[3], self._trim)
        temp = t_lin * 25 + 8192 >> 14
        raw_p = data[2] << 16 | data[1] << 8 | data[0]
        pressure = (compensate_pressure(raw_p, t_lin, self._trim) + 50) // 100
        # A reading at the end of the range may lie some counts past it; more is a fault.
        self._check_range(temp, -4100, 8600)
        self._check_range(pressure, 29900, 125100)
        out[0] = min(max(temp, -4000), 8500)
        out[1] = min(max(pressure, 30000), 125000)


def linear_temp(raw_t, trim):
    """Temperature in degC * 65536."""
    diff = raw_t - 256 * trim[0]
    return (trim[1] * diff << 18) + diff * diff * trim[2] >> 32


def compensate_pressure(raw_p, t_lin, trim):
    """Pressure in Pa * 100. trim: (T1, ..., P11)."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11 = trim[3:]
    square = t_lin * t_lin
    cube = (square >> 6) * t_lin >> 8
    offset = (p5 << 47) + (p8 * cube >> 5) + (p7 * square << 4) + (p6 * t_lin << 22)
    slope = ((p1 - 16384) << 46) + (p4 * cube >> 5) + (p3 * square << 2)
    slope += (p2 - 16384) * t_lin << 21
    bend = (p10 * t_lin + (p9 << 16)) * raw_p >> 13
    bend = (raw_p * (bend // 10) >> 9) * 10
    twist = (p11 * raw_p * raw_p >> 16) * raw_p >> 7
    return ((offset >> 2) + (slope >> 24) * raw_p + bend + twist) * 25 >> 40


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Bosch BMP388, BMP390",
        "class": "BMP388",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Bosch BMP388 or BMP390 air pressure and temperature",
        "params": {
            "addr": ("int", 0x76, 0x76, 0x77, "I2C address: 118 (0x76) if SDO is low, else 119"),
        },
        "channels": (("temp", "Cel", 100, -40, 85), ("pressure", "Pa", 1, 30000, 125000)),
        "resolution": (0.005, 0.33),
        "raw_bytes": 6,
        "first_ms": 18,
        "convert_ms": 12,
        "addrs": (0x76, 0x77),
        "max_hz": 3400000,
        "who_am_i": "register 0x00 = 0x50 (BMP390: 0x60)",
        "alloc_bytes": 2048,
        "active_ua": 700,
        "standby_ua": 2.0,
        "datasheet": "Bosch BST-BMP388-DS001-01 revision 1.1, 2018-03",
        "checked_against": "Bosch BMP3_SensorAPI",
    }
