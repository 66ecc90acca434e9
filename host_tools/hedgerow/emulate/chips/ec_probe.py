"""Simulated EC electrode with its board: conductivity and temperature in, millivolts out.

    chip = ECProbe(now_ms)
    machine.attach_adc(26, chip)
    chip.ec_s_per_m, chip.temp_c = 0.18, 18.0  # conductivity at 25 degC

The board's transfer is that of DFRobot_EC.cpp: 820 Ohm and 200 mV of excitation, so 1 mS/cm (0.1
S/m) gives 164 mV with a cell of K = 1. Conductivity rises by 1.85 % per K. Faults as in
analog.py.
"""

from .analog import AnalogChip


class ECProbe(AnalogChip):
    """Source for machine.attach_adc: mv()."""

    def __init__(self, now_ms, cell_k=1.0):
        self._cell_k = cell_k
        self.ec_s_per_m = 0.1
        self.temp_c = 25.0
        AnalogChip.__init__(self, now_ms)

    def level_mv(self):
        ms_per_cm = self.ec_s_per_m * 10 * (1 + 0.0185 * (self.temp_c - 25.0))
        return ms_per_cm / self._cell_k * 820.0 * 200.0 / 1000
