"""Simulated resistive soil moisture module: wetness in, millivolts out, electrodes that corrode.

    chip = SoilResistive(now_ms)
    machine.attach_adc(26, chip)
    machine.on_pin(15, chip.on_power)  # only if a pin supplies it
    chip.wetness_pct = 40.0

The soil's resistance falls from 90 kOhm dry to 4.286 kOhm wet in equal steps of the divider's
output, which with the module's 10 kOhm at 3.3 V goes from 2970 to 990 mV. on_ms counts the time
with power, to which corrosion is proportional. Round numbers, not the data of a certain module.
The output follows the supply after 20 ms. Faults as in analog.py.
"""

from .analog import AnalogChip

_RISE_MS = 20


class SoilResistive(AnalogChip):
    """Source for machine.attach_adc: mv()."""

    def __init__(self, now_ms, dry_mv=2970.0, wet_mv=990.0):
        self._ends_mv = (dry_mv, wet_mv)
        self.wetness_pct = 50.0
        self.on_ms = 0
        self._since_ms = None
        self._switched = False
        AnalogChip.__init__(self, now_ms)

    def on_power(self, level):
        """Level of the pin that supplies the module; None counts as off."""
        self._switched = True
        if level and self._since_ms is None:
            self._since_ms = self._now_ms()
        elif not level and self._since_ms is not None:
            self.on_ms += self._now_ms() - self._since_ms
            self._since_ms = None

    def level_mv(self):
        if self._switched and self._since_ms is None:
            return 0
        if self._switched and self._now_ms() - self._since_ms < _RISE_MS:
            return 0
        dry_mv, wet_mv = self._ends_mv
        return dry_mv + (wet_mv - dry_mv) * self.wetness_pct / 100
