"""Decoder of MQTT 5 packets: what a server may send to a client, as tuples.

    (CONNACK, session_present: bool, code, properties: dict)
    (PUBLISH, topic: str, payload: bytes, qos, retain: bool, dup: bool, packet_id, properties)
    (PUBACK | PUBREC | PUBREL | PUBCOMP, packet_id, code, properties)
    (SUBACK | UNSUBACK, packet_id, codes: bytes, properties)
    (PINGRESP,)
    (DISCONNECT, code, properties)

properties: dict of mqtt5_props or None. Topic aliases are resolved here. A packet larger than the
buffer breaks the protocol: CONNECT named that size. Source: OASIS MQTT 5.0, section 3.
"""

from . import mqtt5_props as props
from . import mqtt_codec as codec
from .mqtt_codec import broken, need

# Reason codes that a server may send in each packet, 2.4
_CODES = {
    codec.CONNACK: b"\0\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8c\x90\x95\x97\x99\x9a\x9b"
    b"\x9c\x9d\x9f",
    codec.PUBACK: b"\0\x10\x80\x83\x87\x90\x91\x97\x99",
    codec.PUBREC: b"\0\x10\x80\x83\x87\x90\x91\x97\x99",
    codec.PUBREL: b"\0\x92",
    codec.PUBCOMP: b"\0\x92",
    codec.SUBACK: b"\0\1\2\x80\x83\x87\x8f\x91\x97\x9e\xa1\xa2",
    codec.UNSUBACK: b"\0\x11\x80\x83\x87\x8f\x91",
    codec.DISCONNECT: b"\0\x80\x81\x82\x83\x87\x89\x8b\x8d\x8e\x8f\x90\x93\x94\x95\x96\x97\x98\x99"
    b"\x9a\x9b\x9c\x9d\x9e\x9f\xa0\xa1\xa2",
}


def _read_code(kind, code):
    if code not in _CODES[kind]:
        raise broken("reason code 0x%02x in packet type %d" % (code, kind), 0x82)
    return code


def _properties(body, at, place):
    """The properties that end the packet."""
    found, at = props.decode(body, at, place)
    need(at == len(body), "bytes behind the properties")
    return found


def _connack(kind, flags, body):
    if len(body) == 2:  # a broker of 3.1.1 answers in its own words
        need(not body[0] and body[1], "CONNACK without properties")
        return (kind, False, 0x84 if body[1] == 1 else 0x80, {})
    need(len(body) > 2 and body[0] <= 1, "bad CONNACK")
    need(not (body[0] and body[1]), "session present on a refusal", 0x82)
    found = _properties(body, 2, props.CONNACK) or {}
    return (kind, bool(body[0]), _read_code(kind, body[1]), found)


def _ack(kind, flags, body):
    size = len(body)
    need(size >= 2, "packet cut off")
    if size == 2:
        return (kind, codec.read_id(body, 0), 0, None)
    code = _read_code(kind, body[2])
    found = _properties(body, 3, props.ACK) if size > 3 else None
    return (kind, codec.read_id(body, 0), code, found)


def _suback(kind, flags, body):
    need(len(body) >= 4, "packet cut off")
    found, at = props.decode(body, 2, props.SUBACK)
    codes = bytes(body[at:])
    need(codes, "no reason code")
    for code in codes:
        _read_code(kind, code)
    return (kind, codec.read_id(body, 0), codes, found)


def _disconnect(kind, flags, body):
    code = _read_code(kind, body[0]) if body else 0
    found = _properties(body, 1, props.DISCONNECT) if len(body) > 1 else None
    return (kind, code, found)


def _pingresp(kind, flags, body):
    need(not len(body), "PINGRESP with a body")
    return (kind,)


_DECODERS = {
    codec.CONNACK: _connack,
    codec.PUBACK: _ack,
    codec.PUBREC: _ack,
    codec.PUBREL: _ack,
    codec.PUBCOMP: _ack,
    codec.SUBACK: _suback,
    codec.UNSUBACK: _suback,
    codec.PINGRESP: _pingresp,
    codec.DISCONNECT: _disconnect,
}


class Parser(codec.Parser):
    """mqtt_codec.Parser for MQTT 5. alias_max: topic aliases that CONNECT allowed."""

    alias_max = 0

    def reset(self):
        super().reset()
        self._aliases = {}  # they hold for one connection

    def check(self, first, length, total):
        kind = first >> 4
        if kind not in _DECODERS and kind != codec.PUBLISH:
            raise broken("packet type %d" % kind, 0x82)
        self.check_flags(kind, first & 0x0F)
        digits = total - length - 1
        need(digits == 1 or length >> 7 * (digits - 1), "length with needless bytes")
        if total > len(self._view):
            raise broken("packet of %d bytes" % total, 0x95)

    def decode(self, first, body):
        kind, flags = first >> 4, first & 0x0F
        if kind == codec.PUBLISH:
            return self._publish(flags, body)
        return _DECODERS[kind](kind, flags, body)

    def _publish(self, flags, body):
        topic, qos, packet_id, at = codec.publish_head(flags, body)
        found, at = props.decode(body, at, props.PUBLISH)
        alias = found.pop("topic_alias", 0) if found else 0
        topic = self._topic(topic, alias)
        retain, dup = bool(flags & 1), bool(flags & 8)
        payload = bytes(body[at:])
        return (codec.PUBLISH, topic, payload, qos, retain, dup, packet_id, found or None)

    def _topic(self, topic, alias):
        if alias > self.alias_max:
            raise broken("topic alias %d, at most %d" % (alias, self.alias_max), 0x94)
        if topic and alias:
            self._aliases[alias] = topic
        topic = topic or self._aliases.get(alias)
        need(topic, "no topic and no alias known", 0x82)
        return topic
