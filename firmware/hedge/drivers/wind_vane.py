"""Wind vane with eight resistors and reed contacts (SparkFun SEN-15901) on an ADC pin.

    vane = WindVane(board.adc(26))  # 10 kOhm from the pin to 3.3 V, the vane from it to ground
    out = array.array("i", (0,))
    await vane.read_into(out)  # milliradians clockwise from north: 0, 393, ... 5890

Sixteen directions: between two contacts the magnet closes both. A voltage further from the next
of the sixteen than a third of the way to its neighbour is refused: a cut or wet cable, a contact
that changes just now (read again).

Source: Argent Data Systems 80422 weather sensor assembly, resistance table. Its voltages are for
5 V, and that for 315 deg is wrong (4.78 V; 64.9 kOhm give 4.33 V: blog.kkessler.com); only its
resistances are used here. Second source of them: SparkFun's forum on the data sheet, which
derives the values between from pairs in parallel (33 kOhm and 8.2 kOhm are 6.57 kOhm).
"""

from array import array

from micropython import const

from ..core.errors import ConfigError, SensorError
from .adc_probe import ADCProbe

_STEPS = const(16)
# Ohm at 0, 22.5, 45, ... degrees.
_OHM = (33000, 6570, 8200, 891, 1000, 688, 2200, 1410, 3900, 3140, 16000, 14120, 120000, 42120)
_OHM += (64900, 21880)


class WindVane(ADCProbe):
    """One vane; the ADC object belongs to the caller."""

    NAME = "wind_vane"

    def __init__(self, adc, pull_up_ohm=10000, north_step=0, vref_mv=3300):
        """north_step: step (0 to 15) that the vane gives in north wind. Raises ConfigError."""
        if not 1000 <= pull_up_ohm <= 100000 or not 0 <= north_step < _STEPS:
            raise ConfigError(
                "wind_vane: pull_up_ohm %r, north_step %r" % (pull_up_ohm, north_step)
            )
        ADCProbe.__init__(self, adc, vref_mv)
        self._north = north_step
        self._mv = array("i", [vref_mv * ohm // (ohm + pull_up_ohm) for ohm in _OHM])
        self._slack_mv = array("i", [self._slack(step) for step in range(_STEPS)])

    def _slack(self, step):
        """A third of the distance to the nearest other voltage."""
        mv = self._mv[step]
        return min([abs(mv - other) for other in self._mv if other != mv]) // 3

    def _value(self, mv):
        step = self._step(mv)
        if step < 0:
            raise SensorError("wind_vane: %d mV is no direction" % mv)
        # pi / 8 is 392.699 mrad.
        return ((step - self._north) % _STEPS * 3927 + 5) // 10

    def _step(self, mv):
        """Step whose voltage is nearest, -1 if none is near enough."""
        for step in range(_STEPS):
            if abs(mv - self._mv[step]) <= self._slack_mv[step]:
                return step
        return -1


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "wind vane, SEN-15901",
        "class": "WindVane",
        "kind": "sensor",
        "bus": "adc",
        "doc": "Wind vane with resistors on an ADC pin, sixteen directions",
        "params": {
            "pull_up_ohm": ("int", 10000, 1000, 100000, "resistor from the pin to 3.3 V"),
            "north_step": ("int", 0, 0, 15, "step (22.5 deg) that the vane gives in north wind"),
            "vref_mv": ("int", 3300, 1000, 5500, "ADC full scale and supply of the vane, mV"),
        },
        "channels": (("direction", "rad", 1000, 0, 5.89),),
        "resolution": (0.3927,),
        "raw_bytes": 2,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "Argent Data Systems 80422 weather sensor assembly",
        "checked_against": "SparkFun community on the 80422 data sheet; blog.kkessler.com",
    }
