"""MQTT 5 for mqtt.Client: the functions of mqtt_codec, and what one connection agreed on.

    client = Client(Tcp("192.168.1.2", 1883).open, "bed-3", version=5, session_expiry_s=86400)
    await client.publish("bed-3/vwc", b"23.4", 1, properties={"message_expiry_s": 3600})

Properties are dicts, see mqtt5_props. What the broker set in CONNACK is Client.told; it is
followed: receive maximum, QoS, retain, packet size, topic aliases, keep-alive, client id.
Source: OASIS MQTT 5.0; section numbers below.
"""

import asyncio

from ..core import log
from ..core.errors import LinkError
from . import mqtt5_props as props
from . import mqtt_codec as codec
from .mqtt5_codec import Parser as _Parser

_GOODBYE_MS = 1000  # how long a DISCONNECT may take to leave
_FOREVER_S = 0xFFFFFFFF  # session expiry: never


class Wire:
    """Options that Client takes with version=5:

    session_expiry_s: how long the broker keeps the session after the connection has gone; None is
        for ever, or 0 with clean_session.
    receive_max: messages of QoS 1 and 2 that the broker may have on the way to us.
    topic_aliases: topics out that get an alias, at most as many as the broker takes.
    topic_alias_max: aliases that the broker may use; each holds a topic in RAM.
    properties: others of CONNECT. will_properties: will_delay_s, message_expiry_s, ...
    """

    VERSION = 5

    def __init__(
        self,
        max_packet_bytes,
        clean_session=False,
        session_expiry_s=None,
        receive_max=16,
        topic_aliases=4,
        topic_alias_max=0,
        properties=None,
        will_properties=None,
    ):
        if session_expiry_s is None:
            session_expiry_s = 0 if clean_session else _FOREVER_S
        self.receive_max = receive_max
        self._asked = dict(properties or {})
        self._asked["session_expiry_s"] = session_expiry_s
        self._asked["receive_max"] = receive_max
        self._asked["max_packet_bytes"] = max_packet_bytes
        if topic_alias_max:
            self._asked["topic_alias_max"] = topic_alias_max
        self._will_properties = will_properties
        self._topic_aliases = topic_aliases
        self._alias_max = topic_alias_max
        self._forget()

    def _forget(self):
        """The limits of a connection that has not been answered."""
        self._aliases = {}  # topic's bytes -> alias, those that the broker was told
        self.set_limits({})

    def set_limits(self, told):
        """What the broker set in CONNACK."""
        self._told = told
        self._max_qos = told.get("max_qos", 2)
        self._retain = told.get("retain_available", True)
        self._max_bytes = told.get("max_packet_bytes", 0x10000000)
        self._most_aliases = min(self._topic_aliases, told.get("topic_alias_max", 0))

    def Parser(self, max_packet_bytes):  # in the place of mqtt_codec.Parser
        parser = _Parser(max_packet_bytes)
        parser.alias_max = self._alias_max
        return parser

    def connect(self, client_id, keepalive_s, clean, will, user, password):
        self._forget()
        more = props.encode(self._asked, props.CONNECT)
        last = props.encode(self._will_properties, props.WILL)
        return codec.connect(
            client_id, keepalive_s, clean, will, user, password, self.VERSION, more, last
        )

    def refusal(self, code, told=None):
        """A reason code in words, with what the broker says about it in its properties."""
        from .mqtt5_reasons import name

        said = [told[key] for key in ("reason_string", "server_reference") if key in (told or {})]
        return ": ".join([name(code)] + said)

    async def complain(self, code, write):
        """Tell the broker what it did wrong (4.13), if it still listens."""
        try:
            await asyncio.wait_for_ms(write(self.disconnect(code)), _GOODBYE_MS)
        except (LinkError, OSError, asyncio.TimeoutError) as e:
            log.debug("mqtt", "complaint did not leave: %r", e)

    def publish(self, topic, payload, qos=0, retain=False, packet_id=0, properties=None):
        """As codec.publish. What is kept must fit without an alias: it outlives those."""
        if qos > self._max_qos:
            raise LinkError("broker takes QoS up to %d, not %d" % (self._max_qos, qos))
        if retain and not self._retain:
            raise LinkError("broker does not retain messages")
        more = props.encode(properties, props.PUBLISH)
        packet = codec.publish(topic, payload, qos, retain, packet_id, more)
        if qos and len(packet) > self._max_bytes:
            raise self._too_large(packet)
        return packet

    def _too_large(self, packet):
        text = "broker takes packets up to %d bytes, not %d"
        return LinkError(text % (self._max_bytes, len(packet)))

    def takes(self, packet):
        """May an encoded PUBLISH or PUBREL go out? Limits change from connection to connection."""
        if len(packet) > self._max_bytes:
            return False
        first = packet[0]  # of PUBREL too: 0x62, as if it were QoS 1 without retain
        return (first >> 1 & 3) <= self._max_qos and (self._retain or not first & 1)

    def outgoing(self, packet):
        """A packet as it is written now: a PUBLISH with an alias where it can have one.

        Raises LinkError for one that the broker does not take (MQTT-3.2.2-15).
        """
        if self._most_aliases and packet[0] & 0xF8 == codec.PUBLISH << 4:  # DUP: as it is kept
            packet = self._aliased(packet)
        if len(packet) > self._max_bytes:
            raise self._too_large(packet)
        return packet

    def _aliased(self, packet):
        """3.3.2.3.4: beside the topic the first time, in its place from then on.

        Not before the packet is written: one that never leaves makes no alias known.
        """
        body = memoryview(packet)[props.read_varint(packet, 1)[1] :]
        end = 2 + (body[0] << 8 | body[1])
        topic, qos = bytes(body[2:end]), packet[0] >> 1 & 3
        known = self._aliases.get(topic)
        alias = known or len(self._aliases) + 1
        if alias > self._most_aliases:
            return packet
        packet_id = body[end] << 8 | body[end + 1] if qos else 0
        more, at = props.with_alias(body, end + 2 if qos else end, alias)
        name = b"" if known else topic
        other = codec.publish(name, body[at:], qos, packet[0] & 1, packet_id, more)
        if len(other) > self._max_bytes:
            return packet
        self._aliases[topic] = alias
        return other

    def ack(self, kind, packet_id, code=0):
        """PUBACK, PUBREC, PUBREL or PUBCOMP."""
        if not code:
            return codec.ack(kind, packet_id)
        return codec.packet(
            kind << 4 | (2 if kind == codec.PUBREL else 0),
            codec.id_bytes(packet_id) + bytes((code,)),
        )

    def subscribe(
        self,
        packet_id,
        topic,
        qos,
        no_local=False,
        as_published=False,
        retained=0,
        properties=None,
    ):
        """3.8.3.1: no_local: not our own; as_published: retain as it was sent; retained: messages
        sent at once: 0 always, 1 if the subscription is new, 2 never."""
        if retained not in (0, 1, 2):
            raise ValueError("mqtt: retained is %r, not 0, 1 or 2" % (retained,))
        shared = topic.startswith("$share/")
        if shared:
            _check_shared(topic, no_local)
        self._need("shared_available", "shared subscriptions", shared)
        self._need("wildcard_available", "wildcards", "+" in topic or "#" in topic)
        ids = "subscription_id" in (properties or ())
        self._need("subscription_ids_available", "subscription ids", ids)
        options = qos | no_local << 2 | as_published << 3 | retained << 4
        head = codec.id_bytes(packet_id) + props.encode(properties, props.SUBSCRIBE)
        body = head + codec.string(topic) + bytes((options,))
        return codec.packet(codec.SUBSCRIBE << 4 | 2, body)

    def _need(self, term, what, used):
        """3.2.2.3.11 to 13: a broker without them ends the session of who asks for them."""
        if used and not self._told.get(term, True):
            raise LinkError("broker has no " + what)

    def unsubscribe(self, packet_id, topic):
        body = codec.id_bytes(packet_id) + b"\0" + codec.string(topic)
        return codec.packet(codec.UNSUBSCRIBE << 4 | 2, body)

    def disconnect(self, code=0, properties=None):
        if not self._asked["session_expiry_s"] and (properties or {}).get("session_expiry_s"):
            raise ValueError("mqtt: session_expiry_s in DISCONNECT where CONNECT had 0")
        more = props.encode(properties, props.DISCONNECT)
        return codec.packet(codec.DISCONNECT << 4, bytes((code,)) + more)


def _check_shared(topic, no_local):
    """ValueError for what is no shared subscription, 4.8.2: $share/name/filter."""
    parts = topic.split("/", 2)
    name = parts[1]
    if len(parts) < 3 or not name or not parts[2] or "+" in name or "#" in name:
        raise ValueError("mqtt: topic filter %r, not $share/name/filter" % topic)
    if no_local:  # MQTT-3.8.3-4
        raise ValueError("mqtt: no_local of a shared subscription")
