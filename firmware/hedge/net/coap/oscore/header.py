"""The value of the OSCORE option: which key, which number (RFC 8613 6.1)."""

from ....core.errors import FrameError

_PIV = 0x07
_KID = 0x08
_CONTEXT = 0x10
_RESERVED = 0xE0
_MAX_PIV_BYTES = 5


class Header:
    """piv, kid, kid_context: bytes or None."""

    def __init__(self, piv=None, kid=None, kid_context=None):
        self.piv = piv
        self.kid = kid
        self.kid_context = kid_context

    def encode(self):
        """bytes; empty if there is nothing to say."""
        flags = len(self.piv) if self.piv else 0
        out = bytearray((0,))
        out.extend(self.piv or b"")
        if self.kid_context is not None:
            flags |= _CONTEXT
            out.append(len(self.kid_context))
            out.extend(self.kid_context)
        if self.kid is not None:
            flags |= _KID
            out.extend(self.kid)
        out[0] = flags
        return bytes(out) if flags else b""


def decode(value):
    """Header of an option's bytes. Raises FrameError."""
    if not value:
        return Header()
    flags = value[0]
    size = flags & _PIV
    if flags & _RESERVED or size > _MAX_PIV_BYTES or not flags:
        raise FrameError("oscore: flags %02x" % flags)
    piv, at = _take(value, 1, size)
    kid = kid_context = None
    if flags & _CONTEXT:
        length, at = _take(value, at, 1)
        kid_context, at = _take(value, at, length[0])
    if flags & _KID:
        kid, at = value[at:], len(value)
    if at != len(value):
        raise FrameError("oscore: %d bytes too many" % (len(value) - at))
    return Header(piv if size else None, kid, kid_context)


def _take(value, at, size):
    if at + size > len(value):
        raise FrameError("oscore: option cut short")
    return value[at : at + size], at + size


def piv_bytes(number):
    """A sequence number in as few bytes as hold it, one at least."""
    size = 1
    while number >> 8 * size:
        size += 1
    return number.to_bytes(size, "big")
