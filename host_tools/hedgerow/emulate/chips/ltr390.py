"""Simulated Lite-On LTR-390UV: light and UV mode, gains, resolutions, rates, data status.

    chip = LTR390(now_ms)
    machine.attach_i2c(0, 0x53, chip)
    chip.light_lx, chip.uv_index = 35000.0, 5.5

Written from DS86-2015-0004 V1.1 (register set, times, calculation of lux and UV index). Second
source: Linux drivers/iio/light/ltr390.c. Interrupts do nothing.
Faults: "busy" never has data; and those of I2CChip.
"""

from .i2c_chip import RegisterChip

_GAINS = (1, 3, 6, 9, 18)
_BITS = (20, 19, 18, 17, 16, 13)
_TIMES_MS = (400, 200, 100, 50, 25, 12.5)
_RATES_MS = (25, 50, 100, 200, 500, 1000, 2000, 2000)
_WAKE_MS = 10


class LTR390(RegisterChip):
    FAULTS = RegisterChip.FAULTS + ("busy",)
    light_lx = 0.0
    uv_index = 0.0
    part_id = 0xB2

    def power_on(self):
        RegisterChip.power_on(self)
        self.regs[0x04] = 0x22
        self.regs[0x05] = 0x01
        self.regs[0x07] = 0x20  # power-on event
        self._next_ms = None

    def load(self, reg):
        if reg == 0x06:
            return self.part_id
        value = self.regs[reg]
        if reg == 0x07:
            self.regs[reg] &= ~0x28  # reading clears data status and power-on event
        return value

    def store(self, reg, value):
        if reg == 0 and value & 0x10:
            self.power_on()
        elif reg in (0x00, 0x04, 0x05):
            self.regs[reg] = value
            self._next_ms = self._now_ms() + _WAKE_MS + self._time_ms() if self._on() else None

    def _on(self):
        return self.regs[0] & 2

    def _time_ms(self):
        return _TIMES_MS[min(self.regs[4] >> 4 & 7, 5)]

    def settle(self):
        if self._next_ms is None or self.fault == "busy" or self._now_ms() < self._next_ms:
            return
        gain, share = _GAINS[min(self.regs[5] & 7, 4)], self._time_ms() / 100
        if self.regs[0] & 8:
            reg, count = 0x10, self.uv_index * 2300 * gain / 18 * share / 4
        else:
            reg, count = 0x0D, self.light_lx * gain * share / 0.6
        count = min(int(count + 0.5), (1 << _BITS[min(self.regs[4] >> 4 & 7, 5)]) - 1)
        for i in range(3):
            self.regs[reg + i] = count >> 8 * i & 0xFF
        self.regs[7] |= 8
        self._next_ms = self._now_ms() + max(self._time_ms(), _RATES_MS[self.regs[4] & 7])
