"""Simulated single lithium-ion cell behind a resistor divider: state of charge in, millivolts out.

    chip = Battery(r_top_ohm=100000, r_bottom_ohm=100000)
    machine.attach_adc(27, chip)
    chip.charge_pct = 80.0

The open-circuit voltage curve is a typical one in round numbers, good to some 50 mV; it is not the
data of a certain cell.

Faults: "open" (divider cut).
"""

from .chip import Chip

_CHARGE_PCT = (0, 5, 10, 20, 40, 60, 80, 100)
_OPEN_MV = (3000, 3400, 3550, 3650, 3720, 3850, 4000, 4200)


class Battery(Chip):
    """Source for machine.attach_adc: mv() at the pin; cell_mv() at the cell."""

    FAULTS = ("open",)

    def __init__(self, r_top_ohm=100000, r_bottom_ohm=100000, internal_ohm=0.15):
        Chip.__init__(self)
        self._ratio = r_bottom_ohm / (r_top_ohm + r_bottom_ohm)
        self._internal_ohm = internal_ohm
        self.charge_pct = 100.0
        self.load_ma = 0.0

    def cell_mv(self):
        """Terminal voltage at this charge and load."""
        charge = min(max(self.charge_pct, 0.0), 100.0)
        i = 1
        while charge > _CHARGE_PCT[i]:
            i += 1
        share = (charge - _CHARGE_PCT[i - 1]) / (_CHARGE_PCT[i] - _CHARGE_PCT[i - 1])
        open_mv = _OPEN_MV[i - 1] + share * (_OPEN_MV[i] - _OPEN_MV[i - 1])
        return open_mv - self.load_ma * self._internal_ohm

    def mv(self):
        """Voltage at the ADC pin, None if the divider is cut or the cell taken out."""
        if not self.present or self.fault == "open":
            return None
        return self.cell_mv() * self._ratio
