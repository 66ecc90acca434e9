"""MQTT 5 properties: a dict by name going out, a dict by name coming in.

    encode({"message_expiry_s": 60, "user": [("unit", "mV")]}, PUBLISH)  # length and properties
    properties, at = decode(body, at, CONNACK)  # None for no properties

Names: the table below; the unit ends the name. Values: int, str, bytes (`correlation_data`,
`auth_data`), bool for flags; `user` is a list of (str, str), `subscription_id` coming in a list of
int. Source: OASIS MQTT 5.0, table 2-4 and section 2.2.2.
"""

from .mqtt_codec import broken, need, string, text, varint
from .topics import check_name

# Where a property may stand
CONNECT = 1
CONNACK = 2
PUBLISH = 4
WILL = 8
ACK = 16  # PUBACK, PUBREC, PUBREL, PUBCOMP
SUBSCRIBE = 32
SUBACK = 64  # and UNSUBACK
UNSUBSCRIBE = 128
DISCONNECT = 256

# Kinds: ? flag, 2 and 4: bytes of a number, N and M the same but never 0, v: variable, never 0,
# s: text, b: bytes, p: pair of texts. Places are sums of the above, in figures: a tuple of
# constants lies in flash where this is frozen, a computed one took 1.9 KB of heap.
_TABLE = (
    (0x01, "payload_format", "?", 12),
    (0x02, "message_expiry_s", "4", 12),
    (0x03, "content_type", "s", 12),
    (0x08, "response_topic", "s", 12),
    (0x09, "correlation_data", "b", 12),
    (0x0B, "subscription_id", "v", 36),
    (0x11, "session_expiry_s", "4", 259),
    (0x12, "assigned_client_id", "s", 2),
    (0x13, "server_keepalive_s", "2", 2),
    (0x15, "auth_method", "s", 3),
    (0x16, "auth_data", "b", 3),
    (0x17, "request_problem_info", "?", 1),
    (0x18, "will_delay_s", "4", 8),
    (0x19, "request_response_info", "?", 1),
    (0x1A, "response_info", "s", 2),
    (0x1C, "server_reference", "s", 258),
    (0x1F, "reason_string", "s", 338),
    (0x21, "receive_max", "N", 3),
    (0x22, "topic_alias_max", "2", 3),
    (0x23, "topic_alias", "N", 4),
    (0x24, "max_qos", "?", 2),
    (0x25, "retain_available", "?", 2),
    (0x26, "user", "p", 511),
    (0x27, "max_packet_bytes", "M", 3),
    (0x28, "wildcard_available", "?", 2),
    (0x29, "subscription_ids_available", "?", 2),
    (0x2A, "shared_available", "?", 2),
)
_ALIAS = 0x23
_NOT_OUT = ("subscription_id", "topic_alias")  # 3.3.4: the server's; Wire gives aliases out
_BYTES = {"?": 1, "2": 2, "N": 2, "4": 4, "M": 4}


def encode(properties, place):
    """The properties behind their length. Raises ValueError for what may not stand there."""
    if not properties:
        return b"\0"
    body = b""
    for name, value in properties.items():
        number, kind = _row(name, place)
        if name == "response_topic":
            check_name(value)
        for one in value if kind == "p" else (value,):
            body += bytes((number,)) + _value(kind, one, name)
    return bytes(varint(len(body))) + body


def with_alias(body, at, alias):
    """(properties of a PUBLISH behind a topic alias, offset of the payload)."""
    size, at = read_varint(body, at)
    if not size:
        return bytes((3, _ALIAS, alias >> 8, alias & 0xFF)), at
    more = bytes(varint(size + 3)) + bytes((_ALIAS, alias >> 8, alias & 0xFF))
    return more + bytes(body[at : at + size]), at + size


def _row(name, place):
    if place == PUBLISH and name in _NOT_OUT:
        place = 0
    for number, known, kind, places in _TABLE:
        if known == name and places & place:
            return number, kind
    raise ValueError("mqtt: no property %r in this packet" % name)


def _value(kind, value, name):
    if kind == "p":
        if len(value) != 2:
            raise ValueError("mqtt: %s takes (text, text), not %r" % (name, value))
        return string(value[0]) + string(value[1])
    if kind in "sb":
        return string(value)
    least = 1 if kind in "NMv" else 0
    size = _BYTES.get(kind)
    most = 1 if kind == "?" else (1 << 8 * size) - 1 if size else 0xFFFFFFF
    if not least <= value <= most:
        raise ValueError("mqtt: %s is %r, not in %d..%d" % (name, value, least, most))
    return int(value).to_bytes(size, "big") if size else bytes(varint(value))


def decode(body, at, place):
    """(dict or None, offset behind) of the properties at that offset of a memoryview."""
    size, at = read_varint(body, at)
    end = at + size
    need(end <= len(body), "properties longer than their packet")
    found = {} if size else None
    while at < end:
        name, kind = _known(body[at], place)
        value, at = _read(kind, body[:end], at + 1)
        _note(found, name, kind, value, place)
    return found, at


def _known(number, place):
    for known, name, kind, places in _TABLE:
        if known == number:
            if not places & place:
                raise broken("property %s in a wrong packet" % name, 0x82)
            return name, kind
    raise broken("unknown property 0x%02x" % number)


def _note(found, name, kind, value, place):
    if kind == "p" or (kind == "v" and place == PUBLISH):  # these may stand more than once
        found.setdefault(name, []).append(value)
        return
    if name in found:
        raise broken("property %s twice" % name, 0x82)
    if name == "response_topic" and ("+" in value or "#" in value):  # MQTT-3.3.2-14
        raise broken("response topic with wildcards", 0x82)
    found[name] = value


def _read(kind, body, at):
    """(value, offset behind it); body ends where the properties end."""
    if kind == "p":
        name, at = read_text(body, at)
        value, at = read_text(body, at)
        return (name, value), at
    if kind == "s":
        return read_text(body, at)
    if kind == "b":
        end = _end(body, at)
        return bytes(body[at + 2 : end]), end
    if kind == "v":
        value, at = read_varint(body, at)
    else:
        end = at + _BYTES[kind]
        need(end <= len(body), "property cut off")
        value, at = int.from_bytes(bytes(body[at:end]), "big"), end
    need(value or kind not in "NMv", "property that must not be 0", 0x94 if kind == "N" else 0x82)
    need(kind != "?" or value < 2, "flag property above 1", 0x82)
    return value, at


def read_varint(body, at):
    """(number, offset behind it), 1.5.5: seven bits a byte, at most four."""
    if at < len(body) and body[at] < 0x80:
        return body[at], at + 1
    value = 0
    for i in range(4):
        need(at + i < len(body), "length cut off")
        value |= (body[at + i] & 0x7F) << 7 * i
        if body[at + i] < 0x80:
            need(body[at + i], "length with needless bytes")
            return value, at + i + 1
    raise broken("length of more than 4 bytes")


def read_text(body, at):
    end = _end(body, at)
    found = text(body[at + 2 : end])
    need("\0" not in found, "text that is not UTF-8")
    return found, end


def _end(body, at):
    need(at + 2 <= len(body), "property cut off")
    end = at + 2 + (body[at] << 8 | body[at + 1])
    need(end <= len(body), "property cut off")
    return end
