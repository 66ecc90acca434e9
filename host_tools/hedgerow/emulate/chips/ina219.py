"""Simulated TI INA219: registers, gain, averaging, triggered and continuous mode, calibration.

    chip = INA219(now_ms)
    machine.attach_i2c(0, 0x40, chip)
    chip.voltage_v, chip.current_a, chip.shunt_ohm = 12.0, 0.25, 0.1

Written from SBOS448G (registers table 2, configuration 8.6.2.1, ADC settings table 5, formulas of
current and power 8.6.3). Second source: Linux drivers/hwmon/ina2xx.c.
Faults: see ina.py.
"""

from .ina import CurrentMonitor, clipped

_AVERAGED_MS = (0.532, 1.06, 2.13, 4.26, 8.51, 17.02, 34.05, 68.1)
_PLAIN_MS = (0.084, 0.148, 0.276, 0.532)


def _adc_ms(bits):
    return _AVERAGED_MS[bits & 7] if bits & 8 else _PLAIN_MS[bits & 3]


class INA219(CurrentMonitor):
    RESET = 0x399F
    voltage_v = 0.0
    current_a = 0.0

    def took_ms(self, config):
        shunt_ms = _adc_ms(config >> 3 & 15) if config & 1 else 0
        return shunt_ms + (_adc_ms(config >> 7 & 15) if config & 2 else 0)

    def convert(self):
        config = self.words[0]
        if config & 1:
            end = 4000 << (config >> 11 & 3)  # 40 mV at gain 1, doubled by each step
            shunt = clipped(self.current_a * self.shunt_ohm / 10e-6, -end, end)
            self.words[1] = shunt & 0xFFFF
            self._current = int(shunt * self.words.get(5, 0) / 4096)
            self.words[4] = self._current & 0xFFFF
        if config & 2:
            end = 8000 if config & 0x2000 else 4000
            self._bus = clipped(self.voltage_v / 4e-3, 0, end)
            self.words[3] = int(abs(self._current) * self._bus / 5000) & 0xFFFF

    _current = 0
    _bus = 0

    def load(self, reg):
        if reg == 2:
            return self._bus << 3 | (2 if self.ready else 0)
        if reg == 3:
            self.ready = False
        return self.words.get(reg, 0)
