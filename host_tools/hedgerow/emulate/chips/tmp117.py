"""Simulated TI TMP117: continuous and one-shot conversion, averaging, data ready, soft reset.

    chip = TMP117(now_ms)
    chip.temp_c = 21.5

Written from SNOSD82D (register map 7.6, modes 7.4, timing 6.5). Second source: Linux
iio/temperature/tmp117.c. Powers up converting, mean of 8; the result is -256 degC until then.
Faults beside those of i2c_chip.py: "busy" never finishes.
"""

from .i2c_chip import WordChip

_AVERAGED = (1, 8, 32, 64)
_CONVERT_MS = 15.5
_READY = 0x2000


class TMP117(WordChip):
    INPUTS = (("temp_c", "temp", None),)
    FAULTS = WordChip.FAULTS + ("busy",)

    def __init__(self, now_ms):
        self.temp_c = 20.0
        WordChip.__init__(self, now_ms)

    def power_on(self):
        WordChip.power_on(self)
        self.words = {0: 0x8000, 1: 0x0220, 2: 0x6000, 3: 0x8000, 7: 0, 0x0F: 0x0117}
        self._start(1.5)

    def _mode(self):
        return self.words[1] >> 10 & 3

    def _start(self, after_ms=0):
        took_ms = _CONVERT_MS * _AVERAGED[self.words[1] >> 5 & 3]
        self._done_ms = None if self._mode() == 1 else self._now_ms() + after_ms + took_ms

    def settle(self):
        if self._done_ms is None or self.fault == "busy" or self._now_ms() < self._done_ms:
            return
        self.words[0] = int(self.temp_c * 128 + 65536.5) & 0xFFFF
        self.words[1] |= _READY
        if self._mode() == 3:
            self.words[1] = self.words[1] & ~0x0C00 | 0x0400  # one-shot ends in shutdown
            self._done_ms = None
        else:
            self._start(1000)

    def load(self, reg):
        value = WordChip.load(self, reg)
        if reg in (0, 1):
            self.words[1] &= ~_READY
        return value

    def store(self, reg, value):
        if reg == 1 and value & 2:
            self.power_on()
            self.pointer = reg
        elif reg == 1:
            self.words[1] = value & 0x0FFC
            self._start()
        elif reg in (2, 3, 7):
            self.words[reg] = value
