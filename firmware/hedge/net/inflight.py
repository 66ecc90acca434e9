"""Packet ids, and the QoS 1 packets that the broker has not yet acknowledged."""


class Inflight:
    """At most `limit` packets, oldest first; ids wrap at 65535 and skip those in use."""

    def __init__(self, limit=8):
        self.limit = limit
        self._packets = []  # [(packet id, encoded PUBLISH)], in the order of the first sending
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
        return packet_id in self._reserved or any(i == packet_id for i, _ in self._packets)

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

    def acked(self, packet_id):
        """Forget the packet; False if its id is not in flight (a late or stray PUBACK)."""
        for i, entry in enumerate(self._packets):
            if entry[0] == packet_id:
                self._packets.pop(i)
                return True
        return False

    def packets(self):
        """The encoded packets, oldest first; order must hold when sent again (MQTT-4.6.0-1)."""
        return [packet for _, packet in self._packets]

    def clear(self):
        self._packets.clear()
