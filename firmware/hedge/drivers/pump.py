"""Pump with a guard against running dry: an output pin and the pin of a flow meter.

    pump = Pump(board.bus("pins", (15, 13)), max_on_ms=600000)  # switch, flow meter
    pump.on(30000)  # 0 if it is locked, else the ms granted
    ...
    pump.poll()  # at least once a second

A Relay that in addition switches off and locks itself when the meter turns too slowly: fewer than
least_pulses in the last window_ms, once prime_ms have passed since it went on. Locked it refuses
on() for lock_ms, or until unlock() by a person. A cut cable of the meter is a dry pump: the guard
fails to the safe side. pump.meter.total are the pulses, for a volume.

Source: Grundfos on the MQ pump (dry-running alarm when too little flows for 1 min, new try after
30 min); second source: DAB on the Divertron (primes for 4 * 30 s, alarm after 40 s without flow,
new try after 1 h). Small pumps stand less; the defaults are shorter.
"""

from ..core import clock
from ..core.errors import ConfigError
from .pulse_counter import PulseCounter
from .relay import Relay


class Pump(Relay):
    """One pump; pins and timer belong to the caller. on, off and poll do not allocate."""

    def __init__(
        self,
        pins,
        active_high=True,
        max_on_ms=600000,
        prime_ms=10000,
        window_ms=5000,
        least_pulses=10,
        lock_ms=3600000,
        timer=None,
    ):
        """pins: (switch, flow meter). Raises ConfigError if a number is not positive."""
        if min(prime_ms, window_ms, least_pulses, lock_ms) < 1:
            raise ConfigError("pump: prime_ms, window_ms, least_pulses, lock_ms must be positive")
        Relay.__init__(self, pins[0], active_high, max_on_ms, timer)
        self.meter = PulseCounter(pins[1])
        self._prime_ms, self._window_ms = prime_ms, window_ms
        self._least_pulses = least_pulses
        self._lock_ms = lock_ms
        self._locked_ms = 0
        self._mark = self._mark_ms = 0
        self.is_locked = False
        self.dry_runs = 0  # how often the guard has locked it

    def on(self, ms=None):
        """As Relay.on, but 0 while locked. A renewed command does not begin a new prime time."""
        if self.is_locked:
            self.poll()
        if self.is_locked:
            return 0
        if not self.is_on:
            self._mark = self.meter.total
            self._mark_ms = clock.ticks_ms() + self._prime_ms - self._window_ms
        return Relay.on(self, ms)

    def unlock(self):
        """Somebody has looked after the water."""
        self.is_locked = False

    def poll(self):
        """Switch off when the time is up or the pump runs dry; returns is_on."""
        if self.is_locked and clock.ticks_diff(clock.ticks_ms(), self._locked_ms) >= self._lock_ms:
            self.is_locked = False
        if Relay.poll(self):
            self._watch_flow()
        return self.is_on

    def _watch_flow(self):
        now_ms = clock.ticks_ms()
        if clock.ticks_diff(now_ms, self._mark_ms) < self._window_ms:
            return
        pulses = self.meter.total - self._mark
        self._mark += pulses
        self._mark_ms = now_ms
        if pulses < self._least_pulses:
            self.off()
            self.is_locked = True
            self._locked_ms = now_ms
            self.dry_runs += 1


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "pump with flow meter",
        "class": "Pump",
        "kind": "actuator",
        "bus": "pins",
        "pins": (
            ("switch", "output_pin", "input of its relay"),
            ("meter", "input_pin", "pulses of its flow meter"),
        ),
        "doc": "Pump that switches off and locks when its flow meter says it runs dry",
        "params": {
            "active_high": ("bool", True, 0, 1, "False if a low level switches it on"),
            "max_on_ms": ("int", 600000, 100, 86400000, "longest time on after one command, ms"),
            "prime_ms": ("int", 10000, 1, 600000, "time after on until water must flow, ms"),
            "window_ms": ("int", 5000, 1, 600000, "time over which pulses are counted, ms"),
            "least_pulses": ("int", 10, 1, 100000, "fewer in a window are a dry run"),
            "lock_ms": ("int", 3600000, 1, 604800000, "time it refuses to go on after that, ms"),
        },
        "channels": (("on", "/", 1, 0, 1),),
        "resolution": (1,),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "Grundfos MQ, dry running (FAQ)",
        "checked_against": "DAB Divertron, dry running (FAQ)",
    }
