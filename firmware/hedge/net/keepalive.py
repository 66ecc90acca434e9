"""When to ping, and when a peer counts as dead. Pure: the time is passed in."""

import time


class KeepAlive:
    """All times in milliseconds of time.ticks_ms().

    keepalive_ms: what CONNECT promised, 0 for none: a ping goes out after 3/4 of it without a
    sent packet. timeout_ms: a peer that owes an answer and is silent for this long gets a ping
    (after half of it) and counts as dead if the ping stays without any byte for timeout_ms.
    """

    def __init__(self, keepalive_ms, timeout_ms):
        self._idle_ms = keepalive_ms * 3 // 4
        self._timeout_ms = timeout_ms
        self.start(0)

    def start(self, now_ms):
        """A session begins."""
        self._sent_ms = self._heard_ms = now_ms
        self._ping_ms = None

    def sent(self, now_ms):
        self._sent_ms = now_ms

    def heard(self, now_ms):
        """Bytes came in: the peer lives, whatever they were."""
        self._heard_ms = now_ms
        self._ping_ms = None

    def pinged(self, now_ms):
        self._sent_ms = self._ping_ms = now_ms

    def is_dead(self, now_ms):
        waiting = self._ping_ms is not None
        return waiting and time.ticks_diff(now_ms, self._ping_ms) >= self._timeout_ms

    def should_ping(self, now_ms, owed):
        """owed: the peer still owes an acknowledgement."""
        if self._ping_ms is not None:
            return False
        if self._idle_ms and time.ticks_diff(now_ms, self._sent_ms) >= self._idle_ms:
            return True
        return owed and time.ticks_diff(now_ms, self._heard_ms) >= self._timeout_ms // 2

    def check_every_ms(self):
        """How often to ask the two questions above."""
        quarter_ms = self._timeout_ms // 4
        return min(quarter_ms, self._idle_ms // 3) if self._idle_ms else quarter_ms
