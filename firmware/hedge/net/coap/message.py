"""CoAP messages as bytes and back (RFC 7252 section 3). No sockets.

    data = Message(CON, GET, 7, b"tk", [(URI_PATH, b"temp")]).encode()
    message = decode(data)

Network -> endpoint: one datagram is one message of at most MAX_DATAGRAM bytes.
"""

from ...core.errors import FrameError
from . import numbers as n

MAX_DATAGRAM = 1152  # RFC 7252 4.6: 1024 bytes of payload and 128 of header fit any sane network
MAX_OPTIONS = 32  # a datagram of empty options would take 40 KB of a board's heap
_HEADER_BYTES = 4
_MARKER = 0xFF


class Message:
    """One message. options: list of (number, bytes), any order; encode() sorts by number."""

    def __init__(self, kind, code, mid=0, token=b"", options=None, payload=b""):
        self.kind = kind
        self.code = code
        self.mid = mid
        self.token = token
        self.options = [] if options is None else options
        self.payload = payload

    def get(self, number):
        """Value of the first option of that number, or None."""
        for found, value in self.options:
            if found == number:
                return value
        return None

    def all(self, number):
        """Values of all options of that number, in order."""
        return [value for found, value in self.options if found == number]

    def uint(self, number, default=None):
        """The option's value as an unsigned int."""
        value = self.get(number)
        return default if value is None else int.from_bytes(value, "big")

    def add(self, number, value):
        """Append an option. value: bytes, str or unsigned int (in as few bytes as hold it)."""
        self.options.append((number, option_bytes(value)))

    def set(self, number, value):
        """Replace all options of that number by this one."""
        self.remove(number)
        self.add(number, value)

    def remove(self, number):
        self.options = [pair for pair in self.options if pair[0] != number]

    def path(self):
        """Uri-Path as one str, segments joined by "/"; raises FrameError if it is not UTF-8."""
        return _joined(self.all(n.URI_PATH), "/")

    def query(self):
        """Uri-Query as a list of str. Raises FrameError."""
        return [_text(value) for value in self.all(n.URI_QUERY)]

    def encode(self):
        """The datagram (bytearray). Raises ValueError if a field does not fit its place."""
        if len(self.token) > 8:
            raise ValueError("token of %d bytes" % len(self.token))
        out = bytearray(_HEADER_BYTES)
        out[0] = n.VERSION << 6 | self.kind << 4 | len(self.token)
        out[1] = self.code
        out[2] = self.mid >> 8 & 0xFF
        out[3] = self.mid & 0xFF
        out.extend(self.token)
        write_body(out, self.options, self.payload)
        return out

    def __repr__(self):
        name = ("CON", "NON", "ACK", "RST")[self.kind]
        return "%s %s mid %d, %d bytes" % (
            name,
            n.code_text(self.code),
            self.mid,
            len(self.payload),
        )


def option_bytes(value):
    """bytes of an option value given as bytes, str or unsigned int."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int):
        size = 0
        while value >> 8 * size:
            size += 1
        return value.to_bytes(size, "big")
    return bytes(value)


def write_body(out, options, payload):
    """Append options, sorted by number, and the payload to the bytearray out (3.1)."""
    before = 0
    for number, value in in_order(options):
        _write_option(out, number - before, value)
        before = number
    if payload:
        out.append(_MARKER)
        out.extend(payload)


def in_order(options):
    """New list, by number; repeated ones keep their order (MicroPython's sort is not stable)."""
    found = []
    for pair in options:
        at = len(found)
        while at and found[at - 1][0] > pair[0]:
            at -= 1
        found.insert(at, pair)
    return found


def _write_option(out, delta, value):
    at = len(out)
    out.append(0)
    out[at] = _write_nibble(out, delta) << 4
    out[at] |= _write_nibble(out, len(value))
    out.extend(value)


def _write_nibble(out, number):
    """The nibble for a number; what it does not hold is appended to out."""
    if number < 13:
        return number
    if number < 269:
        out.append(number - 13)
        return 13
    number -= 269
    if number > 0xFFFF:
        raise ValueError("option delta or length too large")
    out.append(number >> 8)
    out.append(number & 0xFF)
    return 14


def peek(data):
    """(kind, mid) of a datagram that may be malformed behind that; None: ignore it (3)."""
    if len(data) < _HEADER_BYTES or data[0] >> 6 != n.VERSION:
        return None
    return data[0] >> 4 & 3, data[2] << 8 | data[3]


def decode(data):
    """Message of a datagram (bytes-like, may be reused afterwards). Raises FrameError."""
    head = peek(data)
    if head is None:
        raise FrameError("coap: not version 1")
    token_bytes = data[0] & 15
    code = data[1]
    end = _HEADER_BYTES + token_bytes
    if token_bytes > 8 or end > len(data):
        raise FrameError("coap: token of %d bytes" % token_bytes)
    if code == n.EMPTY and len(data) > _HEADER_BYTES:
        raise FrameError("coap: empty message of %d bytes" % len(data))
    if code != n.EMPTY and not n.is_request(code) and not n.is_response(code):
        raise FrameError("coap: reserved code " + n.code_text(code))
    if (head[0] == n.RST and code) or (head[0] == n.ACK and n.is_request(code)):
        raise FrameError("coap: code %s in an ACK or RST" % n.code_text(code))  # 4.3, table 1
    options, payload = read_body(data, end)
    token = bytes(data[_HEADER_BYTES:end])
    return Message(head[0], code, head[1], token, options, payload)


def read_body(data, at):
    """(options, payload) from position at to the end of data. Raises FrameError."""
    options = []
    number = 0
    end = len(data)
    while at < end:
        first = data[at]
        at += 1
        if first == _MARKER:
            if at == end:
                raise FrameError("coap: payload marker without a payload")
            return options, bytes(data[at:])
        delta, at = _read_nibble(data, at, first >> 4)
        size, at = _read_nibble(data, at, first & 15)
        number += delta
        if number > 0xFFFF or at + size > end or len(options) == MAX_OPTIONS:
            raise FrameError("coap: option %d of %d bytes" % (number, size))
        options.append((number, bytes(data[at : at + size])))
        at += size
    return options, b""


def _read_nibble(data, at, nibble):
    """(number, position behind it) of an option's delta or length."""
    if nibble < 13:
        return nibble, at
    more = nibble - 12  # bytes that follow
    if nibble == 15 or at + more > len(data):
        raise FrameError("coap: option cut short")
    if more == 1:
        return data[at] + 13, at + 1
    return (data[at] << 8 | data[at + 1]) + 269, at + 2


def _joined(values, separator):
    return separator.join([_text(value) for value in values])


def _text(value):
    try:
        return str(value, "utf-8")
    except (UnicodeError, ValueError):
        raise FrameError("coap: text that is not UTF-8")
