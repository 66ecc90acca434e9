"""Water flow meter with a turbine and a Hall sensor (YF-S201 and alike) on a pin.

    meter = FlowMeter(board.bus("input_pin", 13), pulses_per_l=450)
    out = array.array("i", (0, 0))
    await meter.read_into(out)  # 0.1 ml/s since the last read, ml since power-on

Calibrate: let a measured volume through and divide the pulses (meter.total) by the litres. The
output is an open collector: the pull-up of the pin suffices for short cables. Below the least
flow (1 l/min for the YF-S201) the turbine stands still.

Source: Sea YF-S201 data sheet (f = 7.5 Hz per l/min, 450 pulses per litre, 1 to 30 l/min, 10 %);
second source of the factor: iarduino.ru's and GeoFarm's (FS200A) product pages.
"""

from ..core.errors import ConfigError
from .pulse_counter import PulseCounter, milli_hz

_WRAP_ML = 0x3FFFFFFF  # a million litres


class FlowMeter(PulseCounter):
    """One meter; the pin object belongs to the caller."""

    def __init__(self, pin, pulses_per_l=450):
        """Raises ConfigError if pulses_per_l is not positive."""
        if pulses_per_l < 1:
            raise ConfigError("flow_meter: pulses_per_l %r" % (pulses_per_l,))
        self._pulses_per_l = pulses_per_l
        self._volume_ml = 0
        self._rest = 0  # thousandths of a pulse that do not make a ml yet
        PulseCounter.__init__(self, pin)

    def _report(self, pulses, elapsed_ms, out):
        thousandths = pulses * 1000 + self._rest
        self._volume_ml = self._volume_ml + thousandths // self._pulses_per_l & _WRAP_ML
        self._rest = thousandths % self._pulses_per_l
        rate = milli_hz(pulses, elapsed_ms) * 10
        out[0] = (rate + self._pulses_per_l // 2) // self._pulses_per_l
        out[1] = self._volume_ml


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "flow meter, YF-S201",
        "class": "FlowMeter",
        "kind": "sensor",
        "bus": "input_pin",
        "doc": "Water flow meter with pulses (YF-S201): flow since the last read, volume",
        "params": {
            "pulses_per_l": ("int", 450, 1, 100000, "pulses per litre"),
        },
        "channels": (("flow", "l/s", 10000, 0, 0.5), ("volume", "l", 1000, 0, 1000000)),
        "resolution": (0.0022, 0.0022),
        "raw_bytes": 0,
        "first_ms": 1000,
        "convert_ms": 1000,
        "who_am_i": "",
        "datasheet": "Sea YF-S201",
        "checked_against": "iarduino.ru and GeoFarm (FS200A) product pages",
    }
