"""Bosch BME280 temperature, humidity and pressure over I2C, one forced measurement per read.

    sensor = BME280(board.i2c("i2c0"))
    out = array.array("i", (0, 0, 0))
    await sensor.read_into(out)  # centi-degC, centi-%RH, Pa

Source: "DS" is the BME280 datasheet, Bosch BST-BME280-DS002-15 revision 1.6, 2018-09: memory map
(DS table 18), trimming (DS table 16), compensation (DS 4.2.3), times (DS 9.1). Second source for
every register and formula: Bosch's BME280_SensorAPI (bme280_defs.h 3.3.2, bme280.c); numbers
checked against the calculation example of BST-BMP280-DS001, section 3.12.

Pressure uses the 64-bit formula: over the chip's range it is within 0.5 Pa of the floating-point
one, the 32-bit formula of DS 8.2 is up to 6 Pa off (tests/unit/test_driver_bme280.py), and 6 Pa is
half a metre of height or an hour of weather. So a read allocates big integers (192 bytes on the
64-bit Unix port, 1152 on an RP2040); start() and the bus transfers of poll() do not allocate.
"""

import struct

from micropython import const

from ..core import clock
from ..core.errors import SensorError

_CHIP_ID = const(0x60)
_REG_CALIB_TP = const(0x88)  # 26 bytes: T1..T3, P1..P9, one unused, H1
_REG_CHIP_ID = const(0xD0)
_REG_CALIB_H = const(0xE1)  # 7 bytes: H2..H6
_REG_STATUS = const(0xF3)
_REG_DATA = const(0xF7)  # 8 bytes: pressure 20 bit, temperature 20 bit, humidity 16 bit

# Registers and their values, in pairs (DS 6.2.1).
_RESET = b"\xe0\xb6"
_FORCED_X1 = b"\xf2\x01\xf4\x25"  # osrs_h x1; osrs_t x1, osrs_p x1, mode forced
_STATUS_MEASURING = const(0x08)
_STATUS_IM_UPDATE = const(0x01)

_STARTUP_MS = const(3)  # DS table 1: 2 ms
_MEASURE_MS = const(10)  # DS 9.1: 9.3 ms at most for x1, x1, x1
_GIVE_UP_MS = const(100)
_EIO = const(5)

_COLD = const(0)  # unknown state: identify and reset before the next measurement
_RESETTING = const(1)
_IDLE = const(2)
_MEASURING = const(3)


class BME280:
    """One sensor on a bus the caller owns; the caller serialises concurrent reads."""

    def __init__(self, i2c, addr=0x76):
        self._i2c = i2c
        self._addr = addr
        self._state = _COLD
        self._started_ms = 0
        self._byte = bytearray(1)
        self._data = bytearray(8)
        self._t = self._p = self._h = None  # trimming words

    async def read_into(self, out):
        """Measure once and write [centi-degC, centi-%RH, Pa] into out.

        Raises OSError if the bus fails, SensorError if the chip is not a BME280, does not finish
        or gives values outside its range; out is left untouched and the next read starts anew.
        """
        wait_ms = self.start()
        await clock.sleep_ms(wait_ms)
        while not self.poll(out):
            await clock.sleep_ms(_MEASURE_MS)

    def start(self):
        """Begin a measurement (the first time a reset); returns the ms until poll may be ready."""
        cold = self._state == _COLD
        self._state = _COLD  # until the transfers below succeed
        if cold:
            self._identify()
            self._write(_RESET)
            self._state = _RESETTING
        else:
            self._trigger()
        self._started_ms = clock.ticks_ms()
        return _STARTUP_MS if cold else _MEASURE_MS

    def poll(self, out):
        """True once out is written, False while busy; errors as read_into."""
        state = self._state
        self._state = _COLD  # stays so if anything below raises
        if self._busy():
            self._state = state
            return False
        if state == _RESETTING:
            low = self._i2c.readfrom_mem(self._addr, _REG_CALIB_TP, 26)
            self.set_trimming(low, self._i2c.readfrom_mem(self._addr, _REG_CALIB_H, 7))
            self._trigger()
            return False
        if state != _MEASURING:
            raise SensorError("bme280: poll without start")
        self._i2c.readfrom_mem_into(self._addr, _REG_DATA, self._data)
        self.decode_into(self._data, out)
        self._state = _IDLE
        return True

    def decode_into(self, data, out):
        """Compensate 8 bytes of the data registers. Allocates big integers, see the top."""
        adc_p = data[0] << 12 | data[1] << 4 | data[2] >> 4
        adc_t = data[3] << 12 | data[4] << 4 | data[5] >> 4
        adc_h = data[6] << 8 | data[7]
        if adc_t == 0x80000 or adc_p == 0x80000 or adc_h == 0x8000:
            raise SensorError("bme280: no measurement")  # DS 5.4: value of a skipped one
        fine = t_fine(adc_t, self._t)
        temp = fine * 5 + 128 >> 8
        pressure = compensate_pressure(adc_p, fine, self._p) + 128 >> 8
        humidity = compensate_humidity(adc_h, fine, self._h) * 25 + 128 >> 8
        # A reading at the end of the range may lie some counts past it; more is a fault.
        if not (-4100 <= temp <= 8600 and 29900 <= pressure <= 110100):
            raise SensorError("bme280: out of range: %d centi-degC, %d Pa" % (temp, pressure))
        out[0] = min(max(temp, -4000), 8500)
        out[1] = humidity
        out[2] = min(max(pressure, 30000), 110000)

    def set_trimming(self, tp, h):
        """tp: the 26 bytes from 0x88; h: the 7 bytes from 0xE1 (DS table 16)."""
        words = struct.unpack("<HhhHhhhhhhhh", tp[:24])
        h2, h3, h4, h45, h5, h6 = struct.unpack("<hBbBbb", h)
        if words[0] in (0, 0xFFFF) or words[3] in (0, 0xFFFF):
            raise SensorError("bme280: no trimming values")
        self._t, self._p = words[:3], words[3:]
        self._h = (tp[25], h2, h3, h4 * 16 + (h45 & 15), h5 * 16 + (h45 >> 4), h6)

    def _identify(self):
        self._i2c.readfrom_mem_into(self._addr, _REG_CHIP_ID, self._byte)
        if self._byte[0] != _CHIP_ID:
            raise SensorError("bme280: chip id 0x%02x, expected 0x60" % self._byte[0])

    def _busy(self):
        """Whether a measurement or the copy of trimming values runs; SensorError if too long."""
        self._i2c.readfrom_mem_into(self._addr, _REG_STATUS, self._byte)
        if not self._byte[0] & (_STATUS_MEASURING | _STATUS_IM_UPDATE):
            return False
        if clock.ticks_diff(clock.ticks_ms(), self._started_ms) >= _GIVE_UP_MS:
            raise SensorError("bme280: still busy after %d ms" % _GIVE_UP_MS)
        return True

    def _trigger(self):
        # DS 5.4.3: humidity oversampling takes effect with the write of ctrl_meas.
        self._write(_FORCED_X1)
        self._state = _MEASURING

    def _write(self, pairs):
        # As i2c_sensor.write_all, for the same reason.
        if self._i2c.writeto(self._addr, pairs) != len(pairs):
            raise OSError(_EIO)


