"""Simulated Analog Devices ADXL345: standby at power-on, data rates, ranges, offsets.

    chip = ADXL345(now_ms)
    machine.attach_i2c(0, 0x53, chip)
    chip.accel_mps2 = (0.0, 0.0, 9.81)

Written from the ADXL345 data sheet revision G: register map with reset values (table 19: DEVID
0xE5, BW_RATE 0x0A, INT_SOURCE 0x02), rates (table 7), full resolution and 10 bits (table 1),
offsets of 15.6 mg a step, turn-on time. Second source: Adafruit_ADXL345_U.h. Not simulated: FIFO,
taps, activity, free fall, self-test, noise of the low-power mode.
"""

from .sampled import SampledChip, clip16

_G = 9.80665


class ADXL345(SampledChip):
    """I2C slave; bursts read the registers that follow."""

    max_hz = 400000

    def __init__(self, now_ms):
        self.accel_mps2 = (0.0, 0.0, _G)
        SampledChip.__init__(self, now_ms)

    def power_on(self):
        SampledChip.power_on(self)
        self.regs[0x00] = 0xE5
        self.regs[0x2C] = 0x0A

    def period_ms(self):
        if not self.regs[0x2D] & 8:
            return None
        return 1000 / (3200 / (1 << 15 - (self.regs[0x2C] & 15)))

    def store(self, reg, value):
        if 0x1D <= reg <= 0x38 and reg not in (0x2B, 0x30) and not 0x32 <= reg <= 0x37:
            self.regs[reg] = value
            if reg in (0x2C, 0x2D):
                self.fresh = False
                self.restart(1.4)

    def load(self, reg):
        if reg == 0x30:
            return 0x82 if self.fresh else 0x02
        if reg == 0x37:
            self.fresh = False
        return self.regs[reg]

    def latch(self):
        form = self.regs[0x31]
        limit = 512 << (form & 3) if form & 8 else 512
        steps_a_g = 256 if form & 8 else 256 >> (form & 3)
        for i, accel in enumerate(self.accel_mps2):
            offset = self.regs[0x1E + i]
            offset_g = (offset - 256 if offset > 127 else offset) * 0.0156
            steps = min(max((accel / _G + offset_g) * steps_a_g, -limit), limit - 1)
            word = clip16(steps)
            self.regs[0x32 + 2 * i] = word & 0xFF
            self.regs[0x33 + 2 * i] = word >> 8
