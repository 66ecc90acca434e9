"""MQTT 3.1.1 packets without sockets: values in, bytes out; bytes in, tuples out.

    sock.write(publish("hedge/bed-3/up", frame, qos=1, packet_id=7))
    parser = Parser(max_packet_bytes=1024)  # see mqtt_parser.py

Decoded packets (what a server may send to a client):

    (CONNACK, session_present: bool, code: int)
    (PUBLISH, topic: str, payload: bytes, qos, retain: bool, dup: bool, packet_id)  id 0 at QoS 0
    (PUBACK | PUBREC | PUBREL | PUBCOMP | UNSUBACK, packet_id)
    (SUBACK, packet_id, codes: bytes)
    (PINGRESP,)
    (OVERSIZED, total_bytes, qos, packet_id)  a PUBLISH larger than the parser's limit, drained

Source: OASIS MQTT 3.1.1; section numbers below. MQTT 5 differs in properties and reason codes:
mqtt5.py offers the same functions. What both share is public here.
"""

from ..core.errors import LinkError
from .mqtt_parser import PacketParser, need

VERSION = 4  # the protocol level that CONNECT names, 3.1.2.2

CONNECT = 1
CONNACK = 2
PUBLISH = 3
PUBACK = 4
PUBREC = 5
PUBREL = 6
PUBCOMP = 7
SUBSCRIBE = 8
SUBACK = 9
UNSUBSCRIBE = 10
UNSUBACK = 11
PINGREQ = 12
PINGRESP = 13
DISCONNECT = 14
OVERSIZED = 16  # ours: no packet type has this number

PINGREQ_PACKET = b"\xc0\x00"
DISCONNECT_PACKET = b"\xe0\x00"
SUBSCRIBE_FAILED = 0x80

_DUP = 0x08
_NAME = b"\x00\x04MQTT"  # 3.1.2.1
_REFUSALS = {  # 3.2.2.3; brokers answer a wrong password with either 4 or 5
    1: "protocol version not accepted",
    2: "client id not accepted",
    3: "server unavailable",
    4: "bad user name or password",
    5: "bad user name or password, or not authorized",
}


def refusal(code):
    """What a CONNACK code other than 0 means, in words."""
    return _REFUSALS.get(code, "code %d" % code)


# Encoding


def string(value):
    """str or bytes behind its length, 1.5.3."""
    data = value.encode() if isinstance(value, str) else value
    if len(data) > 65535:
        raise ValueError("mqtt: string of %d bytes, at most 65535" % len(data))
    return bytes((len(data) >> 8, len(data) & 0xFF)) + data


def varint(n):
    """Remaining length, 2.2.3: seven bits a byte, least significant first."""
    out = bytearray()
    while True:
        n, digit = n >> 7, n & 0x7F
        out.append(digit | (0x80 if n else 0))
        if not n:
            return out


def id_bytes(packet_id):
    return bytes((packet_id >> 8, packet_id & 0xFF))


def packet(first, body):
    """A whole packet: its first byte, the length of body, body."""
    return bytes((first,)) + varint(len(body)) + body


def connect(client_id, keepalive_s=60, clean_session=False, will=None, user=None, password=None):
    """will: (topic, payload, qos, retain) or None; a password needs a user (3.1.2.9)."""
    if password is not None and user is None:
        raise ValueError("mqtt: a password needs a user")
    return connect_packet(VERSION, client_id, keepalive_s, clean_session, will, user, password)


def connect_packet(level, client_id, keepalive_s, clean, will, user, password, more=b"", last=b""):
    """CONNECT of any level. more, last: MQTT 5's properties of the session and of the will."""
    flags = 0x02 if clean else 0
    payload = string(client_id)
    if will:
        name, message, qos, retain = will
        flags |= 0x04 | qos << 3 | (0x20 if retain else 0)
        payload += last + string(name) + string(message)
    for bit, value in ((0x80, user), (0x40, password)):
        if value is not None:
            flags |= bit
            payload += string(value)
    head = bytes((level, flags, keepalive_s >> 8, keepalive_s & 0xFF))
    return packet(CONNECT << 4, _NAME + head + more + payload)


def publish(topic, payload, qos=0, retain=False, packet_id=0, properties=None):
    """A bytearray, so that mark_dup() can set DUP in place when it is sent again."""
    if properties:
        raise ValueError("mqtt: properties need version=5")
    return publish_packet(topic, payload, qos, retain, packet_id)


def publish_packet(topic, payload, qos, retain, packet_id, more=b""):
    """PUBLISH of any version. more: MQTT 5's properties, encoded.

    In one piece: growing would scatter the heap.
    """
    name = topic.encode() if isinstance(topic, str) else topic
    size = len(name)
    if size > 65535:
        raise ValueError("mqtt: topic of %d bytes, at most 65535" % size)
    length = 2 + size + (2 if qos else 0) + len(more) + len(payload)
    out, at = _begun(PUBLISH << 4 | qos << 1 | (1 if retain else 0), length)
    out[at] = size >> 8
    out[at + 1] = size & 0xFF
    at += 2
    out[at : at + size] = name
    at += size
    if qos:
        out[at] = packet_id >> 8
        out[at + 1] = packet_id & 0xFF
        at += 2
    out[at : at + len(more)] = more
    out[at + len(more) :] = payload
    return out


