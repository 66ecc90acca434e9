"""Analog Devices (Maxim) MAX17048 battery gauge of one lithium cell over I2C.

    gauge = MAX17048(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await gauge.read_into(out)  # mV, centi-percent

Source: "DS" is the MAX17048/MAX17049 datasheet, 19-6171 Rev 7, 11/16, register summary and section
of each register: addresses, steps of 78.125 uV and 1/256 %, version 0x001x, default 0x971C,
reset indicator RI. Second source of each: Adafruit_MAX1704X.h and .cpp; of the SLEEP bit: Zephyr
and SparkFun_MAX17043_Particle_Library.

The chip measures by itself and its model of the battery lives in it, so it is never reset from
here. After a lost supply it starts its model anew: RI tells, then one second is waited.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

_REG_VCELL = const(0x02)
_REG_SOC = const(0x04)
_REG_VERSION = const(0x08)
_REG_CONFIG = const(0x0C)
_REG_STATUS = const(0x1A)

_CONFIG_LOW = const(0x1C)  # not asleep, no alert, threshold 4 %
_STATUS_RI = const(0x0100)

_START_MS = const(1000)  # own choice: four times the longest first conversion of the family
_GIVE_UP_MS = const(3000)


class MAX17048(I2CSensor):
    """See I2CSensor. rcomp: compensation for the cell, 0x97 unless Maxim gave another one."""

    NAME = "max17048"

    def __init__(self, i2c, rcomp=0x97):
        I2CSensor.__init__(self, i2c, 0x36, 4, _GIVE_UP_MS)
        self._rcomp = rcomp

    def _configure(self):
        self._expect("version", self._read_word(_REG_VERSION) & 0xFFF0, 0x0010)
        self._write_word(_REG_CONFIG, self._rcomp << 8 | _CONFIG_LOW)

    def _trigger(self):
        status = self._read_word(_REG_STATUS)
        if not status & _STATUS_RI:
            return 0
        self._write_word(_REG_CONFIG, self._rcomp << 8 | _CONFIG_LOW)
        self._write_word(_REG_STATUS, status & ~_STATUS_RI)
        return _START_MS

    def _collect(self, out):
        if self._read_word(_REG_STATUS) & _STATUS_RI:
            raise SensorError("max17048: the supply failed")
        self._i2c.readfrom_mem_into(self._addr, _REG_VCELL, self._buf)  # VCELL and SOC
        if not self._buf[0] and not self._buf[1]:
            return False  # no conversion yet
        self.decode_into(self._buf, out)
        return True

    def decode_into(self, data, out):
        """VCELL and SOC, 4 bytes. Does not allocate."""
        charge = (data[2] << 8 | data[3]) * 25 + 32 >> 6
        # The model may run some percent over a full cell.
        self._check_range(charge, 0, 12000)
        out[0] = (data[0] << 8 | data[1]) * 5 + 32 >> 6
        out[1] = min(charge, 10000)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Analog Devices MAX17048",
        "class": "MAX17048",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Analog Devices MAX17048 voltage and charge of one lithium cell",
        "params": {
            "rcomp": ("int", 0x97, 0, 255, "compensation for the cell: 151 (0x97) by default"),
        },
        "channels": (("voltage", "V", 1000, 2.5, 5), ("charge", "%", 100, 0, 100)),
        "resolution": (0.000078, 0.004),
        "raw_bytes": 4,
        "first_ms": 1000,
        "convert_ms": 1000,
        "addrs": (0x36,),
        "max_hz": 400000,
        "who_am_i": "register 0x08 = 0x001x",
        "datasheet": "Maxim 19-6171 Rev 7, 2016-11",
        "checked_against": "Adafruit_MAX1704X, Zephyr max17048.h",
    }
