"""HC-SR04 ultrasonic distance sensor on two pins (also JSN-SR04T and US-100 in pulse mode).

    sonar = HCSR04(board.bus("echo", (18, 19)))  # trigger, echo
    sonar.set_temp(centi_c)  # of the air; else 20 degC
    out = array.array("i", (0,))
    await sonar.read_into(out)  # out[0] mm

The echo output is 5 V: put 1 kOhm and 2 kOhm as a divider before the pin. poll() blocks until the
echo is back, 24 ms for 4 m, 38 ms if there is none. Two measurements are at least 60 ms apart
(DS), or an old echo counts. Nothing within 4 m is an error, not a distance.

Source: "DS" is the ElecFreaks HC-SR04 data sheet (10 us trigger, range 2 to 400 cm, distance =
high time * 340 m/s / 2, 60 ms cycle); second source, also of the 38 ms without an obstacle:
Haitronic's product page. Speed of sound 331.3 m/s + 0.606 m/s per degC.
"""

from errno import ETIMEDOUT

from micropython import const

from ..core import clock
from ..core.errors import SensorError

_CYCLE_MS = const(61)  # DS: 60 ms, and a tick may have begun before
_TIMEOUT_US = const(40000)
_NEAREST_MM = const(20)
_FURTHEST_MM = const(4000)


class HCSR04:
    """One sensor; the EchoTimer belongs to the caller."""

    def __init__(self, echo):
        """echo: object with pulse_us(timeout_us), see more_buses.py."""
        self._echo = echo
        self._dm_per_s = 3434  # speed of sound at 20 degC
        self._last_ms = clock.ticks_ms()

    def set_temp(self, centi_c):
        """Temperature of the air in centi-degC for the next reads; kept within -40 to 60 degC."""
        self._dm_per_s = 3313 + (min(max(centi_c, -4000), 6000) * 606 + 5000) // 10000

    async def read_into(self, out):
        """Measure once and write [mm] into out.

        Raises OSError(ETIMEDOUT) if the sensor does not answer, SensorError if nothing is within
        its range; out is left untouched.
        """
        await clock.sleep_ms(self.start())
        self.poll(out)

    def start(self):
        """Returns the ms until the echo of the last measurement is gone."""
        return max(_CYCLE_MS - clock.ticks_diff(clock.ticks_ms(), self._last_ms), 0)

    def poll(self, out):
        """True once out is written, False if it is too early. Blocks up to 80 ms; see the top."""
        if self.start():
            return False
        self._last_ms = clock.ticks_ms()
        us = self._echo.pulse_us(_TIMEOUT_US)
        if us == -2:
            raise OSError(ETIMEDOUT)
        mm = -1 if us < 0 else (us * self._dm_per_s + 10000) // 20000
        # A reading at the end of the range may lie some mm past it; more is no echo.
        if not _NEAREST_MM - 5 <= mm <= _FURTHEST_MM + 20:
            raise SensorError("hcsr04: nothing from 20 mm to 4 m (%d us)" % us)
        out[0] = min(max(mm, _NEAREST_MM), _FURTHEST_MM)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "HC-SR04, JSN-SR04T",
        "class": "HCSR04",
        "kind": "sensor",
        "bus": "echo",
        "pins": (
            ("trigger", "output_pin", "Trig of the module"),
            ("echo", "input_pin", "Echo of the module, through a divider"),
        ),
        "doc": "HC-SR04 ultrasonic distance sensor on two pins (trigger, echo)",
        "params": {},
        "channels": (("distance", "m", 1000, 0.02, 4),),
        "resolution": (0.003,),
        "raw_bytes": 0,
        "first_ms": 61,
        "convert_ms": 61,
        "who_am_i": "",
        "datasheet": "ElecFreaks HC-SR04 data sheet",
        "checked_against": "Haitronic product page",
    }
