"""Simulated relay with a pump: listens to a pin, keeps account of runs and water.

    pump = Pump(now_ms, litres_per_min=10)
    machine.on_pin(15, pump.on_level)
    ...
    bed.irrigate(pump.take_litres())

Time on and litres grow with now_ms, also while it runs. on_litres(litres), if given, is called at
each switch-off with the litres since the last take_litres().

Faults: "welded" (contacts never open once closed), "dead" (never runs), "dry" (runs, no water).
"""

from .chip import Chip

_KEPT_RUNS = 64


class Pump(Chip):
    """Listener for machine.on_pin: on_level(level)."""

    FAULTS = ("welded", "dead", "dry")

    def __init__(self, now_ms, litres_per_min=10.0, active_high=True, on_litres=None):
        Chip.__init__(self)
        self._now_ms = now_ms
        self._litres_per_ms = litres_per_min / 60000
        self._on_level = 1 if active_high else 0
        self._on_litres = on_litres
        self._since_ms = None  # start of the present run
        self._counted_ms = 0  # up to here its time is in the totals
        self._litres = 0.0  # since the last take_litres
        self.starts = 0
        self.runs = []  # (on, off) in ms, the last 64
        self.longest_ms = 0
        self._total_ms = 0
        self._total_litres = 0.0

    @property
    def is_on(self):
        return self._since_ms is not None

    def on_level(self, level):
        """Level of the pin, None while the board does not drive it: then the relay is off."""
        wanted = level == self._on_level and self.present and self.fault != "dead"
        if wanted and not self.is_on:
            self._since_ms = self._counted_ms = self._now_ms()
            self.starts += 1
        elif not wanted and self.is_on and self.fault != "welded":
            self._stop()

    def total_on_ms(self):
        """Time on up to now, the present run included."""
        self._advance()
        return self._total_ms

    def total_litres(self):
        """Water delivered up to now."""
        self._advance()
        return self._total_litres

    def take_litres(self):
        """Litres delivered since the last call."""
        self._advance()
        litres, self._litres = self._litres, 0.0
        return litres

    def _advance(self):
        if not self.is_on:
            return
        now_ms = self._now_ms()
        step_ms = now_ms - self._counted_ms
        self._counted_ms = now_ms
        self._total_ms += step_ms
        litres = 0.0 if self.fault == "dry" else step_ms * self._litres_per_ms
        self._litres += litres
        self._total_litres += litres

    def _stop(self):
        self._advance()
        since_ms, self._since_ms = self._since_ms, None
        self.longest_ms = max(self.longest_ms, self._counted_ms - since_ms)
        self.runs.append((since_ms, self._counted_ms))
        del self.runs[:-_KEPT_RUNS]
        if self._on_litres:
            self._on_litres(self.take_litres())
