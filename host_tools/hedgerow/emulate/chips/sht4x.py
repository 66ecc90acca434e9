"""Simulated Sensirion SHT4x: commands, measurement times, CRC, NACK while busy.

    chip = SHT4x(now_ms)
    chip.temp_c, chip.humidity_pct = 21.5, 55.0

Written from the Sensirion SHT4x datasheet, version 6: commands (4.5), times (table 5), signal
conversion (4.6), here solved for the ticks in floating point. Second source: Linux hwmon/sht4x.c.
Faults beside those of i2c_chip.py: "crc" flips a bit of each word.
"""

from .sensirion import SensirionChip

_MEASURE_MS = {0xFD: 8.3, 0xF6: 4.5, 0xE0: 1.6}  # high, medium, low repeatability, at most
_HEATER_MS = {0x39: 1100, 0x32: 110, 0x2F: 1100, 0x24: 110, 0x1E: 1100, 0x15: 110}


def ticks(value, offset, span):
    """Nearest 16-bit raw value of offset + span * raw / 65535."""
    return min(max(int((value - offset) / span * 65535 + 0.5), 0), 65535)


class SHT4x(SensirionChip):
    INPUTS = (("temp_c", "temp", None), ("humidity_pct", "humidity", None))
    max_hz = 1000000
    nack_from = 0  # commands are one byte

    def __init__(self, now_ms):
        self.temp_c = 20.0
        self.humidity_pct = 50.0
        self.serial = (0x0F4E, 0x91A2)
        SensirionChip.__init__(self, now_ms)

    def execute(self, command):
        code = command[0]
        now_ms = self._now_ms()
        self._words = ()
        if code in _MEASURE_MS or code in _HEATER_MS:
            self._busy_until_ms = now_ms + (_MEASURE_MS.get(code) or _HEATER_MS[code])
            self._words = (
                ticks(self.temp_c, -45, 175),
                ticks(self.humidity_pct, -6, 125),
            )
        elif code == 0x89:
            self._words = self.serial
        elif code == 0x94:
            self.power_on()
            self._busy_until_ms = now_ms + 1
        else:
            self.unknown_commands += 1
