"""Simulated ST LIS3DH: power-down at power-on, data rates, three resolutions, new-data bits.

    chip = LIS3DH(now_ms)
    machine.attach_i2c(0, 0x18, chip)
    chip.accel_mps2 = (0.0, 0.0, 9.81)

Written from DocID17530 revision 2: registers of section 8 with their default values (CTRL_REG1
0x07, WHO_AM_I 0x33), data rates (table 31), modes 8, 10 and 12 bits left-justified (table 10),
turn-on times (table 12), sensitivities (table 4), address auto-increment by bit 7 (5.1.1). Second
source: Adafruit_LIS3DH.h. Not simulated: FIFO, cut-off of the filter, interrupts, click, auxiliary
ADC, self-test.
"""

from .sampled import SampledChip, clip16

_G = 9.80665
_ODR_MS = (None, 1000, 100, 40, 20, 10, 5, 2.5, 0.625, 0.75)
_G_A_STEP = (0.001, 0.002, 0.004, 0.012)  # of 12 bits
_ZYXDA_XYZ = 0x0F


class LIS3DH(SampledChip):
    """I2C slave; the address counts up only if its bit 7 was set."""

    max_hz = 400000

    def __init__(self, now_ms):
        self.accel_mps2 = (0.0, 0.0, _G)
        SampledChip.__init__(self, now_ms)

    def power_on(self):
        SampledChip.power_on(self)
        self.regs[0x0F] = 0x33
        self.regs[0x20] = 0x07

    def after(self, reg):
        return reg if reg < 0x80 else 0x80 | reg + 1 & 0x7F

    def period_ms(self):
        odr = self.regs[0x20] >> 4
        return _ODR_MS[odr] if odr < len(_ODR_MS) else None

    def store(self, reg, value):
        reg &= 0x7F
        if reg == 0x24 and value & 0x80:
            self.regs[0x24] = value & 0x7F  # the bit clears itself, settings stay
        elif 0x1E <= reg <= 0x26 or reg >= 0x2E:
            self.regs[reg] = value
            if reg in (0x20, 0x23):
                samples = 7 if self.regs[0x23] & 8 else 1
                self.restart((self.period_ms() or 0) * (samples - 1))

    def load(self, reg):
        reg &= 0x7F
        if reg == 0x27:
            return _ZYXDA_XYZ if self.fresh else 0
        if reg == 0x2D:
            self.fresh = False
        return self.regs[reg]

    def latch(self):
        low_power, high_res = self.regs[0x20] & 8, self.regs[0x23] & 8  # DS table 10
        step = _G_A_STEP[self.regs[0x23] >> 4 & 3] * _G / 16  # of 16 bits
        unused = 8 if low_power else 4 if high_res else 6
        filtered = self.regs[0x21] & 8  # DS 8.9: a high-pass, whose output at rest is nothing
        for i, accel in enumerate((0.0, 0.0, 0.0) if filtered else self.accel_mps2):
            # Half a step of the mode less than the word's rounding: truncation then rounds.
            word = clip16(accel / step + (1 << unused - 1) - 0.5) >> unused << unused
            self.regs[0x28 + 2 * i] = word & 0xFF
            self.regs[0x29 + 2 * i] = word >> 8
