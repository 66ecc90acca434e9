"""Simulated ST LSM6DSO: power-down at power-on, data rates, full scales, new-data bits.

    chip = LSM6DS(now_ms)
    machine.attach_i2c(0, 0x6A, chip)
    chip.accel_mps2, chip.gyro_rps, chip.temp_c = (0.0, 0.0, 9.81), (0.0, 0.0, 0.1), 25.0

Written from DS12140 revision 2: registers with their default values (CTRL3_C 0x04, WHO_AM_I 0x6C),
data rates of CTRL1_XL and CTRL2_G, sensitivities (table 2), SW_RESET and BOOT in CTRL3_C. Second
source: Zephyr drivers/sensor/st/lsm6dso. Raw values come from the data sheet's mg and mdps. Both
sensors sample together, at the gyroscope's rate. Not simulated: FIFO, filters, 125 dps, embedded
functions, self-test.
"""

from .sampled import SampledChip, clip16

_G = 9.80665
_DEG = 0.017453292519943295
_HZ = (None, 12.5, 26, 52, 104, 208, 416, 833)
_MG = (0.061, 0.488, 0.122, 0.244)  # by FS_XL
_MDPS = (8.75, 17.5, 35, 70)  # by FS_G
_START_MS = 35  # gyroscope, from power-down


class LSM6DS(SampledChip):
    """I2C slave; the address counts up while IF_INC is set."""

    max_hz = 400000

    def __init__(self, now_ms, who_am_i=0x6C):
        self.accel_mps2 = (0.0, 0.0, _G)
        self.gyro_rps = (0.0, 0.0, 0.0)
        self.temp_c = 25.0
        self.who_am_i = who_am_i
        SampledChip.__init__(self, now_ms)

    def power_on(self):
        SampledChip.power_on(self)
        self.regs[0x0F] = self.who_am_i
        self.regs[0x12] = 0x04

    def after(self, reg):
        return reg + 1 & 0xFF if self.regs[0x12] & 4 else reg

    def period_ms(self):
        rates = [self.regs[reg] >> 4 for reg in (0x10, 0x11)]
        known = all([0 < rate < len(_HZ) for rate in rates])
        return max(round(1000 / _HZ[rates[1]]), 1) if known else None

    def store(self, reg, value):
        if reg == 0x12 and value & 0x81:
            self.power_on()
        elif reg != 0x0F and not 0x1A <= reg <= 0x2D:  # those can only be read
            slept = self.period_ms() is None
            self.regs[reg] = value
            if reg in (0x10, 0x11):
                self.restart(_START_MS if slept else 0)

    def load(self, reg):
        if reg == 0x1E:
            return 7 if self.fresh else 0
        if reg == 0x2D:
            self.fresh = False
        return self.regs[reg]

    def latch(self):
        mg, mdps = _MG[self.regs[0x10] >> 2 & 3], _MDPS[self.regs[0x11] >> 2 & 3]
        words = [clip16((self.temp_c - 25) * 256)]
        words += [clip16(rps / _DEG * 1000 / mdps) for rps in self.gyro_rps]
        words += [clip16(mps2 / _G * 1000 / mg) for mps2 in self.accel_mps2]
        for i, word in enumerate(words):
            self.regs[0x20 + 2 * i] = word & 0xFF
            self.regs[0x21 + 2 * i] = word >> 8
