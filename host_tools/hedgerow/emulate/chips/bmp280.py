"""Simulated Bosch BMP280: the BME280 without humidity, with its own id.

    chip = BMP280(now_ms)
    chip.temp_c, chip.pressure_pa = 21.5, 101325.0

Written from BST-BMP280-DS001 (memory map table 18, modes 3.6). Inputs and faults: see bme280.py.
"""

from . import bme280


class BMP280(bme280.BME280):
    INPUTS = (("temp_c", "temp", None), ("pressure_pa", "pressure", None))

    def power_on(self):
        bme280.BME280.power_on(self)
        self._regs[0xD0] = 0x58
        self._regs[0xFD] = 0

    def _store(self, reg, value):
        if reg != 0xF2:  # no humidity control
            bme280.BME280._store(self, reg, value)

    def _trimming(self, reg):
        return 0 if reg >= 0xA0 else bme280.BME280._trimming(self, reg)
