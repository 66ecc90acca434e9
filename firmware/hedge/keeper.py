"""What of a node outlives a reset: rule and actuator limits, model history and scores.

Kept in one small key-value file (hedge.store.KV). A file that cannot be written is told once and
tried again; a file that is damaged or of another version is left out.
"""

from .core import clock, log
from .core.errors import HedgeError, StoreError

_SAVE_S = 3600  # besides each decision: at most this much of the day's statistics can be lost


class Keeper:
    """state: KV or None. on_fault(name, error): called when saving begins to fail."""

    def __init__(self, state, on_fault):
        self._state = state
        self._on_fault = on_fault
        self._saved_s = 0
        self._failing = False

    def is_due(self, now_s):
        return now_s - self._saved_s >= _SAVE_S

    def save(self, control, now_s):
        """Never raises."""
        self._saved_s = now_s
        if self._state is None:
            return
        try:
            self._state.set("rules", control.controller.state(now_s))
            self._state.set("epoch_s", clock.epoch_s())
            if control.model:
                self._state.delete("model")  # first: the new one may find no other room
                self._state.set("model", control.model.state())
            self._state.save()
            self._failing = False
        except (StoreError, MemoryError) as error:
            if not self._failing:
                log.warn("node", "state not saved: %r", error)
                self._on_fault("state", error)
            self._failing = True

    def restore(self, control, now_s):
        """Take back the last save, aged by the time that is known to have passed since."""
        if self._state is None or self._state.get("rules") is None:
            return
        try:
            control.controller.restore(self._state.get("rules"), now_s, self._away_s())
            if control.model and self._state.get("model"):
                control.model.restore(self._state.get("model"))
        except (KeyError, TypeError, IndexError, ValueError, HedgeError) as error:
            log.warn("node", "state of another version, starting anew: %r", error)

    def _away_s(self):
        saved_s, now_s = self._state.get("epoch_s", 0), clock.epoch_s()
        return max(now_s - saved_s, 0) if saved_s and now_s else 0
