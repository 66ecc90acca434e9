"""An MQTT session's own half, kept over restarts in a key-value file. Bytes: MQTT_SPEC.md.

    kv = KV("/log/mqtt.kv")
    client = Client(Tcp("192.168.1.2").open, "bed-3", session=Session(kv))

Kept: messages of QoS 1 and 2 in flight, with their packet ids; which of QoS 2 the broker has
(PUBREL); which of QoS 2 came in and were handed over. Saved before the packet leaves that
promises it; what only saves a repetition (PUBACK, PUBCOMP) is saved with the next.

The handler may keep its own data in the same KV: its save(), or ours after it returned, then holds
both the data and that the message is done, or neither. So QoS 2 is exactly once over power cuts.
"""

from ..core import log
from . import mqtt_codec as codec
from .mqtt_state import Inflight


class Session:
    """kv: store.KV, opened, or anything with get, set, delete, save. prefix: of its keys."""

    def __init__(self, kv, prefix="mqtt."):
        self._kv = kv
        self._prefix = prefix
        self.known = None  # the client id under which the broker once had a session

    def open(self, client_id, wire, max_inflight):
        """(client id to use, Inflight with what was kept).

        What was kept under another client id is of no use, and dropped. An empty client_id takes
        the one that the broker assigned before.
        """
        self.known = self._get("client", None)
        if client_id and self.known not in (None, client_id):
            log.warn("mqtt", "session of client id %s dropped", self.known)
            self._forget()
        inflight = KeptInflight(max_inflight, self)
        version = self._get("version", wire.VERSION)
        for packet_id in self._get("out", ()):
            inflight.restore(packet_id, self._packet(packet_id, version, wire))
        self._set("version", wire.VERSION)
        return client_id or self.known or "", inflight

    def _packet(self, packet_id, version, wire):
        packet = bytearray(self._get("%d" % packet_id, b""))
        if version == wire.VERSION or packet[0] >> 4 != codec.PUBLISH:
            return packet
        again = _recoded(packet, version, wire)
        self._set("%d" % packet_id, bytes(again))
        return again

    def _forget(self):
        for packet_id in self._get("out", ()):
            self._kv.delete("%s%d" % (self._prefix, packet_id))
        for key in ("out", "in", "version", "client"):
            self._kv.delete(self._prefix + key)
        self.known = None

    def received(self):
        """Packet ids of the QoS 2 messages handed over whose PUBREL has not come."""
        return self._get("in", ())

    def begin(self, client_id, present):
        """A session is open: from now on the broker may know this client id."""
        if not present:
            self.receive(())
        self._set("client", client_id)
        self.known = client_id
        self.save()

    def put(self, packet_id, packet, ids):
        """Keep a packet; ids: all in flight, in order. Durable on return, else StoreError."""
        self._set("%d" % packet_id, bytes(packet))
        self._set("out", list(ids))
        self.save()

    def drop(self, packet_id, ids):
        """Forget a packet with the next save()."""
        self._kv.delete("%s%d" % (self._prefix, packet_id))
        self._set("out", list(ids))

    def receive(self, ids):
        """Note the QoS 2 messages in hand, with the next save()."""
        self._set("in", sorted(ids))

    def save(self):
        self._kv.save()

    def _get(self, key, default):
        return self._kv.get(self._prefix + key, default)

    def _set(self, key, value):
        self._kv.set(self._prefix + key, value)


class KeptInflight(Inflight):
    """Inflight whose packets are in a session's file too."""

    def __init__(self, limit, session):
        super().__init__(limit)
        self._session = session

    def restore(self, packet_id, packet):
        """Take back what the session kept."""
        self._packets.append((packet_id, packet))
        self._last_id = packet_id

    def add(self, packet_id, packet):
        """Durable once this returns. Raises StoreError if it is not; then it is not in flight."""
        super().add(packet_id, packet)
        try:
            self._session.put(packet_id, packet, self._ids())
        except Exception:  # whatever it was, a MemoryError too: what is not kept is not in flight
            self.acked(packet_id)
            raise

    def replace(self, packet_id, pubrel):
        """Durable once this returns."""
        super().replace(packet_id, pubrel)
        self._session.put(packet_id, pubrel, self._ids())

    def acked(self, packet_id):
        """With the next save; until then a restart repeats what the broker answers again."""
        known = super().acked(packet_id)
        if known:
            self._session.drop(packet_id, self._ids())
        return known

    def _ids(self):
        return [packet_id for packet_id, _ in self._packets]


def _recoded(packet, version, wire):
    """The same PUBLISH for another MQTT version; properties stay behind."""
    if version == 5:
        from .mqtt5_codec import Parser
    else:
        from .mqtt_codec import Parser
    parser = Parser(len(packet))
    parser.space()[: len(packet)] = packet
    parser.feed(len(packet))
    found = parser.next()
    return wire.publish(found[1], found[2], found[3], found[4], found[6])