def t_fine(adc_t, trim):
    """Temperature in 1/5120 degC, which the other two formulas need. trim: (T1, T2, T3)."""
    t1, t2, t3 = trim
    var1 = ((adc_t >> 3) - (t1 << 1)) * t2 >> 11
    diff = (adc_t >> 4) - t1
    return var1 + ((diff * diff >> 12) * t3 >> 14)


def compensate_pressure(adc_p, fine, trim):
    """Pressure in Pa * 256, 0 if the trimming values divide by zero. trim: (P1, ..., P9)."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = trim
    var1 = fine - 128000
    var2 = var1 * var1 * p6 + (var1 * p5 << 17) + (p4 << 35)
    var1 = (var1 * var1 * p3 >> 8) + (var1 * p2 << 12)
    var1 = ((1 << 47) + var1) * p1 >> 33
    if var1 == 0:
        return 0
    p = ((1048576 - adc_p << 31) - var2) * 3125 // var1
    var1 = p9 * (p >> 13) * (p >> 13) >> 25
    var2 = p8 * p >> 19
    return (p + var1 + var2 >> 8) + (p7 << 4)


def compensate_humidity(adc_h, fine, trim):
    """Humidity in %RH * 1024, 0 to 102400. trim: (H1, ..., H6)."""
    h1, h2, h3, h4, h5, h6 = trim
    v = fine - 76800
    gain = ((v * h6 >> 10) * ((v * h3 >> 11) + 32768) >> 10) + 2097152
    v = ((adc_h << 14) - (h4 << 20) - h5 * v + 16384 >> 15) * (gain * h2 + 8192 >> 14)
    v -= ((v >> 15) * (v >> 15) >> 7) * h1 >> 4
    return min(max(v, 0), 419430400) >> 12


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Bosch BME280",
        "class": "BME280",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Bosch BME280 air temperature, humidity and pressure",
        "params": {
            "addr": ("int", 0x76, 0x76, 0x77, "I2C address: 118 (0x76) if SDO is low, else 119"),
        },
        "channels": (
            ("temp", "Cel", 100, -40, 85),
            ("humidity", "%RH", 100, 0, 100),
            ("pressure", "Pa", 1, 30000, 110000),
        ),
        "resolution": (0.005, 0.01, 2.6),
        "raw_bytes": 8,
        "first_ms": 13,
        "convert_ms": 10,
        "addrs": (0x76, 0x77),
        "max_hz": 3400000,
        "who_am_i": "register 0xD0 = 0x60",
        "alloc_bytes": 1280,
        "active_ua": 714,
        "standby_ua": 0.1,
        "datasheet": "Bosch BST-BME280-DS002-15 revision 1.6, 2018-09",
        "checked_against": "Bosch BME280_SensorAPI 3.3.2",
    }
