"""CBOR reader for bytes nobody vouches for: every fault is a FrameError.

No length is believed before the bytes for it are seen: an array of n items needs n bytes of input,
so memory stays within a small multiple of the input, and nesting is bounded.
"""

import struct

from ..core.errors import FrameError
from .cbor_write import MAX_DEPTH

_INDEFINITE = -1
_BREAK = 0xFF
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}


def read_item(buf, pos, depth=MAX_DEPTH):
    """(object, position after it). buf: bytes-like; raises FrameError."""
    if depth < 0:
        raise FrameError("cbor: nested deeper than %d" % MAX_DEPTH)
    major = _byte(buf, pos) >> 5
    if major == 7:
        return _read_simple(buf, pos)
    n, pos = _read_head(buf, pos)
    if major < 2:
        if n == _INDEFINITE:
            raise FrameError("cbor: int of indefinite length")
        return (n if major == 0 else -1 - n), pos
    return _READERS[major - 2](buf, pos, n, depth - 1)


def _byte(buf, pos):
    if pos >= len(buf):
        raise FrameError("cbor: cut short at %d" % pos)
    return buf[pos]


def _read_head(buf, pos):
    info = buf[pos] & 31
    pos += 1
    if info < 24:
        return info, pos
    if info == 31:
        return _INDEFINITE, pos
    if info > 27:
        raise FrameError("cbor: reserved length code %d" % info)
    size = 1 << (info - 24)
    _need(buf, pos, size)
    return int.from_bytes(bytes(buf[pos : pos + size]), "big"), pos + size


def _need(buf, pos, size):
    if size > len(buf) - pos:
        raise FrameError("cbor: %d bytes announced, %d left" % (size, len(buf) - pos))


def _read_simple(buf, pos):
    info = buf[pos] & 31
    if info in _FLOATS:
        size = 1 << (info - 24)
        _need(buf, pos + 1, size)
        return struct.unpack_from(_FLOATS[info], buf, pos + 1)[0], pos + 1 + size
    if info == 31:
        raise FrameError("cbor: break outside an indefinite item")
    number, after = _read_head(buf, pos)
    if info == 24 and number < 32:
        raise FrameError("cbor: simple(%d) in two bytes" % number)
    if 20 <= number <= 22:
        return (False, True, None)[number - 20], after
    from .cbor_types import UNDEFINED, Simple

    return (UNDEFINED if number == 23 else Simple(number)), after


def _read_bytes(buf, pos, n, depth):
    if n == _INDEFINITE:
        return _read_chunks(buf, pos, 2)
    _need(buf, pos, n)
    return bytes(buf[pos : pos + n]), pos + n


def _read_text(buf, pos, n, depth):
    if n == _INDEFINITE:
        return _read_chunks(buf, pos, 3)
    data, pos = _read_bytes(buf, pos, n, depth)
    return decode_text(data), pos


def _read_chunks(buf, pos, major):
    parts = []
    while _byte(buf, pos) != _BREAK:
        if buf[pos] >> 5 != major or buf[pos] & 31 == 31:
            raise FrameError("cbor: wrong chunk in an indefinite string")
        n, pos = _read_head(buf, pos)
        part, pos = _READERS[major - 2](buf, pos, n, 0)
        parts.append(part)
    return (b"" if major == 2 else "").join(parts), pos + 1


def _read_array(buf, pos, n, depth):
    items = []
    if n == _INDEFINITE:
        while _byte(buf, pos) != _BREAK:
            item, pos = read_item(buf, pos, depth)
            items.append(item)
        return items, pos + 1
    _need(buf, pos, n)
    for _ in range(n):
        item, pos = read_item(buf, pos, depth)
        items.append(item)
    return items, pos


def _read_map(buf, pos, n, depth):
    items = {}
    if n == _INDEFINITE:
        while _byte(buf, pos) != _BREAK:
            pos = _read_pair(buf, pos, depth, items)
        return items, pos + 1
    _need(buf, pos, 2 * n)
    for _ in range(n):
        pos = _read_pair(buf, pos, depth, items)
    return items, pos


def _read_pair(buf, pos, depth, items):
    key, pos = read_item(buf, pos, depth)
    if not _can_be_key(key):
        raise FrameError("cbor: a map key that Python cannot hold")
    if key in items:
        raise FrameError("cbor: map key %r twice" % (key,))
    items[key], pos = read_item(buf, pos, depth)
    return pos


def _can_be_key(key):
    while hasattr(key, "value"):  # a Tag
        key = key.value
    return not isinstance(key, (list, dict))


def _read_tag(buf, pos, n, depth):
    if n == _INDEFINITE:
        raise FrameError("cbor: tag of indefinite length")
    value, pos = read_item(buf, pos, depth)
    from .cbor_types import tagged

    return tagged(n, value), pos


_READERS = (_read_bytes, _read_text, _read_array, _read_map, _read_tag)


def decode_text(data):
    """bytes -> str. Raises FrameError unless it is UTF-8 by RFC 3629 (MicroPython checks less)."""
    pos = 0
    while pos < len(data):
        pos += 1 if data[pos] < 0x80 else _sequence_len(data, pos)
    return str(data, "utf-8")


def _sequence_len(data, pos):
    lead = data[pos]
    size = 2 if 0xC2 <= lead < 0xE0 else 3 if 0xE0 <= lead < 0xF0 else 4 if lead < 0xF5 else 0
    if lead < 0xC2 or not size or pos + size > len(data):
        raise FrameError("cbor: text is not UTF-8")
    code = lead & (0x7F >> size)
    for i in range(pos + 1, pos + size):
        if data[i] & 0xC0 != 0x80:
            raise FrameError("cbor: text is not UTF-8")
        code = code << 6 | data[i] & 0x3F
    overlong = code < (0x80, 0x800, 0x10000)[size - 2]
    if overlong or 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        raise FrameError("cbor: text is not UTF-8")
    return size
