"""GPS receiver (u-blox NEO-6M to M10, any NMEA 0183) on a UART.

    gps = GPS(board.bus("uart", "uart0"))
    out = array.array("i", (0,) * 5)
    await gps.read_into(out)  # micro-degrees north, east; dm above sea level; cm/s; satellites
    gps.epoch_s()  # seconds since 1970 UTC of that fix, by the satellites' clocks

A reading is a GGA and an RMC sentence of one second, both with a right checksum, whatever the
talker (GP, GN, GL, GA, BD ...). Without a fix the read fails with that word: a cold start takes
half a minute under open sky. Micro-degrees are 0.11 m and small ints on 32-bit boards.

Source: "DS" is the u-blox 8 / M8 receiver description, UBX-13003221 R26: NMEA framing and
checksum (31.1), GGA (31.2.4), RMC (31.2.14). Second source of fields and checksum: gpsd
driver_nmea0183.c; the test reads gpsd's logs of eleven receivers and compares with what gpsd made
of them.
"""

from array import array

from micropython import const

from ..core.errors import SensorError
from .uart_sensor import UARTSensor

_GGA = const(0x474741)  # the last three letters of the address
_RMC = const(0x524D43)
_FIELDS = const(16)

_SECOND_MS = const(1000)
_GIVE_UP_MS = const(3000)

# How far a sentence is: before "$", in its fields, after "*" with n digits to come.
_OUTSIDE = const(-1)
_INSIDE = const(0)


