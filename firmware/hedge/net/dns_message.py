"""DNS questions for an IPv4 address and their answers: bytes only, no sockets.

    data = query(0x1234, "gateway.farm")
    address, ttl_s = answer(data, 0x1234, "gateway.farm")   # ("192.168.1.2", 300)

Source: RFC 1035 sections 3.1, 4.1 (format, compression 4.1.4), 2.3.4 (limits).
"""

from ..core.errors import FrameError, LinkError

MAX_BYTES = 512  # RFC 1035 section 2.3.4, over UDP
_MAX_LABEL = 63
_MAX_NAME = 253
_MAX_HOPS = 16  # compression pointers and labels of hostile messages
_MAX_RECORDS = 32
_A = 1
_CNAME = 5
_IN = 1
_NO_SUCH_NAME = 3


class NoSuchName(LinkError):
    """The name does not exist, says a server."""


def query(number, name):
    """Bytes that ask for the A record of name, recursion desired. Raises LinkError."""
    labels = name.rstrip(".").encode()
    if not labels or len(labels) > _MAX_NAME:
        raise LinkError("no address for %s: not a host name" % name)
    out = bytearray((number >> 8, number & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    for label in labels.split(b"."):
        if not 0 < len(label) <= _MAX_LABEL:
            raise LinkError("no address for %s: not a host name" % name)
        out.append(len(label))
        out += label
    out += bytes((0, 0, _A, 0, _IN))
    return bytes(out)


def is_answer_to(data, number):
    """False for what is too short, another's, or a question."""
    return len(data) >= 12 and (data[0] << 8 | data[1]) == number and data[2] & 0xF8 == 0x80


def answer(data, number, name):
    """(address, seconds it may be kept) of the answer to query(number, name).

    Raises NoSuchName; LinkError if the server refuses or has no address; FrameError if the bytes
    are malformed or answer another question.
    """
    if len(data) > MAX_BYTES or not is_answer_to(data, number):
        raise FrameError("DNS: not an answer to this question")
    code = data[3] & 15
    if code == _NO_SUCH_NAME:
        raise NoSuchName("no address for %s: the name does not exist" % name)
    if code:
        raise LinkError("no address for %s: DNS server error %d" % (name, code))
    if _u16(data, 4) != 1:
        raise FrameError("DNS: %d questions" % _u16(data, 4))
    asked, pos = _name(data, 12)
    if asked != name.rstrip(".").lower().encode() or _u16(data, pos) != _A:
        raise FrameError("DNS: the answer to another question")
    return _address(data, pos + 4, asked, name)


def _address(data, pos, wanted, name):
    """Follows CNAMEs in the order in which they stand (RFC 1034 section 3.6.2)."""
    ttl_s = 1 << 30
    for _ in range(min(_u16(data, 6), _MAX_RECORDS)):
        owner, pos = _name(data, pos)
        kind, size = _u16(data, pos), _u16(data, pos + 8)
        at, pos = pos + 10, pos + 10 + size
        if pos > len(data):
            raise FrameError("DNS: a record is cut off")
        if owner != wanted or _u16(data, at - 8) != _IN:
            continue
        ttl_s = min(ttl_s, _ttl(data, at - 6))
        if kind == _CNAME:
            wanted, _ = _name(data, at)
        elif kind == _A and size == 4:
            return ".".join([str(b) for b in data[at:pos]]), ttl_s
    raise LinkError("no address for %s: it has no IPv4 address" % name)


def _ttl(data, pos):
    """RFC 2181 section 8: 31 bits; a set top bit means 0. Cut to what small ints hold."""
    if data[pos] & 0x80:
        return 0
    return min(_u16(data, pos), 0x3FFF) << 16 | _u16(data, pos + 2)


def _u16(data, pos):
    if pos + 2 > len(data):
        raise FrameError("DNS: cut off")
    return data[pos] << 8 | data[pos + 1]


def _name(data, pos):
    """(name in small letters as bytes, position behind it)."""
    labels, length = [], 0
    after = None
    for _ in range(_MAX_HOPS):
        size = data[pos] if pos < len(data) else -1
        if size == 0:
            return b".".join(labels), after or pos + 1
        if size >= 0xC0:
            after = after or pos + 2
            pos = _u16(data, pos) & 0x3FFF
            continue
        label = bytes(data[pos + 1 : pos + 1 + size])
        length += size + 1
        if size < 0 or size > _MAX_LABEL or len(label) != size or length > _MAX_NAME + 1:
            break
        labels.append(label.lower())
        pos += 1 + size
    raise FrameError("DNS: a malformed name")
