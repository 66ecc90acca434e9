"""Analog Devices (Maxim) DS3231 clock with a battery and a thermometer over I2C.

    clock = DS3231(board.i2c("i2c0"))
    clock.set_time(9459, 43200)  # 2025-11-24 12:00:00
    out = array.array("i", (0, 0, 0))
    await clock.read_into(out)  # days since 2000-01-01, second of the day, centi-degC

Source: "DS" is the DS3231 datasheet, 19-5170 Rev 10, 3/15: registers (DS figure 1), OSF, BSY and
CONV (DS control and status register), temperature format, 200 ms (DS AC characteristics). Second
source of registers and flags: Linux drivers/rtc/rtc-ds3232.c, adafruit_ds3231.py; of CONV and the
temperature: the DS3232M datasheet, whose example is 25.25 degC, and Arduino drivers.

While the oscillator stop flag says that time was lost, reads raise SensorError until set_time. The
century bit is ignored: the years are 2000 to 2099.
"""

from micropython import const

from ..core.errors import SensorError
from .clock_date import day_of, from_bcd, put_time
from .i2c_sensor import I2CSensor, signed16

_REG_SECONDS = const(0x00)  # seconds, minutes, hours, weekday, date, month, year
_REG_CONTROL = const(0x0E)
_REG_STATUS = const(0x0F)

_CONTROL_STOP = const(0x80)  # EOSC: the clock stops on battery
_CONTROL_CONVERT = const(0x20)
_STATUS_LOST = const(0x80)  # OSF
_HOURS_12 = const(0x40)
_HOURS_PM = const(0x20)

_CONVERT_MS = const(200)
_GIVE_UP_MS = const(600)


class DS3231(I2CSensor):
    """See I2CSensor. A read makes the chip measure its temperature anew."""

    NAME = "ds3231"

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x68, 19, _GIVE_UP_MS)  # registers 0x00 to 0x12
        self._time = bytearray(7)

    def set_time(self, day, second):
        """Days since 2000-01-01, second of that day. ValueError out of range, OSError."""
        put_time(self._time, day, second)
        self._time[3] = (day + 5) % 7 + 1  # 1 is Monday; day 0 was a Saturday
        self._command(bytes((_REG_SECONDS,)) + self._time)
        status = self._read_byte(_REG_STATUS)
        self._write_byte(_REG_STATUS, status & ~_STATUS_LOST)

    def _configure(self):
        control = self._read_byte(_REG_CONTROL)
        if control & _CONTROL_STOP:
            self._write_byte(_REG_CONTROL, control & ~_CONTROL_STOP)

    def _trigger(self):
        control = self._read_byte(_REG_CONTROL)
        self._write_byte(_REG_CONTROL, control | _CONTROL_CONVERT)
        return _CONVERT_MS

    def _collect(self, out):
        # One transfer: the chip copies its counters at the start, so no carry can fall between.
        self._i2c.readfrom_mem_into(self._addr, _REG_SECONDS, self._buf)
        if self._buf[_REG_CONTROL] & _CONTROL_CONVERT:
            return False
        self.decode_into(self._buf, out)
        return True

    def decode_into(self, data, out):
        """Registers 0x00 to 0x12, 19 bytes. Does not allocate."""
        if data[_REG_STATUS] & _STATUS_LOST:
            raise SensorError("ds3231: the clock has stood still, set the time")
        second = from_bcd(data[0], 0, 59, "ds3231") + 60 * from_bcd(data[1], 0, 59, "ds3231")
        year = from_bcd(data[6], 0, 99, "ds3231")
        month = from_bcd(data[5] & 0x7F, 1, 12, "ds3231")
        day = day_of(year, month, from_bcd(data[4], 1, 31, "ds3231"))
        out[1] = second + 3600 * _hour(data[2])
        out[0] = day
        out[2] = (signed16(data[17] << 8 | data[18]) >> 6) * 25


def _hour(value):
    """0 to 23 of either format."""
    if not value & _HOURS_12:
        return from_bcd(value, 0, 23, "ds3231")
    hour = from_bcd(value & 0x1F, 1, 12, "ds3231") % 12
    return hour + 12 if value & _HOURS_PM else hour


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Analog Devices DS3231",
        "class": "DS3231",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Analog Devices DS3231 clock: day since 2000-01-01, second of the day, temperature",
        "params": {},
        "channels": (
            ("day", "count", 1, 0, 36524),
            ("second", "s", 1, 0, 86399),
            ("temp", "Cel", 100, -40, 85),
        ),
        "resolution": (1, 1, 0.25),
        "raw_bytes": 19,
        "first_ms": 200,
        "convert_ms": 200,
        "addrs": (0x68,),
        "max_hz": 400000,
        "who_am_i": "",
        "datasheet": "Maxim 19-5170 Rev 10, 2015-03",
        "checked_against": "Linux drivers/rtc/rtc-ds3232.c, adafruit_ds3231.py",
    }
