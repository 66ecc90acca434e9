"""Capacitive soil moisture probe (DFRobot SEN0193, "v1.2", "v2.0") on an ADC pin.

    probe = SoilProbe(board.adc(26), dry_mv=2800, wet_mv=1200, wet_pct=50)
    out = array.array("i", (0,))
    await probe.read_into(out)  # out[0] centi-% water by volume

The probe gives a voltage that falls as the soil gets wetter; what water content a voltage means
depends on the single probe and on the soil. Calibrate: note the mV in soil of two known water
contents (oven-dried soil is 0 %), or three: the curve between is taken as straight pieces.

Sources. The output falls with moisture, air and water mark the ends, and each probe must be
calibrated: DFRobot SEN0193 product page, second source Schwamback et al., Sensors 23 (2023) 2451
(63 probes; soil- and probe-specific calibration). Output up to 3.0 V at 3.3 to 5.5 V supply.
A pin that nothing drives floats: fit 1 MOhm from the pin to ground, or a cut cable may read as
soil.
"""

from array import array

from ..core.errors import ConfigError, SensorError
from .adc_mv import RAIL_MV, read_mv


class SoilProbe:
    """One probe; the ADC object belongs to the caller."""

    def __init__(
        self,
        adc,
        dry_mv=2800,
        wet_mv=1200,
        dry_pct=0,
        wet_pct=50,
        mid_mv=0,
        mid_pct=0,
        vref_mv=3300,
    ):
        """Raises ConfigError if the points are not in order; mid_mv 0 means no third point."""
        if not mid_mv:
            mid_mv, mid_pct = (dry_mv + wet_mv) // 2, None
        rising = wet_mv > dry_mv
        if not (dry_mv < mid_mv < wet_mv if rising else wet_mv < mid_mv < dry_mv):
            raise ConfigError("soil_probe: mid_mv must lie between dry_mv and wet_mv")
        if not dry_pct < wet_pct:
            raise ConfigError("soil_probe: dry_pct must be below wet_pct")
        if mid_pct is None:
            mid_pct = dry_pct + (wet_pct - dry_pct) * (mid_mv - dry_mv) / (wet_mv - dry_mv)
        elif not dry_pct < mid_pct < wet_pct:
            raise ConfigError("soil_probe: mid_pct must lie between dry_pct and wet_pct")
        self._adc = adc
        self._vref_mv = vref_mv
        self._mv = array("i", (dry_mv, mid_mv, wet_mv))
        self._centi_pct = array("i", (dry_pct * 100, int(mid_pct * 100 + 0.5), wet_pct * 100))
        margin_mv = abs(wet_mv - dry_mv) // 4
        self._lowest_mv = max(min(dry_mv, wet_mv) - margin_mv, RAIL_MV)
        self._highest_mv = min(max(dry_mv, wet_mv) + margin_mv, vref_mv - RAIL_MV)

    async def read_into(self, out):
        """Write [centi-% by volume, 0 to 10000] into out.

        Raises SensorError, out untouched, if the voltage is further than a quarter of the span
        outside the calibration or within 50 mV of a rail: cut, shorted, or not in soil.
        """
        self.poll(out)

    def start(self):
        """Nothing to start; returns the ms until poll is ready: 0."""
        return 0

    def poll(self, out):
        """Read now; returns True. Errors as read_into. Does not allocate."""
        mv = read_mv(self._adc, self._vref_mv)
        if mv < self._lowest_mv or mv > self._highest_mv:
            raise SensorError("soil_probe: %d mV: cut, shorted or not in soil" % mv)
        out[0] = self.centi_pct(mv)
        return True

    def centi_pct(self, mv):
        """Water content of a voltage; the end pieces reach on, within 0 to 10000."""
        x, y = self._mv, self._centi_pct
        wetter = mv > x[1] if x[2] > x[0] else mv < x[1]
        i = 1 if wetter else 0
        run = x[i + 1] - x[i]
        rise = (mv - x[i]) * (y[i + 1] - y[i])
        if run < 0:
            run, rise = -run, -rise
        return min(max(y[i] + (2 * rise + run) // (2 * run), 0), 10000)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "capacitive probe, SEN0193 and copies",
        "class": "SoilProbe",
        "kind": "sensor",
        "bus": "adc",
        "doc": "Capacitive soil moisture probe (SEN0193 and its v1.2/v2.0 copies) on an ADC pin",
        "params": {
            "dry_mv": ("int", 2800, 1, 5000, "output at the dry calibration point, mV"),
            "wet_mv": ("int", 1200, 1, 5000, "output at the wet calibration point, mV"),
            "dry_pct": ("int", 0, 0, 100, "water content at the dry point, % by volume"),
            "wet_pct": ("int", 50, 0, 100, "water content at the wet point, % by volume"),
            "mid_mv": ("int", 0, 0, 5000, "output at an optional third point, mV; 0 is none"),
            "mid_pct": ("int", 0, 0, 100, "water content at the third point, % by volume"),
            "vref_mv": ("int", 3300, 1000, 5500, "ADC full scale where read_uv is missing, mV"),
        },
        "channels": (("vwc", "%", 100, 0, 100),),
        "resolution": (0.025,),
        "raw_bytes": 2,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "active_ua": 5000,
        "standby_ua": 5000,
        "datasheet": "DFRobot SEN0193 product page",
        "checked_against": "Schwamback et al., Sensors 23 (2023) 2451",
    }
