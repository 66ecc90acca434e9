"""Simulated pH electrode with amplifier: pH and temperature in, millivolts out.

    chip = PHProbe(now_ms)
    machine.attach_adc(26, chip)
    chip.ph, chip.temp_c = 6.2, 18.0

The electrode gives R T ln(10) / F (Nernst, CODATA constants) per pH below 7; the amplifier's gain
of 3 around 1500 mV is that of DFRobot_PH.cpp, whose 2032.44 mV at pH 4.0 and 25 degC follow to
0.03 mV. Faults as in analog.py.
"""

from .analog import AnalogChip

_R_J_PER_MOL_K = 8.314462618
_F_C_PER_MOL = 96485.33212
_LN_10 = 2.302585092994046


class PHProbe(AnalogChip):
    """Source for machine.attach_adc: mv()."""

    def __init__(self, now_ms, neutral_mv=1500.0, gain=3.0):
        self._neutral_mv = neutral_mv
        self._gain = gain
        self.ph = 7.0
        self.temp_c = 25.0
        AnalogChip.__init__(self, now_ms)

    def level_mv(self):
        kelvin = self.temp_c + 273.15
        slope_mv = _R_J_PER_MOL_K * kelvin * _LN_10 / _F_C_PER_MOL * 1000
        return self._neutral_mv + self._gain * slope_mv * (7.0 - self.ph)
