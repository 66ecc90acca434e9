"""MQTT 3.1.1 packets without sockets: values in, bytes out; bytes in, tuples out.

    sock.write(publish("hedge/bed-3/up", frame, qos=1, packet_id=7))
    parser = Parser(max_packet_bytes=1024)
    n = sock.readinto(parser.space())
    parser.feed(n)
    packet = parser.next()  # a tuple whose [0] is the packet type, or None: read more

Decoded packets (what a server may send to a client):

    (CONNACK, session_present: bool, code: int)
    (PUBLISH, topic: str, payload: bytes, qos, retain: bool, dup: bool, packet_id)  id 0 at QoS 0
    (PUBACK | UNSUBACK, packet_id)
    (SUBACK, packet_id, codes: bytes)
    (PINGRESP,)
    (OVERSIZED, total_bytes, qos, packet_id)  a PUBLISH larger than the parser's limit, drained

The parser holds at most one packet of max_packet_bytes and raises LinkError for anything
malformed; then the connection is of no further use. Source: OASIS MQTT 3.1.1; section numbers
below. MQTT 5 differs in properties and reason codes: it brings its own encoders and decode table.
"""

from ..core.errors import LinkError

CONNECT = 1
CONNACK = 2
PUBLISH = 3
PUBACK = 4
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
_PROTOCOL = b"\x00\x04MQTT\x04"  # 3.1.2.1, 3.1.2.2: name and level of 3.1.1
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


def _string(value):
    data = value.encode() if isinstance(value, str) else value
    if len(data) > 65535:
        raise ValueError("mqtt: string of %d bytes, at most 65535" % len(data))
    return bytes((len(data) >> 8, len(data) & 0xFF)) + data


def _length(n):
    """Remaining length, 2.2.3: seven bits a byte, least significant first."""
    out = bytearray()
    while True:
        n, digit = n >> 7, n & 0x7F
        out.append(digit | (0x80 if n else 0))
        if not n:
            return out


def _packet(first, body):
    return bytes((first,)) + _length(len(body)) + body


def connect(client_id, keepalive_s=60, clean_session=False, will=None, user=None, password=None):
    """will: (topic, payload, qos, retain) or None; a password needs a user (3.1.2.9)."""
    flags = 0x02 if clean_session else 0
    payload = _string(client_id)
    if will:
        topic, message, qos, retain = will
        flags |= 0x04 | qos << 3 | (0x20 if retain else 0)
        payload += _string(topic) + _string(message)
    if user is not None:
        flags |= 0x80
        payload += _string(user)
    if password is not None:
        if user is None:
            raise ValueError("mqtt: a password needs a user")
        flags |= 0x40
        payload += _string(password)
    head = bytes((flags, keepalive_s >> 8, keepalive_s & 0xFF))
    return _packet(CONNECT << 4, _PROTOCOL + head + payload)


def publish(topic, payload, qos=0, retain=False, packet_id=0):
    """A bytearray, so that mark_dup() can set DUP in place when it is sent again."""
    name = _string(topic)
    head = name + _id(packet_id) if qos else name
    length = _length(len(head) + len(payload))
    at = 1 + len(length)
    out = bytearray(at + len(head) + len(payload))  # in one piece: growing would scatter the heap
    out[0] = PUBLISH << 4 | qos << 1 | (1 if retain else 0)
    out[1:at] = length
    out[at : at + len(head)] = head
    out[at + len(head) :] = payload
    return out


def mark_dup(packet, dup):
    """Set or clear DUP in an encoded PUBLISH (3.3.1.1)."""
    packet[0] = packet[0] | _DUP if dup else packet[0] & ~_DUP & 0xFF


def puback(packet_id):
    return bytes((PUBACK << 4, 2)) + _id(packet_id)


def subscribe(packet_id, topic, qos):
    return _packet(SUBSCRIBE << 4 | 2, _id(packet_id) + _string(topic) + bytes((qos,)))


def unsubscribe(packet_id, topic):
    return _packet(UNSUBSCRIBE << 4 | 2, _id(packet_id) + _string(topic))


def _id(packet_id):
    return bytes((packet_id >> 8, packet_id & 0xFF))


# Decoding: body is a memoryview of everything after the fixed header, which was checked before


def _need(ok, what):
    if not ok:
        raise LinkError("broker broke the protocol: " + what)


def _packet_id(body, at):
    packet_id = body[at] << 8 | body[at + 1]
    _need(packet_id, "packet id 0")
    return packet_id


