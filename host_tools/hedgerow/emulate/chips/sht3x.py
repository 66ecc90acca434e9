"""Simulated Sensirion SHT3x-DIS: 16-bit commands, single shot and periodic mode, status, CRC.

    chip = SHT3x(now_ms)
    chip.temp_c, chip.humidity_pct = 21.5, 55.0

Written from the Sensirion SHT3x-DIS datasheet, version 5: tables 4, 9, 10, 17 to 20. Second
source: Linux hwmon/sht3x.c. A command within 1 ms of another is not acknowledged (4.1); in
periodic mode only fetch and break are executed.
Faults beside those of i2c_chip.py: "crc" flips a bit of each word.
"""

from .sensirion import SensirionChip
from .sht4x import ticks

_SINGLE_MS = {0x2400: 15.5, 0x240B: 6.5, 0x2416: 4.5}
_PERIODIC_MS = {0x20: 2000, 0x21: 1000, 0x22: 500, 0x23: 250, 0x27: 100}  # by the high byte
_POWER_ON_STATUS = 0x8010  # table 18


class SHT3x(SensirionChip):
    INPUTS = (("temp_c", "temp", None), ("humidity_pct", "humidity", None))
    max_hz = 1000000

    def __init__(self, now_ms):
        self.temp_c = 20.0
        self.humidity_pct = 50.0
        SensirionChip.__init__(self, now_ms)

    def power_on(self):
        SensirionChip.power_on(self)
        self.status = _POWER_ON_STATUS
        self._period_ms = 0
        self._next_command_ms = self._now_ms()

    def acks(self, reading):
        if reading:
            ready = self._words and self._now_ms() >= self._busy_until_ms
            return bool(ready) or bool(self._command)
        return self._now_ms() >= self._next_command_ms

    def execute(self, command):
        code = command[0] << 8 | command[-1]
        self._next_command_ms = self._now_ms() + 1
        if self._period_ms and code not in (0x3093, 0xE000):
            self.status |= 2  # not processed
        elif code in _SINGLE_MS:
            self._measure(_SINGLE_MS[code])
        elif command[0] in _PERIODIC_MS:
            self._period_ms = _PERIODIC_MS[command[0]]
        elif code == 0xE000 and self._period_ms:
            self._measure(0)
        elif code == 0x30A2:
            self.power_on()
            self._next_command_ms = self._now_ms() + 1.5
        else:
            self._set(code)

    def _set(self, code):
        if code == 0x3093:
            self._period_ms = 0
        elif code == 0x306D:
            self.status |= 0x2000
        elif code == 0x3066:
            self.status &= ~0x2000
        elif code == 0x3041:
            self.status &= 0x2000
        elif code == 0xF32D:
            self._words = (self.status,)
        else:
            self.unknown_commands += 1

    def _measure(self, took_ms):
        self._busy_until_ms = self._now_ms() + took_ms
        self._words = (ticks(self.temp_c, -45, 175), ticks(self.humidity_pct, 0, 100))
