"""Simulated INA219 and INA226 against the worked examples of their datasheets."""

import unittest

from hedgerow.emulate.chips import ina219, ina226

_CALIBRATION = 0x05


class TestWorkedExamples(unittest.TestCase):
    """11.98 V and 10 A through 2 mOhm: both datasheets have it."""

    now_ms = 0

    def _registers(self, kind, calibration, regs):
        chip = kind(lambda: self.now_ms)
        chip.voltage_v, chip.current_a, chip.shunt_ohm = 11.98, 10.0, 0.002
        chip.store(_CALIBRATION, calibration)
        self.now_ms = 1000
        chip.settle()
        return [chip.load(reg) for reg in regs]

    def test_ina219(self):
        # SBOS448G, programming: shunt, bus, current, power. Bits 0 and 1 of bus are flags.
        shunt, bus, current, power = self._registers(ina219.INA219, 0x5000, (1, 2, 4, 3))
        self.assertEqual((shunt, bus & 0xFFF8, current, power), (0x07D0, 0x5D98, 0x2710, 0x1766))

    def test_ina226(self):
        # SBOS547B, programming.
        values = self._registers(ina226.INA226, 0x0A00, (1, 2, 4, 3))
        self.assertEqual(values, [0x1F40, 0x2570, 0x2710, 0x12B8])


if __name__ == "__main__":
    unittest.main()
