"""The part of Protocol Buffers' wire format that Sparkplug needs: fields in, fields out.

Source: "Encoding" of the Protocol Buffers documentation: a tag (field << 3 | wire type), then a
varint, 8 bytes, a length and its bytes, or 4 bytes.
"""

import struct
from collections.abc import Iterator

_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
_U64 = (1 << 64) - 1

Field = tuple[int, int, int | bytes]  # number, wire type, value


def uint(field: int, value: int) -> bytes:
    """A varint field; a negative value is its 64-bit complement."""
    return _varint(field << 3 | _VARINT) + _varint(value & _U64)


def double(field: int, value: float) -> bytes:
    return _varint(field << 3 | _I64) + struct.pack("<d", value)


def data(field: int, value: bytes | str) -> bytes:
    """Bytes, a string or a nested message."""
    raw = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | _LEN) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def fields(message: bytes) -> Iterator[Field]:
    """Every field of a message in order. Raises ValueError where it is malformed."""
    pos = 0
    while pos < len(message):
        tag, pos = _read_varint(message, pos)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("protobuf: field 0")
        value: int | bytes
        if kind == _VARINT:
            value, pos = _read_varint(message, pos)
        else:
            size = {_I64: 8, _I32: 4}.get(kind)
            if kind == _LEN:
                size, pos = _read_varint(message, pos)
            if size is None or size > len(message) - pos:
                raise ValueError(f"protobuf: field {number} of wire type {kind} is cut or unknown")
            value, pos = message[pos : pos + size], pos + size
        yield number, kind, value


def _read_varint(message: bytes, pos: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 7 * _MAX_VARINT_BYTES, 7):
        if pos >= len(message):
            raise ValueError("protobuf: varint cut short")
        byte = message[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _U64, pos
    raise ValueError("protobuf: varint too long")
