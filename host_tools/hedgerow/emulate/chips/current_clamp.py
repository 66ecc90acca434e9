"""Simulated current transformer with burden and bias: mains current in, millivolts out.

    chip = CurrentClamp(now_ms)
    machine.attach_adc(26, chip)
    chip.current_a = 4.2
    chip.third = 0.3  # share of the third harmonic

The voltage is a sine of freq_hz around the middle of 3.3 V, 1 V RMS for amps_per_v (SCT-013-030:
30), with a third harmonic on top; current_a is the RMS of both. It follows now_ms, so it changes
from one millisecond to the next. Faults as in analog.py but "stuck": a direct voltage is no
current.
"""

from math import pi, sin, sqrt

from .analog import AnalogChip


class CurrentClamp(AnalogChip):
    """Source for machine.attach_adc: mv()."""

    FAULTS = ("open", "short", "supply")

    def __init__(self, now_ms, amps_per_v=30.0, freq_hz=50.0):
        self._amps_per_v = amps_per_v
        self.freq_hz = freq_hz
        self.current_a = 0.0
        self.third = 0.0
        self.bias_mv = 1650.0
        AnalogChip.__init__(self, now_ms)

    def level_mv(self):
        phase = 2 * pi * (self._now_ms() * self.freq_hz / 1000 % 1.0) + 0.3
        base_a = self.current_a / sqrt(1 + self.third**2)
        wave = sin(phase) + self.third * sin(3 * phase)
        return self.bias_mv + base_a * sqrt(2) * wave / self._amps_per_v * 1000
