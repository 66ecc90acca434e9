"""pH glass electrode behind an amplifier board (DFRobot SEN0161-V2 and alike) on an ADC pin.

    probe = PHProbe(board.adc(26), mv_ph7=1500, mv_ph4=2032)
    probe.set_temp(centi_c)  # of the liquid, from a thermometer in it; else 25 degC
    out = array.array("i", (0,))
    await probe.read_into(out)  # out[0] pH * 1000

Calibrate at 25 degC: note the mV in the buffers pH 7.0 and pH 4.0. Between and beyond the voltage
is a straight line; its slope goes with the absolute temperature (Nernst: 59.16 mV per pH at 25
degC before the amplifier), its zero stays at pH 7. A reading further than 0.5 outside pH 0 to 14
is refused.

Sources: DFRobot SEN0161-V2 wiki; second source of the two default voltages: DFRobot_PH.cpp (1500
and 2032.44 mV); of the Nernst slope: R * T * ln 10 / F from the CODATA constants.
"""

from ..core.errors import ConfigError, SensorError
from .adc_probe import ADCProbe

_CALIBRATED_CENTI_K = 29815


class PHProbe(ADCProbe):
    """One probe; the ADC object belongs to the caller. Refuses pH below -0.5 and above 14.5."""

    NAME = "ph_probe"

    def __init__(self, adc, mv_ph7=1500, mv_ph4=2032, vref_mv=3300):
        """Raises ConfigError if the two points are less than 100 mV apart."""
        if abs(mv_ph7 - mv_ph4) < 100:
            raise ConfigError("ph_probe: mv_ph7 and mv_ph4 must be 100 mV apart")
        ADCProbe.__init__(self, adc, vref_mv)
        self._mv_ph7 = mv_ph7
        self._span_mv = mv_ph4 - mv_ph7
        self._centi_k = _CALIBRATED_CENTI_K

    def set_temp(self, centi_c):
        """Temperature of the liquid in centi-degC for the next reads, 0 to 100 degC."""
        self._centi_k = min(max(centi_c, 0), 10000) + 27315

    def _value(self, mv):
        milli = self.milli_ph(mv)
        if not -500 <= milli <= 14500:
            raise SensorError("ph_probe: %d mV is outside pH 0 to 14" % mv)
        return min(max(milli, 0), 14000)

    def milli_ph(self, mv):
        """pH * 1000 of a voltage at the set temperature."""
        above = (self._mv_ph7 - mv) * 6000 // self._span_mv  # (pH - 7) * 2000 at 25 degC
        # Below 2**30: beyond 36000 (pH 25) the reading is refused whatever the temperature.
        above = min(max(above, -36000), 36000)
        return 7000 + (above * _CALIBRATED_CENTI_K // self._centi_k + 1) // 2


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "pH electrode with amplifier, SEN0161-V2",
        "class": "PHProbe",
        "kind": "sensor",
        "bus": "adc",
        "doc": "pH electrode behind an amplifier board on an ADC pin",
        "params": {
            "mv_ph7": ("int", 1500, 1, 5000, "output in the pH 7.0 buffer at 25 degC, mV"),
            "mv_ph4": ("int", 2032, 1, 5000, "output in the pH 4.0 buffer at 25 degC, mV"),
            "vref_mv": ("int", 3300, 1000, 5500, "ADC full scale where read_uv is missing, mV"),
        },
        "channels": (("ph", "pH", 1000, 0, 14),),
        "resolution": (0.005,),
        "raw_bytes": 2,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "DFRobot SEN0161-V2 wiki",
        "checked_against": "DFRobot_PH.cpp; Nernst equation",
    }
