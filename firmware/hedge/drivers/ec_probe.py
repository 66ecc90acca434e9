"""Electrical conductivity electrode (K = 1) with its board (DFRobot DFR0300) on an ADC pin.

    probe = ECProbe(board.adc(26), mv_low=232, us_low=1413, mv_high=2112, us_high=12880)
    probe.set_temp(centi_c)  # of the liquid, from a thermometer in it; else 25 degC
    out = array.array("i", (0,))
    await probe.read_into(out)  # out[0] uS/cm at 25 degC; that is S/m * 10000

Calibrate at 25 degC in two standard solutions, usually 1413 and 12880 uS/cm. Between and beyond
them the voltage is a straight line. Conductivity rises by 1.85 % per K: the reading is what the
liquid would have at 25 degC. Below 15 mV (91 uS/cm) a dry or cut electrode looks the same:
refused.

Sources: DFRobot DFR0300 wiki; second source of the defaults (mS/cm = mV * 1000 / 820 / 200)
and of the 1.85 %: DFRobot_EC.cpp.
"""

from ..core.errors import ConfigError
from .adc_probe import ADCProbe


class ECProbe(ADCProbe):
    """One probe; the ADC object belongs to the caller."""

    NAME = "ec_probe"
    LOWEST_MV = 15

    def __init__(self, adc, mv_low=232, us_low=1413, mv_high=2112, us_high=12880, vref_mv=3300):
        """Raises ConfigError if the points are not in order or less than 100 mV apart."""
        if mv_high - mv_low < 100 or not us_low < us_high <= 100000:
            raise ConfigError("ec_probe: mv_low, us_low must be well below mv_high, us_high")
        ADCProbe.__init__(self, adc, vref_mv)
        self._mv_low, self._us_low = mv_low, us_low
        self._mv_span, self._us_span = mv_high - mv_low, us_high - us_low
        self._factor = 10000  # conductivity at this temperature over that at 25 degC, * 10000

    def set_temp(self, centi_c):
        """Temperature of the liquid in centi-degC for the next reads; kept within 0 to 50 degC."""
        self._factor = 10000 + (min(max(centi_c, 0), 5000) - 2500) * 185 // 100

    def _value(self, mv):
        return self.us_per_cm(mv)

    def us_per_cm(self, mv):
        """Conductivity at 25 degC of a voltage, not below 0."""
        # 3300 mV * 100000 uS/cm is below 2**30; so is 100000 * 10000.
        run = self._mv_span
        us = self._us_low + ((mv - self._mv_low) * self._us_span + run // 2) // run
        return max(us, 0) * 10000 // self._factor


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "EC electrode with board, DFR0300",
        "class": "ECProbe",
        "kind": "sensor",
        "bus": "adc",
        "doc": "Electrical conductivity of a liquid, electrode K = 1 with its board on an ADC pin",
        "params": {
            "mv_low": ("int", 232, 0, 5000, "output in the weaker standard at 25 degC, mV"),
            "us_low": ("int", 1413, 0, 100000, "conductivity of the weaker standard, uS/cm"),
            "mv_high": ("int", 2112, 1, 5000, "output in the stronger standard at 25 degC, mV"),
            "us_high": ("int", 12880, 1, 100000, "conductivity of the stronger one, uS/cm"),
            "vref_mv": ("int", 3300, 1000, 5500, "ADC full scale where read_uv is missing, mV"),
        },
        "channels": (("ec", "S/m", 10000, 0.01, 1.95),),
        "resolution": (0.0005,),
        "raw_bytes": 2,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "DFRobot DFR0300 wiki",
        "checked_against": "DFRobot_EC.cpp",
    }
