"""Simulated wind vane with reed contacts and resistors: direction in, millivolts out.

    chip = WindVane(now_ms)
    machine.attach_adc(26, chip)
    chip.direction_deg = 90.0

Eight resistors of the Argent 80422 data sheet, one every 45 degrees; in the middle between two of
them the magnet closes both contacts, so they are in parallel. 10 kOhm pull the pin up to 3.3 V.
The driver has all sixteen values as a table; here the eight between are worked out. Faults as in
analog.py.
"""

from .analog import AnalogChip

_OHM = (33000, 8200, 1000, 2200, 3900, 16000, 120000, 64900)


class WindVane(AnalogChip):
    """Source for machine.attach_adc: mv()."""

    def __init__(self, now_ms, pull_up_ohm=10000, supply_mv=3300):
        self.direction_deg = 0.0
        self._pull_up_ohm = pull_up_ohm
        self._supply_mv = supply_mv
        AnalogChip.__init__(self, now_ms)

    def ohm(self):
        step = int(self.direction_deg / 22.5 + 0.5) % 16
        one = _OHM[step // 2]
        if not step & 1:
            return one
        other = _OHM[(step // 2 + 1) % 8]
        return one * other / (one + other)

    def level_mv(self):
        return self._supply_mv * self.ohm() / (self.ohm() + self._pull_up_ohm)

    def mv(self):
        """A cut vane leaves the pull-up."""
        if not self.present or self.fault == "open":
            return self._supply_mv
        return AnalogChip.mv(self)
