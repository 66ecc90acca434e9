"""Battery voltage through a resistor divider on an ADC pin.

    battery = Battery(board.adc(27), r_top_ohm=100000, r_bottom_ohm=100000)
    out = array.array("i", (0,))
    await battery.read_into(out)  # out[0] mV at the battery

The divider draws current for ever: 2 x 100 kOhm at 4 V take 20 uA. Fit 100 nF from the pin to
ground: it holds the voltage while the ADC's sampling capacitor takes its charge.
"""

from ..core.errors import ConfigError, SensorError
from .adc_mv import RAIL_MV, read_mv

_MAX_RATIO = 40  # 5500 mV * 40 * 4096 stays below 2**30


class Battery:
    """One divider; the ADC object belongs to the caller."""

    def __init__(self, adc, r_top_ohm=100000, r_bottom_ohm=100000, vref_mv=3300):
        """Raises ConfigError if the divider's ratio is above 40."""
        if r_bottom_ohm < 1 or r_top_ohm < 0 or r_top_ohm >= (_MAX_RATIO - 1) * r_bottom_ohm:
            raise ConfigError("battery: divider %r : %r" % (r_top_ohm, r_bottom_ohm))
        self._adc = adc
        self._vref_mv = vref_mv
        total = r_top_ohm + r_bottom_ohm
        self._ratio_q12 = (total * 4096 + r_bottom_ohm // 2) // r_bottom_ohm

    async def read_into(self, out):
        """Write [mV] into out. Raises SensorError, out untouched, if the pin is at a rail."""
        self.poll(out)

    def start(self):
        """Nothing to start; returns the ms until poll is ready: 0."""
        return 0

    def poll(self, out):
        """Read now; returns True. Errors as read_into. Does not allocate."""
        mv = read_mv(self._adc, self._vref_mv)
        if mv < RAIL_MV or mv > self._vref_mv - RAIL_MV:
            raise SensorError("battery: %d mV at the pin: cut or beyond the ADC" % mv)
        out[0] = mv * self._ratio_q12 + 2048 >> 12
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "divider on a battery",
        "class": "Battery",
        "kind": "sensor",
        "bus": "adc",
        "doc": "Battery voltage through a resistor divider on an ADC pin",
        "params": {
            "r_top_ohm": ("int", 100000, 0, 10000000, "resistor from battery to pin; 0 is none"),
            "r_bottom_ohm": ("int", 100000, 1, 10000000, "resistor from pin to ground"),
            "vref_mv": ("int", 3300, 1000, 5500, "ADC full scale where read_uv is missing, mV"),
        },
        "channels": (("voltage", "V", 1000, 0, 30),),
        "resolution": (0.002,),
        "raw_bytes": 2,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "none: Ohm's law",
        "checked_against": "tests/unit/test_driver_analog.py: worked values",
    }