class GPS(UARTSensor):
    """One receiver alone on a UART; the UART object belongs to the caller."""

    NAME = "gps"
    POLL_MS = 50

    def __init__(self, uart, baud=9600):
        """baud: 9600 for u-blox to M8, 38400 for M10."""
        self.BAUD = baud
        UARTSensor.__init__(self, uart, 2, _GIVE_UP_MS)
        self._whole = array("i", [0] * _FIELDS)  # digits before the point, or the last 3 letters
        self._parts = array("i", [0] * _FIELDS)  # five digits after it
        self._digits = array("i", [0] * _FIELDS)  # how many there were; 0 is an empty field
        self._at = _OUTSIDE
        self._fix = array("i", [0] * 5)
        self._stamp = array("i", [-1, -1])  # time of the GGA and of the RMC, hhmmss * 100
        self._date = 0
        self._valid = array("i", [0, 0])

    def _ask(self):
        self._at = _OUTSIDE
        self._stamp[0] = self._stamp[1] = -1
        return _SECOND_MS

    def _take(self, byte):
        """One character of the stream; True once GGA and RMC of one second are there."""
        if byte == 0x24:  # $
            self._at = _INSIDE
            self._sum = self._field = 0
            self._clear(0)
        elif self._at == _OUTSIDE:
            pass
        elif self._at == _INSIDE:
            self._inside(byte)
        else:
            return self._check(byte)
        return False

    def _inside(self, byte):
        if byte == 0x2A:  # *
            self._at = 2
            self._got = 0
            return
        self._sum ^= byte
        if byte < 0x20 or byte > 0x7E:
            self._at = _OUTSIDE
        elif byte == 0x2C:  # ,
            self._field += 1
            self._clear(self._field)
        elif self._field < _FIELDS:
            self._char(self._field, byte)

    def _clear(self, field):
        if field < _FIELDS:
            self._whole[field] = self._parts[field] = self._digits[field] = 0
        self._point = -1  # digits seen after the point, -1 before it
        self._minus = False

    def _char(self, field, byte):
        """Numbers become whole and parts; letters are packed, the last three stay."""
        if byte == 0x2E:
            self._point = 0
        elif byte == 0x2D:
            self._minus = True
        elif 0x30 <= byte <= 0x39 and field:
            self._digit(field, byte - 0x30)
        else:
            self._whole[field] = (self._whole[field] & 0xFFFF) << 8 | byte
            self._digits[field] += 1

    def _digit(self, field, digit):
        sign = -1 if self._minus else 1
        if self._point < 0:
            if self._digits[field] < 8:
                self._whole[field] = self._whole[field] * 10 + sign * digit
        elif self._point < 5:
            self._parts[field] += sign * digit * _POWERS[self._point]
            self._point += 1
        self._digits[field] += 1

    def _check(self, byte):
        """A digit of the checksum; after the second one the sentence counts, or not."""
        digit = byte - 0x30 if byte <= 0x39 else (byte | 0x20) - 0x57
        self._got = self._got << 4 | digit & 0x0F
        self._at -= 1
        if self._at:
            return False
        self._at = _OUTSIDE
        if self._got != self._sum:
            self._spoilt += 1
            return False
        name = self._whole[0]
        if name == _GGA:
            self._keep_gga()
        elif name == _RMC:
            self._keep_rmc()
        return self._stamp[0] == self._stamp[1] != -1

    def _time(self):
        return self._whole[1] * 100 + self._parts[1] // 1000 if self._digits[1] else -2

    def _keep_gga(self):
        self._stamp[0] = self._time() if self._digits[1] else -1
        self._valid[0] = 1 if self._whole[6] and self._digits[2] and self._digits[4] else 0
        self._fix[0] = self._degrees(2, 0x53)
        self._fix[1] = self._degrees(4, 0x57)
        self._fix[2] = self._whole[9] * 10 + (self._parts[9] + 5000) // 10000
        self._fix[4] = self._whole[7]

    def _keep_rmc(self):
        self._stamp[1] = self._time() if self._digits[1] else -1
        self._valid[1] = 1 if self._whole[2] == 0x41 else 0  # A
        self._date = self._whole[9]
        # 1 knot is 51.4444 cm/s; 1/100 knot is enough and stays a small int.
        centi_kn = min(self._whole[7], 1000) * 100 + self._parts[7] // 1000
        self._fix[3] = (centi_kn * 10289 + 10000) // 20000

    def _degrees(self, field, negative):
        """Micro-degrees of ddmm.mmmmm and the letter in the next field."""
        whole = self._whole[field]
        minutes = whole % 100 * 100000 + self._parts[field]  # * 100000
        micro = whole // 100 * 1000000 + (minutes + 3) // 6
        return -micro if self._whole[field + 1] == negative else micro

    def decode_into(self, data, out):
        """Write the kept fix into out; data is not used, a sentence has no fixed length."""
        if not (self._valid[0] and self._valid[1]):
            raise SensorError("gps: no fix")
        for i in range(5):
            out[i] = self._fix[i]

    def epoch_s(self):
        """Seconds since 1970-01-01 UTC of the last second heard, 0 before its date is known."""
        if not self._date or self._stamp[1] < 0:
            return 0
        day, month, year = self._date // 10000, self._date // 100 % 100, self._date % 100 + 2000
        # Days from 1970 by the civil calendar with March as the first month.
        if month < 3:
            year, month = year - 1, month + 12
        days = 365 * year + year // 4 - year // 100 + year // 400
        days += (153 * (month - 3) + 2) // 5 + day - 719469
        hms = self._stamp[1] // 100
        return days * 86400 + hms // 10000 * 3600 + hms // 100 % 100 * 60 + hms % 100


_POWERS = (10000, 1000, 100, 10, 1)

if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "u-blox NEO-6M to M10, NMEA 0183",
        "class": "GPS",
        "kind": "sensor",
        "bus": "uart",
        "doc": "GPS receiver with NMEA 0183 on a UART: position, height, speed, time",
        "params": {
            "baud": ("int", 9600, 4800, 921600, "speed: 9600 for u-blox to M8, 38400 for M10"),
        },
        "channels": (
            ("lat", "lat", 1000000, -90, 90),
            ("lon", "lon", 1000000, -180, 180),
            ("alt", "m", 10, -1000, 18000),
            ("speed", "m/s", 100, 0, 500),
            ("satellites", "count", 1, 0, 40),
        ),
        "resolution": (0.000001, 0.000001, 0.1, 0.01, 1),
        "raw_bytes": 150,
        "first_ms": 2100,
        "convert_ms": 2100,
        "who_am_i": "",
        "datasheet": "u-blox 8 / M8 receiver description UBX-13003221 R26",
        "checked_against": "gpsd driver_nmea0183.c and its test logs",
    }
