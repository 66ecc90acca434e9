"""Simulated TI ADS1115: multiplexer, ranges, data rates, single-shot and continuous mode.

    chip = ADS1115(now_ms)
    machine.attach_i2c(0, 0x48, chip)
    chip.volts = (1.5, 0.0, 3.3, 0.2)  # AIN0 to AIN3

Written from SBAS444E (configuration register, full-scale ranges, data format). Second source:
Adafruit_ADS1X15.h. Comparator and alert pin do nothing.
Faults: "busy" never finishes; and those of I2CChip.
"""

from .i2c_chip import WordChip

_FULL_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
_PER_S = (8, 16, 32, 64, 128, 250, 475, 860)
_PAIRS = ((0, 1), (0, 3), (1, 3), (2, 3))  # differential inputs, the others are against ground


class ADS1115(WordChip):
    FAULTS = WordChip.FAULTS + ("busy",)
    volts = (0.0, 0.0, 0.0, 0.0)

    def power_on(self):
        WordChip.power_on(self)
        self.words = {0: 0, 1: 0x0583, 2: 0x8000, 3: 0x7FFF}
        self._done_ms = None

    def store(self, reg, value):
        reg &= 3  # DS: two pointer bits
        if reg == 1:
            self.words[1] = value & 0x7FFF
            # OS starts a conversion in power-down only; in continuous mode one always runs.
            if not value & 0x100 or (value & 0x8000 and self._done_ms is None):
                self._begin()
        elif reg:
            self.words[reg] = value

    def load(self, reg):
        reg &= 3
        if reg == 1:
            return self.words[1] | (0x8000 if self._done_ms is None else 0)
        return self.words[reg]

    def _begin(self):
        self._done_ms = self._now_ms() + 1000 / _PER_S[self.words[1] >> 5 & 7]

    def settle(self):
        if self._done_ms is None or self.fault == "busy" or self._now_ms() < self._done_ms:
            return
        mux = self.words[1] >> 12 & 7
        if mux < 4:
            volts = self.volts[_PAIRS[mux][0]] - self.volts[_PAIRS[mux][1]]
        else:
            volts = self.volts[mux - 4]
        code = int(round(volts / _FULL_V[self.words[1] >> 9 & 7] * 32768))
        self.words[0] = min(max(code, -32768), 32767) & 0xFFFF
        self._done_ms = None
        if not self.words[1] & 0x100:
            self._begin()
