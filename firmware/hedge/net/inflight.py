"""Packet ids, and the messages out that the broker has not yet acknowledged to the end."""

PUBACK_DUE = 1  # QoS 1
PUBREC_DUE = 2  # QoS 2, first half
PUBCOMP_DUE = 3  # QoS 2, second half: a PUBREL stands in the place of the PUBLISH


class Inflight:
    """At most `limit` packets, oldest first; ids wrap at 65535 and skip those in use.

    session: mqtt_session.Session that keeps the packets over a restart, or None.
    """

    def __init__(self, limit=8, session=None):
        self.limit = limit
        self._packets = []  # [(packet id, PUBLISH or PUBREL)], in the order of the first sending
        self._reserved = set()  # ids of SUBSCRIBE and UNSUBSCRIBE under way
        self._last_id = 0
        self._session = session

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
        """Keep an encoded PUBLISH (bytearray) until acked(); the caller checked `full`.

        With a session it is durable once this returns. Raises StoreError if it is not; then it
        is not in flight.
        """
        self._packets.append((packet_id, packet))
        if self._session:
            self._keep(packet_id, packet)

    def _keep(self, packet_id, packet):
        try:
            self._session.put(packet_id, packet, self.ids())
        except Exception:
            self._packets.pop()
            self._session.drop(packet_id, self.ids())
            raise

    def restore(self, packet_id, packet):
        """Take back what a session kept."""
        self._packets.append((packet_id, packet))
        self._last_id = packet_id

    def due(self, packet_id):
        """Which acknowledgement the broker owes: *_DUE, or None if the id is not in flight."""
        at = self._at(packet_id)
        if at is None:
            return None
        first = self._packets[at][1][0]
        return PUBCOMP_DUE if first >> 4 == 6 else first >> 1 & 3

    def released(self, packet_id, pubrel):
        """PUBREC came: pubrel takes the place of the PUBLISH. With a session, durably."""
        self._packets[self._at(packet_id)] = (packet_id, pubrel)
        if self._session:
            self._session.put(packet_id, pubrel, self.ids())

    def acked(self, packet_id):
        """Forget the packet; False if its id is not in flight (a late or stray PUBACK)."""
        at = self._at(packet_id)
        if at is None:
            return False
        self._packets.pop(at)
        if self._session:
            self._session.drop(packet_id, self.ids())
        return True

    def _at(self, packet_id):
        for i, entry in enumerate(self._packets):
            if entry[0] == packet_id:
                return i
        return None

    def ids(self):
        """Oldest first; this order must hold when sent again (MQTT-4.6.0-1)."""
        return [packet_id for packet_id, _ in self._packets]

    def packet(self, packet_id):
        """The encoded packet, None if its id is not in flight."""
        at = self._at(packet_id)
        return None if at is None else self._packets[at][1]

    def forget(self, keep_messages):
        """The broker lost the session: PUBRELs are void, messages too unless keep_messages."""
        for packet_id in self.ids():
            if not keep_messages or self.due(packet_id) == PUBCOMP_DUE:
                self.acked(packet_id)
