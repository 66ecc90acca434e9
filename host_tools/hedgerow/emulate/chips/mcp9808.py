"""Simulated Microchip MCP9808: continuous conversion, shutdown, resolution, ids.

    chip = MCP9808(now_ms)
    chip.temp_c = 21.5

Written from DS25095A: registers 5.1, shutdown 5.2.1, resolution and conversion time 5.2.4. Second
source: Linux hwmon/jc42.c. The temperature register is 0 until the first conversion.
Faults: those of i2c_chip.py, "stuck" keeps its first result.
"""

from .i2c_chip import WordChip

_CONVERT_MS = (30, 65, 130, 250)


class MCP9808(WordChip):
    INPUTS = (("temp_c", "temp", None),)
    FAULTS = WordChip.FAULTS + ("stuck",)
    BYTE_WIDE = (8,)

    def __init__(self, now_ms):
        self.temp_c = 20.0
        WordChip.__init__(self, now_ms)

    def power_on(self):
        WordChip.power_on(self)
        self.words = {0: 0x001D, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0x0054, 7: 0x0400, 8: 3}
        self._since_ms = self._now_ms()

    def settle(self):
        """Double-buffered: the register changes when a conversion ends."""
        took_ms = _CONVERT_MS[self.words[8] & 3]
        if self.words[1] & 0x100 or self._now_ms() - self._since_ms < took_ms:
            return
        self._since_ms = self._now_ms()
        if self.fault != "stuck" or not self.words[5]:
            self.words[5] = self._temperature()

    def _temperature(self):
        below = 4 - (self.words[8] & 3) - 1  # bits that a coarser resolution leaves 0
        raw = int(self.temp_c * 16 + 65536.5) >> below << below & 0x1FFF
        flags = 0x8000 if self.temp_c >= 0 else 0x2000  # all limits are 0 degC at power-on
        return flags | raw | (0x4000 if self.temp_c > 0 else 0)

    def store(self, reg, value):
        if reg == 1:
            if self.words[1] & 0x100 and not value & 0x100:
                self._since_ms = self._now_ms()
            self.words[1] = value & 0x07FF
        elif reg in (2, 3, 4, 8):
            self.words[reg] = value
