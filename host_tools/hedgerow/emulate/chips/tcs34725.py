"""Simulated ams TCS34725: command byte, power-up, integration time, gain, saturation.

    chip = TCS34725(now_ms)
    machine.attach_i2c(0, 0x29, chip)
    chip.light = (0.5, 0.2, 0.2, 0.1)  # clear, red, green, blue; 1 fills 65535 counts at gain 4

Written from the TCS3472 datasheet v1-02 (figures 24 and 25 and the registers after them). Second
source: Linux drivers/iio/light/tcs3472.c. Wait state and interrupts do nothing.
Faults: "busy" never finishes; and those of I2CChip.
"""

from .i2c_chip import RegisterChip

_CYCLE_MS = 2.4
_GAINS = (1, 4, 16, 60)


class TCS34725(RegisterChip):
    FAULTS = RegisterChip.FAULTS + ("busy",)
    light = (0.0, 0.0, 0.0, 0.0)
    chip_id = 0x44

    def power_on(self):
        RegisterChip.power_on(self)
        self.regs[0x01] = self.regs[0x03] = 0xFF
        self._done_ms = self._warm_ms = None

    def after(self, reg):
        # Command byte: bits 6 and 5 are 01 for counting up, 00 for the same register again.
        return reg & 0xE0 | (reg + 1 & 0x1F) if reg & 0x60 == 0x20 else reg

    def load(self, reg):
        reg &= 0x1F
        return self.chip_id if reg == 0x12 else self.regs[reg]

    def store(self, reg, value):
        if not reg & 0x80 or reg & 0x1F > 0x0F:
            return
        reg &= 0x1F
        before, self.regs[reg] = self.regs[reg], value
        if reg == 0:
            self._switch(before, value)

    def _switch(self, before, value):
        if not value & 1:
            self._done_ms = None
            self.regs[0x13] = 0
        elif not before & 1:
            self._warm_ms = self._now_ms() + _CYCLE_MS
        if value & 3 == 3 and not before & 2:
            self.regs[0x13] = 0
            start_ms = max(self._warm_ms, self._now_ms()) + _CYCLE_MS
            self._done_ms = start_ms + (256 - self.regs[1]) * _CYCLE_MS

    def settle(self):
        if self._done_ms is None or self.fault == "busy" or self._now_ms() < self._done_ms:
            return
        cycles = 256 - self.regs[1]
        full = min(1024 * cycles, 65535)
        gain = _GAINS[self.regs[0x0F] & 3]
        for i, share in enumerate(self.light):
            count = min(int(share * 65535 * gain / 4 * cycles / 64 + 0.5), full)
            self.regs[0x14 + 2 * i], self.regs[0x15 + 2 * i] = count & 0xFF, count >> 8
        self.regs[0x13] |= 1
        self._done_ms = self._now_ms() + cycles * _CYCLE_MS
