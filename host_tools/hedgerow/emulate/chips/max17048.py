"""Simulated MAX17048 battery gauge: registers, reset indicator, sleep, power-on reset by command.

    chip = MAX17048(now_ms)
    machine.attach_i2c(0, 0x36, chip)
    chip.voltage_v, chip.charge_pct = 3.85, 62.5

Written from 19-6171 Rev 7 (register summary). Second source: Adafruit_MAX1704X. The charge is what
you set, not a model of a battery; alerts and hibernation are left out.
Faults: "asleep" never converts; and those of I2CChip.
"""

from .i2c_chip import RegisterChip

_PERIOD_MS = 250
_PAIRS = {0x06: 0, 0x0A: 0x8030, 0x0C: 0x971C, 0x14: 0x00FF, 0x18: 0x9600, 0x1A: 0x0100}
_READ_ONLY = (0x02, 0x03, 0x04, 0x05, 0x08, 0x09, 0x16, 0x17, 0x19)


class MAX17048(RegisterChip):
    FAULTS = RegisterChip.FAULTS + ("asleep",)
    version = 0x0012
    voltage_v = 3.7
    charge_pct = 50.0

    def power_on(self):
        RegisterChip.power_on(self)
        for reg, value in _PAIRS.items():
            self._put(reg, value)
        self._put(0x08, self.version)
        self._next_ms = self._now_ms() + _PERIOD_MS

    def _put(self, reg, value):
        self.regs[reg], self.regs[reg + 1] = value >> 8, value & 0xFF

    def store(self, reg, value):
        if reg in _READ_ONLY:
            return
        self.regs[reg] = value
        if reg == 0xFF and self.regs[0xFE] == 0x54 and value == 0:
            self.power_on()

    def settle(self):
        asleep = self.fault == "asleep" or (self.regs[0x0D] & 0x80 and self.regs[0x06] & 0x20)
        if self.fault == "asleep":
            self._put(0x02, 0)
        if asleep or self._now_ms() < self._next_ms:
            return
        self._next_ms = self._now_ms()
        self._put(0x02, min(int(self.voltage_v / 78.125e-6 + 0.5), 0xFFFF))
        self._put(0x04, min(int(self.charge_pct * 256 + 0.5), 0xFFFF))
