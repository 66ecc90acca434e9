"""What QoS 2 adds to mqtt.Client, both ways; imported when the first of its packets comes.

MQTT 3.1.1 and 5.0, 4.3.3, "method A" for messages in: handed over at once, their ids remembered
until PUBREL.
"""

from . import mqtt_codec as codec

_RECEIVE_MAX = 64  # messages in that wait for PUBREL, in 3.1.1; MQTT 5 agrees on a number
_REFUSED = 0x80
_NOT_FOUND = 0x92  # packet identifier not found


class Qos2:
    """Handlers of PUBLISH at QoS 2, PUBREL and PUBREC: handlers[packet type](packet), to await.

    session: mqtt_session.Session or None. write(packet), hand_over(packet): async, of the Client.
    done(packet): a message out that needs no more.
    """

    def __init__(self, wire, inflight, session, write, hand_over, done):
        self._wire = wire
        self._inflight = inflight
        self._session = session
        self._write = write
        self._hand_over = hand_over
        self._done = done
        self._limit = wire.receive_max if wire.VERSION == 5 else _RECEIVE_MAX
        self._received = set(session.received() if session else ())
        self.handlers = {
            codec.PUBLISH: self._deliver,
            codec.PUBREL: self._complete,
            codec.PUBREC: self._release,
        }

    async def _deliver(self, packet):
        packet_id = packet[6]
        if packet_id not in self._received:
            await self._hand_over_once(packet, packet_id)
        await self._write(codec.ack(codec.PUBREC, packet_id))

    async def _hand_over_once(self, packet, packet_id):
        """The id is noted before: a handler that saves in the session's KV saves both at once."""
        if len(self._received) >= self._limit:
            raise codec.broken("more than %d QoS 2 messages unreleased" % self._limit, 0x93)
        self._received.add(packet_id)
        self._note(save=False)
        try:
            await self._hand_over(packet)
        except BaseException:
            self._received.discard(packet_id)
            self._note(save=False)
            raise
        self._note(save=True)

    def _note(self, save):
        if self._session:
            self._session.receive(self._received)
            if save:
                self._session.save()

    async def _complete(self, packet):
        """PUBREL: the broker has forgotten the message, and may use its id again."""
        packet_id = packet[1]
        known = packet_id in self._received
        if known:
            self._received.discard(packet_id)
            self._note(save=True)
        await self._write(self._wire.ack(codec.PUBCOMP, packet_id, 0 if known else _NOT_FOUND))

    async def _release(self, packet):
        """PUBREC: the broker has the message, or with a failure code will not have it."""
        packet_id = packet[1]
        due = self._inflight.due(packet_id)
        if due == codec.PUBACK:
            raise codec.broken("packet type %d where another was due" % packet[0], 0x82)
        if len(packet) > 2 and packet[2] >= _REFUSED:
            self._done(packet)
            return
        pubrel = self._wire.ack(codec.PUBREL, packet_id, 0 if due else _NOT_FOUND)
        if due == codec.PUBREC:
            self._inflight.replace(packet_id, pubrel)
        await self._write(pubrel)
