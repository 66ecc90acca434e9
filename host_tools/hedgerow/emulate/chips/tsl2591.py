"""Simulated ams TSL2591: two channels, gain, integration time, data valid.

    chip = TSL2591(now_ms)
    chip.light_lx = 320.0
    chip.infrared = 0.3  # what channel 1 sees of what channel 0 sees

Written from the ams TSL2591 datasheet (2013-Apr): command byte, registers, power-on values,
integration 100 to 600 ms, 36863 counts at most in 100 ms. Counts come from inverting the lux
formula of Adafruit_TSL2591, in floating point. Gains x1, x25, x428, x9876. Faults: those of
i2c_chip.py, "busy" never finishes.
"""

from .i2c_chip import RegisterChip

_GAINS = (1, 25, 428, 9876)


class TSL2591(RegisterChip):
    INPUTS = (("light_lx", "light", None),)
    FAULTS = RegisterChip.FAULTS + ("busy",)

    def __init__(self, now_ms):
        self.light_lx = 100.0
        self.infrared = 0.3
        RegisterChip.__init__(self, now_ms)

    def power_on(self):
        RegisterChip.power_on(self)
        self.regs[0x12] = 0x50
        self._done_ms = None

    def settle(self):
        if self._done_ms is None or self.fault == "busy" or self._now_ms() < self._done_ms:
            return
        steps = (self.regs[1] & 7) + 1
        per_lux = 100 * steps * _GAINS[self.regs[1] >> 4 & 3] / 408
        most = 36863 if steps == 1 else 65535
        full = self.light_lx * per_lux / (1 - self.infrared) ** 2
        counts = (min(int(full + 0.5), most), min(int(full * self.infrared + 0.5), most))
        for i, count in enumerate(counts):
            self.regs[0x14 + 2 * i], self.regs[0x15 + 2 * i] = count & 0xFF, count >> 8
        self.regs[0x13] |= 1
        self._done_ms = self._now_ms() + 101 * steps

    def load(self, reg):
        return self.regs[reg & 0x1F] if reg & 0xE0 == 0xA0 else 0

    def store(self, reg, value):
        if reg & 0xE0 != 0xA0:
            return
        reg &= 0x1F
        if reg == 0:
            self._enable(value)
        elif reg == 1 and value & 0x80:
            self.power_on()
        elif reg <= 0x0C:
            self.regs[reg] = value

    def _enable(self, value):
        if value & 3 != 3:
            self._done_ms = None
            self.regs[0x13] &= ~1
        elif self.regs[0] & 3 != 3:
            self._done_ms = self._now_ms() + 101 * ((self.regs[1] & 7) + 1)
        self.regs[0] = value
