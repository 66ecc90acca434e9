"""Simulated PCF8574: a latch and eight quasi-bidirectional pins.

    chip = PCF8574(now_ms)
    machine.attach_i2c(0, 0x20, chip)
    chip.grounded = 0b0001  # pins that something outside pulls low
    chip.levels()

Written from SCPS068J (power-on, port schematic, bus transactions). Second source: NXP
PCF8574_PCF8574A Rev. 5. No interrupt pin.
Faults: those of I2CChip.
"""

from .i2c_chip import I2CChip


class PCF8574(I2CChip):
    max_hz = 100000
    grounded = 0

    def power_on(self):
        self.latch = 0xFF

    def levels(self):
        """What the pins are at: a strong low wins over the weak high."""
        return self.latch & ~self.grounded & 0xFF

    def write(self, byte):
        if self.fault == "nack":
            return False
        self.latch = byte
        return True

    def read(self):
        return self.levels()
