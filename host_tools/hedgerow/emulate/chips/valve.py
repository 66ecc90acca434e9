"""Simulated latching valve on an H-bridge: pulses that are long enough, a coil that can burn.

    chip = Valve(now_ms)
    chip.attach(18, 19)  # opens, closes
    chip.is_open, chip.longest_ms, chip.shorted

Written from the maker's latching valve guide: opens after 20 ms of current, closes after 12 ms.
It keeps its state without power. Both inputs high at once brake the bridge: no current, noted in
shorted. Fault: "stuck" does not move.
"""

from .chip import Chip

_OPEN_MS, _CLOSE_MS = 20, 12


class Valve(Chip):
    """Listener for two pins."""

    FAULTS = ("stuck",)

    def __init__(self, now_ms, is_open=False):
        Chip.__init__(self)
        self._now_ms = now_ms
        self.is_open = is_open
        self.longest_ms = 0  # current through the coil
        self.pulses = 0
        self.shorted = 0
        self._levels = [0, 0]
        self._since_ms = now_ms()

    def attach(self, opens, closes, machine=None):
        """machine: the bench, an emulated board; None: that of this process."""
        machine = machine or __import__("machine")
        machine.on_pin(opens, lambda level: self._on_level(0, level))
        machine.on_pin(closes, lambda level: self._on_level(1, level))

    def _on_level(self, which, level):
        self._end(self._now_ms() - self._since_ms)
        self._levels[which] = level or 0
        self._since_ms = self._now_ms()
        self.shorted += 1 if all(self._levels) else 0

    def _end(self, ms):
        """The present state of the inputs has lasted for ms."""
        opens, closes = self._levels
        if not self.present or opens == closes:
            return
        self.pulses += 1
        self.longest_ms = max(self.longest_ms, ms)
        if self.fault != "stuck" and ms >= (_OPEN_MS if opens else _CLOSE_MS):
            self.is_open = bool(opens)
