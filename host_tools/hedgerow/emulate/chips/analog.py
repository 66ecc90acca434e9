"""A probe that puts a voltage on an ADC pin, and what goes wrong with its cable."""

from .chip import Chip

_SUPPLY_MV = 3300


class AnalogChip(Chip):
    """Source for machine.attach_adc; a subclass gives `level_mv()`.

    Faults: "open" (cut cable), "short" (output to ground), "supply" (output to 3.3 V or more),
    "stuck" (keeps the voltage it had).
    """

    FAULTS = ("open", "short", "supply", "stuck")

    def __init__(self, now_ms=None):
        Chip.__init__(self)
        self._now_ms = now_ms
        self._last_mv = None

    def level_mv(self):
        raise NotImplementedError("a probe has a voltage")

    def mv(self):
        """Output voltage, or None for an open pin."""
        if not self.present or self.fault == "open":
            return None
        if self.fault in ("short", "supply"):
            return 0 if self.fault == "short" else _SUPPLY_MV
        if self.fault != "stuck" or self._last_mv is None:
            self._last_mv = self.level_mv()
        return self._last_mv