def _connack(flags, body):
    _need(body[0] <= 1, "bad CONNACK")
    _need(not (body[0] and body[1]), "session present on a refusal")
    return (CONNACK, bool(body[0]), body[1])


def _puback(flags, body):
    return (PUBACK, _packet_id(body, 0))


def _unsuback(flags, body):
    return (UNSUBACK, _packet_id(body, 0))


def _suback(flags, body):
    _need(len(body) >= 3, "bad SUBACK")
    codes = bytes(body[2:])
    _need(all(c <= 2 or c == SUBSCRIBE_FAILED for c in codes), "bad SUBACK code")
    return (SUBACK, _packet_id(body, 0), codes)


def _pingresp(flags, body):
    return (PINGRESP,)


def _publish_head(flags, body):
    """(topic, qos, packet id, offset of the payload); body may be cut after the packet id."""
    qos = flags >> 1 & 3
    _need(qos < 2, "PUBLISH of QoS %d, subscribed with at most 1" % qos)
    _need(qos or not flags & _DUP, "DUP at QoS 0")
    _need(len(body) >= 2, "short PUBLISH")
    at = 2 + (body[0] << 8 | body[1])
    _need(at > 2 and len(body) >= at + 2 * qos, "bad topic length")
    return _topic(body[2:at]), qos, _packet_id(body, at) if qos else 0, at + 2 * qos


def _topic(data):
    try:
        topic = str(data, "utf-8")
    except UnicodeError:
        topic = "#"
    _need(not ("#" in topic or "+" in topic or "\0" in topic), "bad topic name")
    return topic


def _publish(flags, body):
    topic, qos, packet_id, at = _publish_head(flags, body)
    return (
        PUBLISH,
        topic,
        bytes(body[at:]),
        qos,
        bool(flags & 1),
        bool(flags & _DUP),
        packet_id,
    )


_DECODERS = {
    CONNACK: _connack,
    PUBLISH: _publish,
    PUBACK: _puback,
    SUBACK: _suback,
    UNSUBACK: _unsuback,
    PINGRESP: _pingresp,
}


_LENGTHS = {CONNACK: 2, PUBACK: 2, UNSUBACK: 2, PINGRESP: 0}


def _check_fixed(first, length):
    kind = first >> 4
    _need(kind in _DECODERS, "packet type %d" % kind)
    _need(kind == PUBLISH or not first & 0x0F, "flags of packet type %d" % kind)
    _need(_LENGTHS.get(kind, length) == length, "length %d of packet type %d" % (length, kind))


def decode(first, body):
    """One whole packet: its first byte and a memoryview of its body. Raises LinkError."""
    _check_fixed(first, len(body))
    return _DECODERS[first >> 4](first & 0x0F, body)


class Parser:
    """Cuts a byte stream into packets in one buffer, allocated once.

    Fill space() with n bytes, then feed(n), then next() until it returns None.
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
        if self._start:
            self._view[:rest] = self._view[self._start : self._end]
            self._start, self._end = 0, rest
        return self._view[rest:]

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
        """The next packet, or None when more bytes are needed. Raises LinkError if malformed."""
        head = self._header()
        if head is None:
            return None
        size, length = head
        _check_fixed(self._view[self._start], length)  # before waiting for a body that never comes
        have = self._end - self._start
        if have >= size + length:
            return self._take(size, length)
        if size + length > len(self._view) and have == len(self._view):
            return self._take_oversized(size, length)
        return None

    def _header(self):
        """(bytes of the fixed header, remaining length), or None while incomplete."""
        length = shift = 0
        for i in range(self._start + 1, self._end):
            digit = self._view[i]
            length |= (digit & 0x7F) << shift
            if digit < 0x80:
                return i + 1 - self._start, length
            shift += 7
            _need(shift < 28, "remaining length of more than 4 bytes")
        return None

    def _take(self, size, length):
        start = self._start
        self._start = start + size + length
        return decode(self._view[start], self._view[start + size : start + size + length])

    def _take_oversized(self, size, length):
        # Draining, not ending the session: at QoS 1 the broker would only send it again.
        first = self._view[self._start]
        total = size + length
        _need(first >> 4 == PUBLISH, "packet of %d bytes" % total)
        _, qos, packet_id, _ = _publish_head(
            first & 0x0F, self._view[self._start + size : self._end]
        )
        self._skip = total - (self._end - self._start)
        self._start = self._end
        return (OVERSIZED, total, qos, packet_id)
