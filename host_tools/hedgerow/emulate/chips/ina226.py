"""Simulated TI INA226: registers, averaging, triggered and continuous mode, calibration, identity.

    chip = INA226(now_ms)
    machine.attach_i2c(0, 0x40, chip)
    chip.voltage_v, chip.current_a, chip.shunt_ohm = 12.0, 0.25, 0.1

Written from SBOS547B (registers table 7-1, configuration 7.1.1, current and power 6.5.1).
Second source: Linux drivers/hwmon/ina2xx.c. No alert pin, no limits.
Faults: see ina.py.
"""

from .ina import SAMPLES, TIMES_MS, CurrentMonitor, clipped


class INA226(CurrentMonitor):
    RESET = 0x4127
    WRITABLE = (0, 5, 6, 7)
    IDENTITY = {0xFE: 0x5449, 0xFF: 0x2260}
    voltage_v = 0.0
    current_a = 0.0

    def took_ms(self, config):
        shunt_ms = TIMES_MS[config >> 3 & 7] if config & 1 else 0
        bus_ms = TIMES_MS[config >> 6 & 7] if config & 2 else 0
        return (shunt_ms + bus_ms) * SAMPLES[config >> 9 & 7]

    def convert(self):
        if self.words[0] & 1:
            shunt = clipped(self.current_a * self.shunt_ohm / 2.5e-6, -0x8000, 0x7FFF)
            self.words[1] = shunt & 0xFFFF
            self._current = int(shunt * self.words.get(5, 0) / 2048)
            self.words[4] = self._current & 0xFFFF
        if self.words[0] & 2:
            self.words[2] = clipped(self.voltage_v / 1.25e-3, 0, 0x7FFF)
            self.words[3] = int(abs(self._current) * self.words[2] / 20000) & 0xFFFF

    _current = 0

    def load(self, reg):
        if reg in self.IDENTITY:
            return self.IDENTITY[reg]
        if reg == 6:
            flags = self.words.get(6, 0) & 0xFC03 | (8 if self.ready else 0)
            self.ready = False  # reading Mask/Enable clears CVRF
            return flags
        return self.words.get(reg, 0)
