"""Simulated capacitive soil probe: volumetric water content in, millivolts out.

    chip = SoilProbe(dry_mv=2800, wet_mv=1200, wet_pct=50)
    machine.attach_adc(26, chip)
    chip.vwc_pct = 23.4

Between its two calibration points the voltage is a straight line, or with curvature > 0 a
hyperbola that falls steeper in dry soil, the shape that calibrations of SEN0193 probes show
(Schwamback et al., Sensors 23 (2023) 2451); the formula is ours, for tests, not fitted to a soil.
temp_mv_per_k adds a temperature error, 0 by default.

Faults: "open" (cut cable), "short" (output to ground), "supply" (output to 3.3 V or more), "stuck"
(keeps the voltage it had).
"""

from .chip import Chip

_SUPPLY_MV = 3300


class SoilProbe(Chip):
    """Source for machine.attach_adc: mv()."""

    FAULTS = ("open", "short", "supply", "stuck")

    def __init__(self, dry_mv=2800, wet_mv=1200, dry_pct=0, wet_pct=50, curvature=0.0):
        Chip.__init__(self)
        self._dry = (dry_pct, dry_mv)
        self._wet = (wet_pct, wet_mv)
        self._curvature = curvature
        self.vwc_pct = 25.0
        self.temp_c = 20.0
        self.temp_mv_per_k = 0.0
        self._last_mv = None

    def mv(self):
        """Output voltage, or None for an open pin."""
        if not self.present or self.fault == "open":
            return None
        if self.fault == "short":
            return 0
        if self.fault == "supply":
            return _SUPPLY_MV
        if self.fault != "stuck" or self._last_mv is None:
            self._last_mv = self._curve() + (self.temp_c - 20.0) * self.temp_mv_per_k
        return self._last_mv

    def _curve(self):
        (dry_pct, dry_mv), (wet_pct, wet_mv) = self._dry, self._wet
        x = (self.vwc_pct - dry_pct) / (wet_pct - dry_pct)
        k = self._curvature
        return dry_mv + (wet_mv - dry_mv) * x * (1 + k) / (1 + k * x)
