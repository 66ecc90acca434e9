"""Simulated InvenSense MPU-6050: sleep at power-on, sample rate, scales, data-ready bit.

    chip = MPU6050(now_ms)
    machine.attach_i2c(0, 0x68, chip)
    chip.accel_mps2, chip.gyro_rps, chip.temp_c = (0.0, 0.0, 9.81), (0.0, 0.0, 0.1), 25.0

Written from RM-MPU-6000A-00 revision 4.2 (registers; power-on values all 0 but PWR_MGMT_1 0x40
and WHO_AM_I 0x68; sample rate 1 or 8 kHz / (1 + SMPLRT_DIV)) and PS-MPU-6000A-00 3.4 (start-up).
Second source: Adafruit_MPU6050.h. Raw values come from the full scale in SI units, not from the
driver's factors. Not simulated: FIFO, external sensors, cycle mode, self-test, filter.
"""

from .sampled import SampledChip, clip16

_G = 9.80665
_DEG = 0.017453292519943295
_START_MS = 30  # gyroscope, from sleep


class MPU6050(SampledChip):
    """I2C slave; bursts read the registers that follow."""

    max_hz = 400000

    def __init__(self, now_ms):
        self.accel_mps2 = (0.0, 0.0, _G)
        self.gyro_rps = (0.0, 0.0, 0.0)
        self.temp_c = 25.0
        SampledChip.__init__(self, now_ms)

    def power_on(self):
        SampledChip.power_on(self)
        self.regs[0x6B] = 0x40
        self.regs[0x75] = 0x68

    def period_ms(self):
        if self.regs[0x6B] & 0x40:
            return None
        rate_hz = 1000 if 1 <= self.regs[0x1A] & 7 <= 6 else 8000
        return max((1 + self.regs[0x19]) * 1000 // rate_hz, 1)

    def store(self, reg, value):
        if reg == 0x6B and value & 0x80:
            self.power_on()
        elif reg != 0x75 and not 0x3A <= reg <= 0x60:  # those can only be read
            slept = self.regs[0x6B] & 0x40
            self.regs[reg] = value
            if reg in (0x19, 0x1A, 0x6B):
                self.restart(_START_MS if slept else 0)

    def load(self, reg):
        if reg != 0x3A:
            return self.regs[reg]
        ready, self.fresh = self.fresh, False
        return 1 if ready else 0

    def latch(self):
        accel_full = _G * (2 << (self.regs[0x1C] >> 3 & 3))
        gyro_full = _DEG * (250 << (self.regs[0x1B] >> 3 & 3))
        words = [clip16(a / accel_full * 32768) for a in self.accel_mps2]
        words.append(clip16((self.temp_c - 36.53) * 340))
        words += [clip16(w / gyro_full * 32768) for w in self.gyro_rps]
        for i, word in enumerate(words):
            self.regs[0x3B + 2 * i] = word >> 8
            self.regs[0x3C + 2 * i] = word & 0xFF
