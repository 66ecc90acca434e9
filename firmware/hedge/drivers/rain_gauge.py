"""Tipping-bucket rain gauge (SparkFun SEN-15901, MISOL and alike) on a pin.

    gauge = RainGauge(board.bus("input_pin", 13), um_per_tip=279)
    out = array.array("i", (0, 0))
    await gauge.read_into(out)  # um (0.001 mm) of rain since the last read, and since power-on

The reed contact closes for a moment at each tip and bounces: tips nearer than 150 ms count once,
and the heaviest rain there is (400 mm/h) tips every 2.5 s. Check it: pour as much water as 10 mm
make over the funnel's area slowly through, and set um_per_tip to 10000 / tips.

Source: SparkFun weather meter data sheet (Argent Data Systems 80422): 0.2794 mm per contact
closure; second source: SparkFun weather meter hookup guide.
"""

from ..core.errors import ConfigError
from .pulse_counter import PulseCounter

_BOUNCE_MS = 150


class RainGauge(PulseCounter):
    """One gauge; the pin object belongs to the caller."""

    WINDOW_MS = 0

    def __init__(self, pin, um_per_tip=279):
        """Raises ConfigError if um_per_tip is not positive."""
        if um_per_tip < 1:
            raise ConfigError("rain_gauge: um_per_tip %r" % (um_per_tip,))
        self._um_per_tip = um_per_tip
        PulseCounter.__init__(self, pin, _BOUNCE_MS)

    def _report(self, pulses, elapsed_ms, out):
        out[0] = pulses * self._um_per_tip
        out[1] = self.total * self._um_per_tip


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "tipping bucket, SEN-15901",
        "class": "RainGauge",
        "kind": "sensor",
        "bus": "input_pin",
        "doc": "Tipping-bucket rain gauge: rain since the last read and since power-on",
        "params": {
            "um_per_tip": ("int", 279, 1, 10000, "rain of one tip, 0.001 mm"),
        },
        "channels": (("rain", "mm", 1000, 0, 1000), ("total", "mm", 1000, 0, 1000000)),
        "resolution": (0.279, 0.279),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "Argent Data Systems 80422 weather sensor assembly",
        "checked_against": "SparkFun weather meter hookup guide",
    }
