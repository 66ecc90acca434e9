"""What an MQTT client knows of its session, without sockets: packets in flight, and silence.

One file for both: each module costs a node some hundred bytes of heap.
"""

import time


class Inflight:
    """At most `limit` packets, oldest first; ids wrap at 65535 and skip those in use."""

    def __init__(self, limit=8):
        self.limit = limit
        self._packets = []  # [(packet id, PUBLISH or PUBREL)], in the order of the first sending
        self._reserved = set()  # ids of SUBSCRIBE and UNSUBSCRIBE under way
        self._last_id = 0

    def __len__(self):
        return len(self._packets)

    @property
    def full(self):
        return len(self._packets) >= self.limit

    def new_id(self):
        """The next id from 1..65535 that nothing uses; ids under way are far fewer than that."""
        while True:
            self._last_id = self._last_id % 65535 + 1
            if not self.in_use(self._last_id):
                return self._last_id

    def in_use(self, packet_id):
        return packet_id in self._reserved or self._at(packet_id) is not None

    def reserve(self):
        """A new id that stays in use until release()."""
        packet_id = self.new_id()
        self._reserved.add(packet_id)
        return packet_id

    def release(self, packet_id):
        self._reserved.discard(packet_id)

    def add(self, packet_id, packet):
        """Keep an encoded PUBLISH (bytearray) until acked(); the caller checked `full`."""
        self._packets.append((packet_id, packet))

    def due(self, packet_id):
        """The packet type that the broker owes: PUBACK, PUBREC, PUBCOMP; None if not in flight."""
        at = self._at(packet_id)
        if at is None:
            return None
        first = self._packets[at][1][0]
        return 7 if first >> 4 == 6 else 3 + (first >> 1 & 3)

    def replace(self, packet_id, pubrel):
        """PUBREC came: the PUBREL takes the place of the PUBLISH."""
        self._packets[self._at(packet_id)] = (packet_id, pubrel)

    def acked(self, packet_id):
        """Forget the packet; False if its id is not in flight (a late or stray PUBACK)."""
        at = self._at(packet_id)
        if at is None:
            return False
        self._packets.pop(at)
        return True

    def _at(self, packet_id):
        packets = self._packets
        for i in range(len(packets)):  # enumerate() would cost a tuple each
            if packets[i][0] == packet_id:
                return i
        return None

    def packets(self):
        """[(packet id, packet)], oldest first: in this order they go out again (MQTT-4.6.0-1)."""
        return list(self._packets)


class KeepAlive:
    """When to ping, and when a peer counts as dead. All times in milliseconds of time.ticks_ms().

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
