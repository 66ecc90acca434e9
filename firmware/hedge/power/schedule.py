"""When a sleeping node connects: every so often, and at once for events if asked to.

Pure: times are the node's own seconds, which only run forward.
"""

_MOST_DOUBLINGS = 6


class Schedule:
    """every_s: between sessions. on_events: an event does not wait. retry_s: after a session that
    did not get everything away, doubling with each one up to every_s."""

    def __init__(self, every_s, on_events, retry_s):
        self._every_s = every_s
        self._on_events = on_events
        self._retry_s = retry_s
        self._next_s = 0
        self.failures = 0  # sessions in a row

    def due(self, now_s, pending, events):
        """True if a session should begin now. pending, events: records and events waiting."""
        if not pending:
            return False
        if now_s >= self._next_s:
            return True
        return bool(self._on_events and events and not self.failures)

    def done(self, now_s, is_all_away):
        """A session has ended."""
        if is_all_away:
            self.failures = 0
            self._next_s = now_s + self._every_s
            return
        wait_s = self._retry_s << min(self.failures, _MOST_DOUBLINGS)
        self.failures += 1
        self._next_s = now_s + min(wait_s, self._every_s)

    def state(self):
        """For the ticket of a deep sleep."""
        return [self._next_s, self.failures]

    def restore(self, state):
        self._next_s, self.failures = state
