"""MQTT 3.1.1 packets without sockets: values in, bytes out; bytes in, tuples out.

    sock.write(publish("hedge/bed-3/up", frame, qos=1, packet_id=7))
    parser = Parser(max_packet_bytes=1024)
    n = sock.readinto(parser.space())
    parser.feed(n)
    packet = parser.next()  # a tuple whose [0] is the packet type, or None: read more

Decoded packets (what a server may send to a client):

    (CONNACK, session_present: bool, code: int)
    (PUBLISH, topic: str, payload: bytes, qos, retain: bool, dup: bool, packet_id)  id 0 at QoS 0
    (PUBACK | PUBREC | PUBREL | PUBCOMP | UNSUBACK, packet_id)
    (SUBACK, packet_id, codes: bytes)
    (PINGRESP,)
    (OVERSIZED, total_bytes, qos, packet_id)  a PUBLISH larger than the parser's limit, drained

Anything malformed raises a LinkError whose `code` is what MQTT 5 answers to it; then the
connection is of no further use. Source: OASIS MQTT 3.1.1; section numbers below. MQTT 5 differs in
properties and reason codes: mqtt5.py offers the same functions, and takes from here what both
share. One module for both directions: a second one would cost every node 600 bytes of heap.
"""

from ..core.errors import LinkError

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


def broken(what, code=0x81):
    """The LinkError to raise; code 0x81 is "malformed packet", 0x82 "protocol error"."""
    error = LinkError("broker broke the protocol: " + what)
    error.code = code
    return error


def need(ok, what, code=0x81):
    """Raise broken(..) unless ok. `what` is made up before that is known: constants only.

    A text with a number in it costs as much as a tenth of a whole message: raise broken(..).
    """
    if not ok:
        raise broken(what, code)


def refusal(code):
    """What a CONNACK code other than 0 means, in words."""
    return _REFUSALS.get(code, "code %d" % code)


# Encoding


def check_qos(qos):
    if qos not in (0, 1, 2):
        raise ValueError("mqtt: QoS %r, not 0, 1 or 2" % (qos,))


def string(value):
    """str or bytes behind its length, 1.5.3."""
    if isinstance(value, str) and "\0" in value:
        raise ValueError("mqtt: text %r has a NUL" % value)
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


def connect(
    client_id,
    keepalive_s=60,
    clean_session=False,
    will=None,
    user=None,
    password=None,
    level=VERSION,
    more=b"",
    last=b"",
):
    """will: (topic, payload, qos, retain) or None; a password needs a user (3.1.2.9).

    level, more, last: MQTT 5's protocol level, properties of the session and of the will.
    """
    if not 0 <= keepalive_s <= 65535:
        raise ValueError("mqtt: keepalive_s is %r, not in 0..65535" % (keepalive_s,))
    if password is not None and user is None and level == VERSION:
        raise ValueError("mqtt: a password needs a user")
    flags = 0x02 if clean_session else 0
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


def publish(topic, payload, qos=0, retain=False, packet_id=0, more=b""):
    """A bytearray, so that mark_dup() can set DUP in place when it is sent again.

    more: MQTT 5's properties, encoded. In one piece: growing would scatter the heap.
    """
    name = topic.encode() if isinstance(topic, str) else topic
    size = len(name)
    if size > 65535:
        raise ValueError("mqtt: topic of %d bytes, at most 65535" % size)
    length = 2 + size + (2 if qos else 0) + len(more) + len(payload)
    at = 2 if length < 128 else 3 if length < 16384 else 4 if length < 2097152 else 5
    out = bytearray(at + length)
    out[0] = PUBLISH << 4 | qos << 1 | (1 if retain else 0)
    for i in range(1, at):
        out[i] = length & 0x7F | (0x80 if i + 1 < at else 0)
        length >>= 7
    out[at] = size >> 8
    out[at + 1] = size & 0xFF
    at += 2
    out[at : at + size] = name
    at += size
    if qos:
        out[at] = packet_id >> 8
        out[at + 1] = packet_id & 0xFF
        at += 2
    if more:
        out[at : at + len(more)] = more
        at += len(more)
    out[at:] = payload
    return out


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
    topic = text(data)
    need(not ("#" in topic or "+" in topic or "\0" in topic), "bad topic name")
    return topic


def text(data):
    """str of UTF-8; "\\0" if it is ill-formed, 1.5.3: surrogates and needless bytes are.

    MicroPython looks at lead and continuation bytes only; source: Unicode 15.0, table 3-7.
    """
    try:
        found = str(data, "utf-8")
    except UnicodeError:
        return "\0"
    lead = 0
    for byte in data if len(found) != len(data) else b"":
        bad = byte == 0xC0 or byte == 0xC1 or byte > 0xF4
        bad = bad or (lead == 0xE0 and byte < 0xA0) or (lead == 0xED and byte > 0x9F)
        if bad or (lead == 0xF0 and byte < 0x90) or (lead == 0xF4 and byte > 0x8F):
            return "\0"
        lead = byte
    return found


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


