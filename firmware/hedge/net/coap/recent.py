"""Which messages came lately, and what was answered: none is obeyed twice (RFC 7252 4.5).

Bounded: past `limit` the oldest is forgotten, so under a flood a late duplicate may be new again.
"""

import time

LIFETIME_MS = 247000  # EXCHANGE_LIFETIME with the default parameters (4.8.2)


class Recent:
    """limit: messages remembered at a time; each holds its answer, a datagram."""

    def __init__(self, limit=16, lifetime_ms=LIFETIME_MS):
        self._limit = limit
        self._lifetime_ms = lifetime_ms
        self._entries = []  # oldest first

    def find(self, addr, mid):
        """The entry of that message, or None."""
        self._expire()
        for entry in self._entries:
            if entry.mid == mid and entry.addr == addr:
                return entry
        return None

    def add(self, addr, mid):
        """A new entry, without an answer yet."""
        if len(self._entries) >= self._limit:
            self._entries.pop(0)
        entry = _Entry(addr, mid, time.ticks_ms())
        self._entries.append(entry)
        return entry

    def _expire(self):
        now_ms = time.ticks_ms()
        while self._entries:
            age_ms = time.ticks_diff(now_ms, self._entries[0].at_ms)
            if 0 <= age_ms < self._lifetime_ms:  # below 0: past half the circle of ticks, days ago
                return
            self._entries.pop(0)


class _Entry:
    def __init__(self, addr, mid, at_ms):
        self.addr = addr
        self.mid = mid
        self.at_ms = at_ms
        self.answer = None  # datagram to send again when the message comes again
