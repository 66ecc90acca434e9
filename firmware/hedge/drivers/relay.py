"""Relay, valve or pump on one output pin, with a time limit it cannot be talked out of.

    pump = Relay(board.output_pin(15), max_on_ms=600000)
    pump.on(30000)
    ...
    pump.poll()  # at least once a second: switches off when the time is up

Off from the first moment: the level is set before the pin becomes an output, so not even an
active-low relay clicks at start. poll() enforces the limit in device time. A hardware timer
(board.timer()) enforces it once more in wall time when the event loop no longer runs; and where
even the timer's callback no longer runs, the watchdog resets the board, whose pins are then
inputs: fit a resistor that keeps the relay off at a floating pin.
"""

from ..core import clock
from ..core.errors import ConfigError


class Relay:
    """One output. Methods do not wait; on(), off() and poll() do not allocate without a timer."""

    def __init__(self, pin, active_high=True, max_on_ms=600000, timer=None):
        """pin: machine.Pin; timer: machine.Timer of its own or None. Raises ConfigError."""
        if max_on_ms < 1:
            raise ConfigError("relay: max_on_ms %r" % (max_on_ms,))
        self._pin = pin
        self._on_level = 1 if active_high else 0
        self._max_on_ms = max_on_ms
        self._timer = timer
        self._expired = self._on_timer  # bound once: taking a bound method allocates
        self._since_ms = 0
        self._limit_ms = 0
        self.is_on = False
        self.total_on_ms = 0  # of finished runs
        self.cut_short = 0  # runs that the time limit or the timer ended
        pin.init(pin.OUT, value=1 - self._on_level)

    def on(self, ms=None):
        """Switch on for ms, at most max_on_ms, counted anew from now; None is max_on_ms.

        Returns the ms granted. A command for 0 ms or less switches off.
        """
        ms = self._max_on_ms if ms is None else min(ms, self._max_on_ms)
        if self.is_on:
            self._count()
        if ms <= 0:
            self.off()
            return 0
        self._since_ms = clock.ticks_ms()
        self._limit_ms = ms
        self.is_on = True
        if self._timer:
            self._timer.init(mode=self._timer.ONE_SHOT, period=ms, callback=self._expired)
        self._pin.value(self._on_level)
        return ms

    def off(self):
        """Switch off; harmless if it is off."""
        self._pin.value(1 - self._on_level)
        if self._timer:
            self._timer.deinit()
        if self.is_on:
            self._count()
            self.is_on = False

    def poll(self):
        """Switch off when the time is up; returns is_on."""
        if self.is_on and self._elapsed_ms() >= self._limit_ms:
            self.cut_short += 1
            self.off()
        return self.is_on

    def left_ms(self):
        """ms until it switches off by itself, 0 while off."""
        return max(self._limit_ms - self._elapsed_ms(), 0) if self.is_on else 0

    def _elapsed_ms(self):
        return clock.ticks_diff(clock.ticks_ms(), self._since_ms)

    def _count(self):
        self.total_on_ms += self._elapsed_ms()

    def _on_timer(self, timer):
        # Runs between bytecodes of whatever hangs. The pin first: the rest may fail.
        self._pin.value(1 - self._on_level)
        if self.is_on:
            self.cut_short += 1
            self._count()
            self.is_on = False


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "relay, valve, pump",
        "class": "Relay",
        "kind": "actuator",
        "bus": "output_pin",
        "doc": "Relay, valve or pump switched by one pin, off unless told, never on for too long",
        "params": {
            "active_high": ("bool", True, 0, 1, "False if a low level switches it on"),
            "max_on_ms": ("int", 600000, 100, 86400000, "longest time on after one command, ms"),
        },
        "channels": (("on", "/", 1, 0, 1),),
        "resolution": (1,),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "none: one output pin",
        "checked_against": "tests/unit/test_driver_relay.py",
    }
