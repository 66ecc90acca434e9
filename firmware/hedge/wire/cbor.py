"""CBOR, RFC 8949: what a Python object is on the wire, and back.

    cbor.encode({1: "a"})  ->  b"\xa1\x01aa"
    cbor.decode(b"\xa1\x01aa")  ->  {1: "a"}

int, float, bool, None, str, bytes, list, dict stand for themselves; Tag, Simple, UNDEFINED and
Decimal (tag 4) for what Python has no type for; bignums are ints.
"""

from ..core.errors import FrameError
from . import cbor_read, cbor_write
from .cbor_write import MAX_BIGNUM_BYTES, MAX_DEPTH  # noqa: F401  part of this interface


def __getattr__(name):
    """UNDEFINED, Decimal, Simple and Tag are loaded when they are asked for."""
    if name not in ("UNDEFINED", "Decimal", "Simple", "Tag"):
        raise AttributeError(name)
    from . import cbor_types

    return getattr(cbor_types, name)


def encode(obj):
    """Deterministic encoding as bytes: shortest heads and floats, map keys sorted.

    Raises TypeError for a type CBOR has none of, ValueError past MAX_DEPTH or MAX_BIGNUM_BYTES.
    """
    out = bytearray()
    cbor_write.write_item(out, obj)
    return bytes(out)


def decode(buf):
    """The one item in buf (bytes-like). Raises FrameError, also for bytes after the item."""
    obj, pos = cbor_read.read_item(buf, 0)
    if pos != len(buf):
        raise FrameError("cbor: %d bytes after the item" % (len(buf) - pos))
    return obj


def decode_at(buf, pos):
    """(item, position after it) of the item that starts at pos. Raises FrameError."""
    return cbor_read.read_item(buf, pos)
