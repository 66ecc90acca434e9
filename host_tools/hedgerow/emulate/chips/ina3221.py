"""Simulated TI INA3221: three channels, averaging, triggered and continuous mode, identity.

    chip = INA3221(now_ms)
    machine.attach_i2c(0, 0x40, chip)
    chip.volts, chip.amps = (12.0, 5.0, 3.3), (0.25, 0.1, 0.0)

Written from SBOS576B (registers table 4, configuration 8.6.2.1, formats 8.6.2.2). Second source:
Linux drivers/hwmon/ina3221.c. No alert pins, no limits, no sum register.
Faults: see ina.py.
"""

from .ina import SAMPLES, TIMES_MS, CurrentMonitor, clipped


class INA3221(CurrentMonitor):
    RESET = 0x7127
    WRITABLE = (0, 15)
    IDENTITY = {0xFE: 0x5449, 0xFF: 0x3220}
    volts = (0.0, 0.0, 0.0)
    amps = (0.0, 0.0, 0.0)

    def _enabled(self, config):
        return [i for i in range(3) if config & 0x4000 >> i]

    def took_ms(self, config):
        shunt_ms = TIMES_MS[config >> 3 & 7] if config & 1 else 0
        bus_ms = TIMES_MS[config >> 6 & 7] if config & 2 else 0
        return (shunt_ms + bus_ms) * SAMPLES[config >> 9 & 7] * len(self._enabled(config))

    def convert(self):
        for i in self._enabled(self.words[0]):
            if self.words[0] & 1:
                shunt = clipped(self.amps[i] * self.shunt_ohm / 40e-6, -0x1000, 0xFFF)
                self.words[1 + 2 * i] = shunt << 3 & 0xFFFF
            if self.words[0] & 2:
                self.words[2 + 2 * i] = clipped(self.volts[i] / 8e-3, -0x1000, 0xFFF) << 3 & 0xFFFF

    def load(self, reg):
        if reg in self.IDENTITY:
            return self.IDENTITY[reg]
        if reg == 15:
            flags = self.words.get(15, 0) & 0x7C02 | (1 if self.ready else 0)
            self.ready = False  # reading Mask/Enable clears CVRF
            return flags
        return self.words.get(reg, 0)
