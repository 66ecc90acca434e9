"""Latching (bistable) solenoid valve of 4.5 to 12 V on an H-bridge, two pins.

    valve = Valve(board.bus("pins", (18, 19)), max_on_ms=1800000)  # opens, closes
    valve.on(600000)
    ...
    valve.poll()  # at least once a second: closes when the time is up

A pulse one way opens it, the other way closes it; between pulses it takes no current. It is a
Relay in all else: never open for longer than max_on_ms after one command, closed at the start.
on() and off() block for pulse_ms: a coil that stays on because a loop hangs would burn. off()
always sends its pulse, also if it is closed already: a stone may have jolted it.

Without power it stays as it is, also open: where that floods, put a normally closed valve
(relay.py) before it. An ordinary valve, open as long as it has current, is a relay.Relay.

Source: maker's "Latching valve brief designing guide" (studylib.net 18735412: 4.8 to 12 V, 60 ms
at most, on 20 ms, off less than 12 ms, 10 Ohm); second source of the pulse: Alahot on latching
solenoid valves (20 to 100 ms).
"""

import time

from ..core.errors import ConfigError
from .relay import Relay


class _Latch:
    """What Relay takes for its pin: a level becomes a pulse."""

    OUT = 1

    def __init__(self, pins, pulse_ms, sleep_ms):
        self._open, self._close = pins[0], pins[1]
        self._pulse_ms = pulse_ms
        self._sleep_ms = sleep_ms

    def init(self, mode, value):
        for pin in (self._open, self._close):
            pin.init(pin.OUT, value=0)
        self.value(value)

    def value(self, level):
        pin = self._open if level else self._close
        pin.value(1)
        try:
            self._sleep_ms(self._pulse_ms)
        finally:
            pin.value(0)


class Valve(Relay):
    """One valve; the pins belong to the caller. on(ms), off(), poll() as Relay."""

    def __init__(self, pins, pulse_ms=60, max_on_ms=600000, timer=None, sleep_ms=time.sleep_ms):
        """pins: (opens, closes), inputs of the H-bridge. Closes it. Raises ConfigError."""
        if not 10 <= pulse_ms <= 200:
            raise ConfigError("valve: pulse_ms %r: 10 to 200" % (pulse_ms,))
        Relay.__init__(self, _Latch(pins, pulse_ms, sleep_ms), True, max_on_ms, timer)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "latching solenoid valve",
        "class": "Valve",
        "kind": "actuator",
        "bus": "pins",
        "pins": (
            ("opens", "output_pin", "input of the H-bridge that opens"),
            ("closes", "output_pin", "the one that closes"),
        ),
        "doc": "Latching valve on an H-bridge, closed unless told, never open for too long",
        "params": {
            "pulse_ms": ("int", 60, 10, 200, "length of the pulse that switches it, ms"),
            "max_on_ms": ("int", 600000, 100, 86400000, "longest time open after a command, ms"),
        },
        "channels": (("on", "/", 1, 0, 1),),
        "resolution": (1,),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "Latching valve brief designing guide (studylib.net 18735412)",
        "checked_against": "Alahot, latching solenoid valves",
    }
