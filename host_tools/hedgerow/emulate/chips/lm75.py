"""Simulated NXP LM75B: 11-bit temperature, shutdown, limits.

    chip = LM75(now_ms)
    chip.temp_c = 21.5

Written from the LM75B data sheet revision 6.1, tables 5 to 12. Second source: Linux hwmon/lm75.c.
Bits 4 to 0 of the temperature, undefined in the data sheet, are ones here.
Faults: those of i2c_chip.py, "stuck" keeps its first result.
"""

from .i2c_chip import WordChip

_CYCLE_MS = 100


class LM75(WordChip):
    INPUTS = (("temp_c", "temp", None),)
    FAULTS = WordChip.FAULTS + ("stuck",)
    BYTE_WIDE = (1,)

    def __init__(self, now_ms):
        self.temp_c = 20.0
        WordChip.__init__(self, now_ms)

    def power_on(self):
        WordChip.power_on(self)
        self.words = {0: 0, 1: 0, 2: 0x4B00, 3: 0x5000}
        self._since_ms = self._now_ms()
        self._converted = False

    def settle(self):
        if self.words[1] & 1 or self._now_ms() - self._since_ms < _CYCLE_MS:
            return
        self._since_ms = self._now_ms()
        if self.fault != "stuck" or not self._converted:
            self.words[0] = int(self.temp_c * 8 + 65536.5) << 5 & 0xFFE0 | 0x1F
            self._converted = True

    def store(self, reg, value):
        if reg == 1:
            if self.words[1] & 1 and not value & 1:
                self._since_ms = self._now_ms()
            self.words[1] = value & 0x1F
        elif reg in (2, 3):
            self.words[reg] = value & 0xFF80
