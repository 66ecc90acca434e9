"""Simulated NXP PCA9685: mode registers, sleep, prescaler, sixteen outputs, all-call registers.

    chip = PCA9685(now_ms)
    machine.attach_i2c(0, 0x40, chip)
    chip.freq_hz(), chip.high_us(0)  # what an oscilloscope would show

Written from the PCA9685 datasheet, Rev. 3 (table 3 and registers, 7.3). Second source:
Adafruit_PWMServoDriver.h. The oscillator has exactly 25 MHz; no restart, sub-addresses or OE pin.
Faults: those of I2CChip.
"""

from .i2c_chip import RegisterChip


class PCA9685(RegisterChip):
    max_hz = 1000000

    def power_on(self):
        RegisterChip.power_on(self)
        self.regs[0x00] = 0x11  # asleep, answers to the all-call address
        self.regs[0x01] = 0x04
        self.regs[0xFE] = 0x1E
        for n in range(16):
            self.regs[0x09 + 4 * n] = 0x10  # full off

    def after(self, reg):
        if not self.regs[0x00] & 0x20:
            return reg
        return 0 if reg in (0x45, 0xFE) else reg + 1

    def load(self, reg):
        return 0 if 0xFA <= reg <= 0xFD else self.regs[reg]

    def store(self, reg, value):
        if reg == 0xFE:
            if self.regs[0x00] & 0x10:  # else the write is blocked
                self.regs[reg] = max(value, 3)
        elif 0xFA <= reg <= 0xFD:
            for n in range(16):
                self.regs[0x06 + reg - 0xFA + 4 * n] = value
        else:
            self.regs[reg] = value

    def freq_hz(self):
        """0 while it sleeps."""
        return 0.0 if self.regs[0] & 0x10 else 25e6 / 4096 / (self.regs[0xFE] + 1)

    def share(self, n):
        """Part of the time that output n is high, 0 to 1."""
        on, off = self._count(0x06 + 4 * n), self._count(0x08 + 4 * n)
        if self.regs[0] & 0x10 or off & 0x1000:
            return 0.0
        if on & 0x1000:
            return 1.0
        return (off - on) % 4096 / 4096

    def high_us(self, n):
        """Length of the pulse of output n."""
        return self.share(n) * 1e6 / self.freq_hz() if self.freq_hz() else 0.0

    def _count(self, reg):
        return self.regs[reg] | self.regs[reg + 1] << 8
