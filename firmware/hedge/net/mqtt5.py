"""MQTT 5 for mqtt.Client: the functions of mqtt_codec, and what one connection agreed on.

    client = Client(Tcp("192.168.1.2", 1883).open, "bed-3", version=5, session_expiry_s=86400)
    await client.publish("bed-3/vwc", b"23.4", 1, properties={"message_expiry_s": 3600})

Properties are dicts, see mqtt5_props. What the broker set in CONNACK is Client.told; it is
followed: receive maximum, QoS, retain, packet size, topic aliases, keep-alive, client id.
Source: OASIS MQTT 5.0; section numbers below.
"""

from ..core.errors import LinkError
from . import mqtt5_props as props
from . import mqtt_codec as codec
from .mqtt5_codec import Parser as _Parser

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
        self._told = {}
        self._aliases = {}  # topic -> alias

    def Parser(self, max_packet_bytes):  # in the place of mqtt_codec.Parser
        parser = _Parser(max_packet_bytes)
        parser.alias_max = self._alias_max
        return parser

    def connect(self, client_id, keepalive_s, clean, will, user, password):
        self._forget()
        more = props.encode(self._asked, props.CONNECT)
        last = props.encode(self._will_properties, props.WILL)
        return codec.connect_packet(
            5, client_id, keepalive_s, clean, will, user, password, more, last
        )

    def welcome(self, connack):
        """What the broker set, a dict. Raises LinkError if it refused."""
        _, _, code, told = connack
        if code:
            raise LinkError("broker refused: " + self.reason(connack[1:]))
        self._told = told
        return told

    def refusal(self, code):
        """A reason code in words."""
        from .mqtt5_reasons import name

        return name(code)

    def reason(self, packet):
        """The reason of a packet (.., code, properties), with what the broker says about it."""
        _, code, told = packet
        told = told or {}
        said = [told[key] for key in ("reason_string", "server_reference") if key in told]
        return ": ".join([self.refusal(code)] + said)

    def publish(self, topic, payload, qos=0, retain=False, packet_id=0, properties=None):
        """As codec.publish. At QoS 0 with an alias; others are kept, and outlive aliases."""
        self._allowed("max_qos", qos, 2, "QoS")
        self._allowed("retain_available", int(retain), 1, "retain")
        head = (topic, properties) if qos else self._alias(topic, properties)
        packet = self._publish(head, payload, qos, retain, packet_id)
        self._allowed("max_packet_bytes", len(packet), len(packet), "packets of bytes")
        return packet

    def _publish(self, head, payload, qos, retain, packet_id):
        more = props.encode(head[1], props.PUBLISH)
        return codec.publish_packet(head[0], payload, qos, retain, packet_id, more)

    def _allowed(self, name, value, default, what):
        most = self._told.get(name, default)
        if value > most:
            raise LinkError("broker takes %s up to %d, not %d" % (what, most, value))

    def shortened(self, packet, topic, payload, properties):
        """A kept PUBLISH as it goes out the first time: with an alias where there is one."""
        head = self._alias(topic, properties)
        if head[0] == topic and head[1] is properties:
            return packet
        flags = packet[0]
        return self._publish(head, payload, flags >> 1 & 3, flags & 1, _id_of(packet))

    def _alias(self, topic, properties):
        """(topic, properties) with an alias in the topic's place from its second time on."""
        alias = self._aliases.get(topic)
        known = alias is not None
        if not known:
            most = min(self._topic_aliases, self._told.get("topic_alias_max", 0))
            if len(self._aliases) >= most:
                return topic, properties
            alias = self._aliases[topic] = len(self._aliases) + 1
        properties = dict(properties or {})
        properties["topic_alias"] = alias
        return "" if known else topic, properties

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
        options = qos | no_local << 2 | as_published << 3 | retained << 4
        head = codec.id_bytes(packet_id) + props.encode(properties, props.SUBSCRIBE)
        body = head + codec.string(topic) + bytes((options,))
        return codec.packet(codec.SUBSCRIBE << 4 | 2, body)

    def unsubscribe(self, packet_id, topic):
        body = codec.id_bytes(packet_id) + b"\0" + codec.string(topic)
        return codec.packet(codec.UNSUBSCRIBE << 4 | 2, body)

    def disconnect(self, code=0, properties=None):
        if not code and not properties:
            return codec.DISCONNECT_PACKET
        more = props.encode(properties, props.DISCONNECT)
        return codec.packet(codec.DISCONNECT << 4, bytes((code,)) + more)


def _id_of(packet):
    """The packet id of an encoded PUBLISH of QoS 1 or 2."""
    at = 1
    while packet[at] & 0x80:
        at += 1
    at += 3 + (packet[at + 1] << 8 | packet[at + 2])
    return packet[at] << 8 | packet[at + 1]
