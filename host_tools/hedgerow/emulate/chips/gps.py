"""Simulated GPS receiver: NMEA sentences once a second, with a fix or without.

    chip = GPS(now_ms)
    machine.attach_uart(0, chip)
    chip.lat, chip.lon, chip.alt_m, chip.speed_mps, chip.satellites = 51.5, -0.1, 40.0, 1.2, 8

Written from the u-blox 8 / M8 receiver description UBX-13003221 (31.1, 31.2): RMC, VTG, GGA, GSA,
GSV, GLL in u-blox's order, five decimals of minutes. Before a fix the position fields are empty,
status V, quality 0. The clock begins at begin_s. Second source: the logs of u-blox receivers that
gpsd keeps as tests. "nofix" loses the satellites; other faults as in uart_chip.py.
"""

import time

from .uart_chip import UARTChip


def sentence(body):
    """$body*checksum and the end of the line."""
    total = 0
    for char in body:
        total ^= ord(char)
    return ("$%s*%02X\r\n" % (body, total)).encode()


def _angle(value, digits, letters):
    """ddmm.mmmmm and its letter, as NMEA writes angles."""
    units = int(abs(value) * 6000000 + 0.5)  # 1/100000 minute
    degrees, rest = units // 6000000, units % 6000000
    text = "%0*d%02d.%05d" % (digits, degrees, rest // 100000, rest % 100000)
    return text + "," + letters[1 if value < 0 else 0]


class GPS(UARTChip):
    """On a UART at 9600 baud unless told otherwise."""

    FAULTS = UARTChip.FAULTS + ("nofix",)
    CRC_AT = 12
    period_ms = 1000

    def __init__(self, now_ms, begin_s=1767225600):
        self.lat = self.lon = self.alt_m = self.speed_mps = 0.0
        self.satellites = 8
        self._begin_s = begin_s
        self._first_ms = now_ms()
        UARTChip.__init__(self, now_ms)

    def frame(self):
        now = time.gmtime(self._begin_s + (self._next_ms - self._first_ms) // 1000)
        hms = "%02d%02d%02d.00" % now[3:6]
        date = "%02d%02d%02d" % (now[2], now[1], now[0] % 100)
        fix = self.fault != "nofix"
        knots = "%.3f" % (self.speed_mps / 0.514444444)
        where = ",,,"
        if fix:
            where = _angle(self.lat, 2, "NS") + "," + _angle(self.lon, 3, "EW")
        spd = knots if fix else ""
        alt = "%.1f" % self.alt_m if fix else ""
        letters = "A" if fix else "V"
        quality = (
            "1,%02d,1.01,%s,M,46.0,M,," % (self.satellites, alt) if fix else "0,00,99.99,,,,,,"
        )
        lines = (
            "GNRMC,%s,%s,%s,%s,,%s,,,%s" % (hms, letters, where, spd, date, "A" if fix else "N"),
            "GNVTG,,T,,M,%s,N,,K,%s" % (spd, "A" if fix else "N"),
            "GNGGA,%s,%s,%s" % (hms, where, quality),
            "GNGSA,A,%d,05,07,13,,,,,,,,,,2.01,1.01,1.73" % (3 if fix else 1),
            "GPGSV,1,1,03,05,40,187,31,07,11,078,29,13,43,270,37",
            "GNGLL,%s,%s,%s,%s" % (where, hms, letters, "A" if fix else "N"),
        )
        return b"".join([sentence(line) for line in lines])

    def say(self, data, at_ms):
        """uart_chip.py's faults, but "crc" spoils each sentence and "cut" each line's end."""
        if self.fault in ("crc", "cut"):
            lines = bytes(data).split(b"\r\n")[:-1]
            for line in lines:
                UARTChip.say(self, line + b"\r\n", at_ms)
        else:
            UARTChip.say(self, data, at_ms)