def _publish(kind, flags, body):
    topic, qos, packet_id, at = publish_head(flags, body)
    need(topic, "bad topic length")
    return (kind, topic, bytes(body[at:]), qos, bool(flags & 1), bool(flags & _DUP), packet_id)


_DECODERS = {
    CONNACK: _connack,
    PUBLISH: _publish,
    PUBACK: _with_id,
    PUBREC: _with_id,
    PUBREL: _with_id,
    PUBCOMP: _with_id,
    SUBACK: _suback,
    UNSUBACK: _with_id,
    PINGRESP: None,
}


class Parser:
    """Cuts a byte stream into packets in one buffer of max_packet_bytes, allocated once.

    Fill space() with n bytes, then feed(n), then next() until it returns None. MQTT 5 replaces
    check() and decode().
    """

    def __init__(self, max_packet_bytes=1024):
        self._view = memoryview(bytearray(max(max_packet_bytes, 16)))
        self.reset()

    def reset(self):
        """Forget what was read: a new connection begins."""
        self._start = 0  # first byte not yet decoded
        self._end = 0  # one past the last byte read
        self._skip = 0  # bytes of a too large packet still to be thrown away

    def space(self):
        """Where the next bytes go: a memoryview, never empty once next() has returned None."""
        rest = self._end - self._start
        if rest and self._start:
            self._view[:rest] = self._view[self._start : self._end]
        self._start, self._end = 0, rest
        return self._view[rest:] if rest else self._view

    def wanted(self):
        """How many bytes next() certainly needs, at least 1; for sockets that block."""
        if self._skip:
            return min(self._skip, len(self._view))
        head = self._header()
        if head is None:
            return 1
        return min(head[0] + head[1], len(self._view)) - (self._end - self._start) or 1

    def feed(self, n):
        """The first n bytes of space() are now filled."""
        thrown = min(self._skip, n)
        self._skip -= thrown
        self._end += n
        self._start += thrown

    def next(self):
        """The next packet, or None when more bytes are needed. Raises LinkError."""
        head = self._header()
        if head is None:
            return None
        size, length = head
        # before waiting for a body that never comes
        self.check(self._view[self._start], length, size + length)
        have = self._end - self._start
        if have >= size + length:
            return self._take(size, length)
        if size + length > len(self._view) and have == len(self._view):
            return self._take_oversized(size, length)
        return None

    def _header(self):
        """(bytes of the fixed header, remaining length), or None while incomplete."""
        at = self._start + 1
        if at < self._end and self._view[at] < 0x80:
            return 2, self._view[at]
        length = shift = 0
        for i in range(at, self._end):
            digit = self._view[i]
            length |= (digit & 0x7F) << shift
            if digit < 0x80:
                return i + 1 - self._start, length
            shift += 7
            need(shift < 28, "remaining length of more than 4 bytes")
        return None

    def _take(self, size, length):
        start = self._start
        self._start = start + size + length
        return self.decode(self._view[start], self._view[start + size : start + size + length])

    def _take_oversized(self, size, length):
        # Draining, not ending the session: at QoS 1 the broker would only send it again.
        start, total = self._start, size + length
        first = self._view[start]
        if first >> 4 != PUBLISH:
            raise broken("packet of %d bytes" % total)
        head = publish_head(first & 0x0F, self._view[start + size : self._end])
        self._skip = total - (self._end - start)
        self._start = self._end
        return (OVERSIZED, total, head[1], head[2])

    def check(self, first, length, total):
        """The fixed header: first byte, remaining length, bytes of the packet in all."""
        kind = first >> 4
        if kind not in _DECODERS:
            raise broken("packet type %d" % kind)
        self.check_flags(kind, first & 0x0F)
        fixed = 0 if kind == PINGRESP else 2
        if length != fixed and kind != PUBLISH and kind != SUBACK:
            raise broken("length %d of packet type %d" % (length, kind))

    def check_flags(self, kind, flags):
        """The four bits beside the packet type, 2.2.2."""
        if flags != (2 if kind == PUBREL else 0) and kind != PUBLISH:
            raise broken("flags of packet type %d" % kind)

    def decode(self, first, body):
        """The tuple of one whole packet."""
        kind = first >> 4
        return (kind,) if kind == PINGRESP else _DECODERS[kind](kind, first & 0x0F, body)
