"""Resistive soil moisture probe (YL-69, FC-28) on an ADC pin, powered only while it is read.

    probe = SoilResistive(board.adc(26), power=board.output_pin(15), dry_mv=3000, wet_mv=1000)
    out = array.array("i", (0,))
    await probe.read_into(out)  # out[0] centi-% between dry and wet

Current through wet soil dissolves the electrodes, so the supply of the module comes from a pin (it
takes a few mA) that is on for settle_ms per read. Without power= the module is on all the time.
What it says depends on salts in the soil as much as on water: a scale from dry to wet, not a water
content; the capacitive soil_probe is the better sensor.

Sources. The output falls as the soil gets wetter, the supply should be switched: SparkFun soil
moisture sensor hookup guide (SEN-13322; its output rises: give dry_mv below wet_mv). Second
source of the falling output of the comparator modules: tinycontrol and Electrokit product pages.
dry_mv and wet_mv are measured by the user, the defaults are of a module at 3.3 V.
"""

from micropython import const

from ..core import clock
from ..core.errors import ConfigError, SensorError
from .adc_mv import RAIL_MV, read_mv

_IDLE = const(-1)


class SoilResistive:
    """One probe; ADC and pin objects belong to the caller."""

    def __init__(self, adc, dry_mv=3000, wet_mv=1000, settle_ms=50, vref_mv=3300, power=None):
        """power: machine.Pin that supplies the module, or None. Raises ConfigError."""
        if abs(dry_mv - wet_mv) < 100:
            raise ConfigError("soil_resistive: dry_mv and wet_mv must be 100 mV apart")
        self._adc = adc
        self._vref_mv = vref_mv
        self._dry_mv, self._span_mv = dry_mv, wet_mv - dry_mv
        margin_mv = abs(self._span_mv) // 4
        self._lowest_mv = max(min(dry_mv, wet_mv) - margin_mv, RAIL_MV)
        self._highest_mv = min(max(dry_mv, wet_mv) + margin_mv, vref_mv - RAIL_MV)
        self._settle_ms = settle_ms
        self._power = power
        self._started_ms = _IDLE
        if power:
            power.init(power.OUT, value=0)

    async def read_into(self, out):
        """Power on, wait, measure, power off; write [centi-%, 0 to 10000] into out.

        Raises SensorError, out untouched, if the voltage is further than a quarter of the span
        outside the calibration or within 50 mV of a rail.
        """
        await clock.sleep_ms(self.start())
        while not self.poll(out):
            await clock.sleep_ms(1)

    def start(self):
        """Power on; returns the ms until it has settled."""
        if self._power:
            self._power.value(1)
        self._started_ms = clock.ticks_ms()
        return self._settle_ms

    def poll(self, out):
        """True once out is written. Errors as read_into. Does not allocate."""
        if self._started_ms == _IDLE:
            raise SensorError("soil_resistive: poll without start")
        if clock.ticks_diff(clock.ticks_ms(), self._started_ms) < self._settle_ms:
            return False
        self._started_ms = _IDLE
        mv = read_mv(self._adc, self._vref_mv)
        if self._power:
            self._power.value(0)
        if mv < self._lowest_mv or mv > self._highest_mv:
            raise SensorError("soil_resistive: %d mV: cut, shorted or not in soil" % mv)
        share = (mv - self._dry_mv) * 10000 // self._span_mv
        out[0] = min(max(share, 0), 10000)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "resistive probe, YL-69, FC-28",
        "class": "SoilResistive",
        "kind": "sensor",
        "bus": "adc",
        "doc": "Resistive soil moisture probe on an ADC pin: a scale from dry to wet",
        "params": {
            "dry_mv": ("int", 3000, 1, 5000, "output in dry soil, mV"),
            "wet_mv": ("int", 1000, 1, 5000, "output in wet soil, mV"),
            "settle_ms": ("int", 50, 0, 1000, "from power on to the measurement, ms"),
            "vref_mv": ("int", 3300, 1000, 5500, "ADC full scale where read_uv is missing, mV"),
        },
        "channels": (("wetness", "%", 100, 0, 100),),
        "resolution": (0.04,),
        "raw_bytes": 2,
        "first_ms": 50,
        "convert_ms": 50,
        "who_am_i": "",
        "datasheet": "SparkFun soil moisture sensor hookup guide (SEN-13322)",
        "checked_against": "tinycontrol and Electrokit product pages",
    }