def _begun(first, length):
    """(bytearray of a whole packet with its fixed header, offset behind that)."""
    at = 2 if length < 128 else 3 if length < 16384 else 4 if length < 2097152 else 5
    out = bytearray(at + length)
    out[0] = first
    for i in range(1, at):
        out[i] = length & 0x7F | (0x80 if i + 1 < at else 0)
        length >>= 7
    return out, at


def mark_dup(packet, dup):
    """Set or clear DUP in an encoded PUBLISH (3.3.1.1)."""
    packet[0] = packet[0] | _DUP if dup else packet[0] & ~_DUP & 0xFF


def ack(kind, packet_id, code=0):
    """PUBACK, PUBREC, PUBREL or PUBCOMP; code is MQTT 5's, this version has no place for it."""
    return bytes((kind << 4 | (2 if kind == PUBREL else 0), 2)) + id_bytes(packet_id)


def subscribe(packet_id, topic, qos):
    return packet(SUBSCRIBE << 4 | 2, id_bytes(packet_id) + string(topic) + bytes((qos,)))


def unsubscribe(packet_id, topic):
    return packet(UNSUBSCRIBE << 4 | 2, id_bytes(packet_id) + string(topic))


def disconnect(code=0, properties=None):
    if code or properties:
        raise ValueError("mqtt: a reason to disconnect needs version=5")
    return DISCONNECT_PACKET


# What a client asks of its version besides


def welcome(connack):
    """{}: what the broker set (MQTT 5). Raises LinkError if it refused."""
    if connack[2]:
        raise LinkError("broker refused: " + refusal(connack[2]))
    return {}


# Decoding: body is a memoryview of everything after the fixed header, which was checked before


def read_id(body, at):
    """The packet id at that offset; 0 is none."""
    packet_id = body[at] << 8 | body[at + 1]
    need(packet_id, "packet id 0")
    return packet_id


def publish_head(flags, body):
    """(topic, qos, packet id, offset of what follows); body may be cut after the packet id.

    The topic may be empty here.
    """
    qos = flags >> 1 & 3
    need(qos < 3, "PUBLISH of QoS 3")
    need(qos or not flags & _DUP, "DUP at QoS 0")
    need(len(body) >= 2, "short PUBLISH")
    at = 2 + (body[0] << 8 | body[1])
    end = at + 2 if qos else at
    need(len(body) >= end, "bad topic length")
    return _topic(body[2:at]), qos, read_id(body, at) if qos else 0, end


def _topic(data):
    try:
        topic = str(data, "utf-8")
    except UnicodeError:
        topic = "#"
    need(not ("#" in topic or "+" in topic or "\0" in topic), "bad topic name")
    return topic


def publish_fields(flags, head, payload):
    """The tuple of a decoded PUBLISH."""
    topic, qos, packet_id, _ = head
    return (PUBLISH, topic, payload, qos, bool(flags & 1), bool(flags & _DUP), packet_id)


def _connack(kind, flags, body):
    need(body[0] <= 1, "bad CONNACK")
    need(not (body[0] and body[1]), "session present on a refusal")
    return (CONNACK, bool(body[0]), body[1])


def _with_id(kind, flags, body):
    return (kind, read_id(body, 0))


def _suback(kind, flags, body):
    need(len(body) >= 3, "bad SUBACK")
    codes = bytes(body[2:])
    need(all(c <= 2 or c == SUBSCRIBE_FAILED for c in codes), "bad SUBACK code")
    return (SUBACK, read_id(body, 0), codes)


def _pingresp(kind, flags, body):
    return (PINGRESP,)


def _publish(kind, flags, body):
    head = publish_head(flags, body)
    need(head[0], "bad topic length")
    return publish_fields(flags, head, bytes(body[head[3] :]))


_DECODERS = {
    CONNACK: _connack,
    PUBLISH: _publish,
    PUBACK: _with_id,
    PUBREC: _with_id,
    PUBREL: _with_id,
    PUBCOMP: _with_id,
    SUBACK: _suback,
    UNSUBACK: _with_id,
    PINGRESP: _pingresp,
}


def check_flags(kind, flags):
    """The four bits beside the packet type, 2.2.2."""
    wanted = 2 if kind == PUBREL else 0
    need(kind == PUBLISH or flags == wanted, "flags of packet type %d" % kind)


class Parser(PacketParser):
    """mqtt_parser.PacketParser for 3.1.1."""

    def check(self, first, length, total):
        kind = first >> 4
        need(kind in _DECODERS, "packet type %d" % kind)
        check_flags(kind, first & 0x0F)
        fixed = 0 if kind == PINGRESP else 2  # all but these two have two bytes
        if kind not in (PUBLISH, SUBACK):
            need(length == fixed, "length %d of packet type %d" % (length, kind))

    def decode(self, first, body):
        return _DECODERS[first >> 4](first >> 4, first & 0x0F, body)

    def oversized(self, first, body, total):
        # Draining, not ending the session: at QoS 1 the broker would only send it again.
        need(first >> 4 == PUBLISH, "packet of %d bytes" % total)
        head = publish_head(first & 0x0F, body)
        return (OVERSIZED, total, head[1], head[2])
