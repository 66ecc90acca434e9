"""CBOR writer: core deterministic encoding of RFC 8949, section 4.2.1.

Every function appends to a bytearray the caller owns, so that a record is built in one buffer.
"""

import struct

MAX_DEPTH = 12  # nested arrays, maps and tags; each level costs two calls on a board's stack
MAX_BIGNUM_BYTES = 64  # 512 bits: enough for keys and digests, too short to hang a printer
_MAX_HALF = 65504.0
_MAX_SINGLE = 3.4028234663852886e38


def write_head(out, major, n):
    """Append the head of an item: major type 0..7 and argument 0 <= n < 2**64."""
    major <<= 5
    if n < 24:
        out.append(major | n)
    elif n < 0x100:
        out.append(major | 24)
        out.append(n)
    elif n < 0x10000:
        out.extend(struct.pack(">BH", major | 25, n))
    elif n < 0x100000000:
        out.extend(struct.pack(">BI", major | 26, n))
    else:
        out.extend(struct.pack(">BQ", major | 27, n))


def write_int(out, n):
    """Append an int; past 64 bits as a bignum. Raises ValueError past MAX_BIGNUM_BYTES."""
    major = 0 if n >= 0 else 1
    n = n if n >= 0 else -1 - n
    if n < 0x10000000000000000:
        write_head(out, major, n)
        return
    size = _byte_len(n)
    if size > MAX_BIGNUM_BYTES:
        raise ValueError("int of %d bytes" % size)
    out.append(0xC2 + major)
    write_bytes(out, n.to_bytes(size, "big"))


def _byte_len(n):
    # MicroPython's int has no bit_length().
    size = 0
    while n:
        n >>= 8
        size += 1
    return size


def write_bytes(out, data):
    """Append a byte string."""
    write_head(out, 2, len(data))
    out.extend(data)


def write_text(out, text):
    """Append a text string."""
    data = text.encode()
    write_head(out, 3, len(data))
    out.extend(data)


def write_float(out, x):
    """Append the shortest of float16, 32 and 64 that holds x exactly."""
    if x != x:
        out.extend(b"\xf9\x7e\x00")
    elif _fits(">e", x, _MAX_HALF):
        out.append(0xF9)
        out.extend(struct.pack(">e", x))
    elif _fits(">f", x, _MAX_SINGLE):
        out.append(0xFA)
        out.extend(struct.pack(">f", x))
    else:
        out.append(0xFB)
        out.extend(struct.pack(">d", x))


def _fits(code, x, largest):
    if not -largest <= x <= largest:
        return x in (float("inf"), -float("inf"))
    return struct.unpack(code, struct.pack(code, x))[0] == x


def write_item(out, obj, depth=MAX_DEPTH):
    """Append any supported object. Raises TypeError for others, ValueError if nested too deep."""
    if depth < 0:
        raise ValueError("nested deeper than %d" % MAX_DEPTH)
    if obj is False or obj is True or obj is None:
        out.append(0xF6 if obj is None else 0xF5 if obj else 0xF4)
        return
    for kinds, write in _WRITERS:
        if isinstance(obj, kinds):
            write(out, obj)
            return
    for kinds, write in _NESTED_WRITERS:
        if isinstance(obj, kinds):
            write(out, obj, depth - 1)
            return
    from .cbor_types import write_typed  # a node that never has such values does without

    write_typed(out, obj, depth - 1)


def _write_list(out, items, depth):
    write_head(out, 4, len(items))
    for item in items:
        write_item(out, item, depth)


def _write_dict(out, items, depth):
    encoded = []  # (encoded key, value)
    for key, value in items.items():
        head = bytearray()
        write_item(head, key, depth)
        encoded.append((bytes(head), value))
    encoded.sort(key=_first)
    write_head(out, 5, len(encoded))
    for head, value in encoded:
        out.extend(head)
        write_item(out, value, depth)


def _first(pair):
    return pair[0]


_WRITERS = (
    (int, write_int),
    (str, write_text),
    (float, write_float),
    ((bytes, bytearray, memoryview), write_bytes),
)
_NESTED_WRITERS = (
    ((list, tuple), _write_list),
    (dict, _write_dict),
)
