"""NXP PCF8563 clock over I2C.

    clock = PCF8563(board.i2c("i2c0"))
    clock.set_time(9459, 43200)  # 2025-11-24 12:00:00
    out = array.array("i", (0, 0))
    await clock.read_into(out)  # days since 2000-01-01, second of the day

Source: "DS" is the PCF8563 datasheet, Rev. 10, 3 April 2012: registers (DS table 4 to 17), VL flag
(DS 8.4.1.1), STOP and TEST1 (DS table 5), leap years (DS table 12). Second source of registers
and flags: Linux drivers/rtc/rtc-pcf8563.c; of the register table: NXP UM10301.

While the VL flag says that time was lost, or the clock is stopped, reads raise SensorError until
set_time. The century bit is ignored: the years are 2000 to 2099.
"""

from micropython import const

from ..core.errors import SensorError
from .clock_date import day_of, from_bcd, put_time
from .i2c_sensor import I2CSensor

_REG_CONTROL = const(0x00)
_REG_SECONDS = const(0x02)  # seconds, minutes, hours, date, weekday, month, year

_CONTROL_HALTED = const(0xA0)  # TEST1, STOP
_SECONDS_LOST = const(0x80)  # VL
_GIVE_UP_MS = const(100)


class PCF8563(I2CSensor):
    """See I2CSensor."""

    NAME = "pcf8563"

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x51, 9, _GIVE_UP_MS)  # registers 0x00 to 0x08
        self._time = bytearray(7)

    def set_time(self, day, second):
        """Days since 2000-01-01, second of that day. ValueError out of range, OSError."""
        put_time(self._time, day, second)
        self._time[3], self._time[4] = self._time[4], (day + 6) % 7  # 0 is Sunday
        self._command(bytes((_REG_SECONDS,)) + self._time)  # clears VL
        self._write_byte(_REG_CONTROL, 0)

    def _trigger(self):
        return 0

    def _collect(self, out):
        # One transfer: the counters are frozen while the chip is read (DS 8.4.10).
        self._i2c.readfrom_mem_into(self._addr, _REG_CONTROL, self._buf)
        self.decode_into(self._buf, out)
        return True

    def decode_into(self, data, out):
        """Registers 0x00 to 0x08, 9 bytes. Does not allocate."""
        if data[0] & _CONTROL_HALTED or data[2] & _SECONDS_LOST:
            raise SensorError("pcf8563: the clock has stood still, set the time")
        second = from_bcd(data[2], 0, 59, "pcf8563")
        second += 60 * from_bcd(data[3] & 0x7F, 0, 59, "pcf8563")
        second += 3600 * from_bcd(data[4] & 0x3F, 0, 23, "pcf8563")
        date = from_bcd(data[5] & 0x3F, 1, 31, "pcf8563")
        month = from_bcd(data[7] & 0x1F, 1, 12, "pcf8563")
        out[0] = day_of(from_bcd(data[8], 0, 99, "pcf8563"), month, date)
        out[1] = second


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "NXP PCF8563",
        "class": "PCF8563",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "NXP PCF8563 clock: day since 2000-01-01 and second of the day",
        "params": {},
        "channels": (("day", "count", 1, 0, 36524), ("second", "s", 1, 0, 86399)),
        "resolution": (1, 1),
        "raw_bytes": 9,
        "first_ms": 0,
        "convert_ms": 0,
        "addrs": (0x51,),
        "max_hz": 400000,
        "who_am_i": "",
        "datasheet": "NXP PCF8563 Rev. 10, 2012-04-03",
        "checked_against": "Linux drivers/rtc/rtc-pcf8563.c, NXP UM10301",
    }
