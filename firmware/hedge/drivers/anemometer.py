"""Cup anemometer with a reed contact (SparkFun SEN-15901 and alike) on a pin.

    wind = Anemometer(board.bus("input_pin", 13))
    out = array.array("i", (0, 0))
    await wind.read_into(out)  # cm/s: mean since the last read, strongest 3 s of it

The gust is the strongest of the 3 s pieces that begin with a pulse (WMO: gusts are 3 s means).
Pulses nearer than 8 ms are the contact's bounce; that is 83 m/s. Wind below 0.7 m/s gives less
than a pulse a second.

Source: SparkFun weather meter data sheet (Argent Data Systems 80422): 2.4 km/h is one closure a
second; second source: SparkFun weather meter hookup guide (1.492 mph).
"""

from micropython import const

from ..core import clock
from ..core.errors import ConfigError
from .pulse_counter import PulseCounter, milli_hz

_BOUNCE_MS = const(8)
_GUST_MS = const(3000)


class Anemometer(PulseCounter):
    """One anemometer; the pin object belongs to the caller."""

    def __init__(self, pin, mm_per_pulse=667):
        """mm_per_pulse: wind path of one pulse (2.4 km/h per Hz is 667 mm). Raises ConfigError."""
        if mm_per_pulse < 1:
            raise ConfigError("anemometer: mm_per_pulse %r" % (mm_per_pulse,))
        self._mm_per_pulse = mm_per_pulse
        self._piece_ms = clock.ticks_ms()
        self._piece = 0  # pulses after the one that began the piece
        self._strongest = 0  # of the pieces that are over
        PulseCounter.__init__(self, pin, _BOUNCE_MS)

    def _on_pulse(self, now_ms):
        if clock.ticks_diff(now_ms, self._piece_ms) < _GUST_MS:
            self._piece += 1
            return
        self._strongest = max(self._strongest, self._piece)
        self._piece_ms = now_ms
        self._piece = 0

    def _report(self, pulses, elapsed_ms, out):
        mean = milli_hz(pulses, elapsed_ms) * self._mm_per_pulse // 10000
        gust = max(self._strongest, self._piece) * 1000 // 3 * self._mm_per_pulse // 10000
        self._strongest = self._piece = 0
        self._piece_ms = clock.ticks_ms()
        out[0] = mean
        out[1] = max(gust, mean)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "cup anemometer, SEN-15901",
        "class": "Anemometer",
        "kind": "sensor",
        "bus": "input_pin",
        "doc": "Cup anemometer with pulses: mean wind and gust since the last read",
        "params": {
            "mm_per_pulse": ("int", 667, 1, 10000, "wind path of one pulse, mm"),
        },
        "channels": (("wind", "m/s", 100, 0, 60), ("gust", "m/s", 100, 0, 60)),
        "resolution": (0.667, 0.223),
        "raw_bytes": 0,
        "first_ms": 1000,
        "convert_ms": 1000,
        "who_am_i": "",
        "datasheet": "Argent Data Systems 80422 weather sensor assembly",
        "checked_against": "SparkFun weather meter hookup guide",
    }
