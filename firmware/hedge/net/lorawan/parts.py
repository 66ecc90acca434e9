"""A message that no single uplink can carry, in parts. Layout in SPEC.md.

The number that names a message comes from its bytes, so the parts of a repeated message complete
those that arrived before.
"""

import binascii

from ...core.errors import FrameError

HEAD_BYTES = 2
_LAST = 0x80
_CHECK_BYTES = 2
_MAX_PARTS = 128
_MAX_OPEN = 4  # messages of one device under way


def cut(message, room):
    """List of payloads of at most room bytes, room > HEAD_BYTES. Raises ValueError: too many."""
    crc = binascii.crc32(message)
    body = message + (crc & 0xFFFF).to_bytes(_CHECK_BYTES, "big")
    size = room - HEAD_BYTES
    count = (len(body) + size - 1) // size
    if count > _MAX_PARTS:
        raise ValueError("%d parts" % count)
    out = []
    for i in range(count):
        last = _LAST if i == count - 1 else 0
        out.append(bytes((crc >> 16 & 0xFF, i | last)) + body[i * size : (i + 1) * size])
    return out


class Assembler:
    """Parts of one device, in any order; memory is bounded."""

    def __init__(self):
        self._open = {}  # name -> [parts by number, count or 0]
        self._order = []

    def add(self, part):
        """The message (bytes) once it is whole, else None. Raises FrameError."""
        if len(part) <= HEAD_BYTES:
            raise FrameError("lorawan: part of %d bytes" % len(part))
        found = self._entry(part[0])
        number = part[1] & 0x7F
        if part[1] & _LAST:
            found[1] = number + 1
        found[0][number] = bytes(part[HEAD_BYTES:])
        if not found[1] or any([i not in found[0] for i in range(found[1])]):
            return None
        return self._whole(part[0])

    def _entry(self, name):
        if name not in self._open:
            if len(self._order) == _MAX_OPEN:
                del self._open[self._order.pop(0)]
            self._open[name] = [{}, 0]
            self._order.append(name)
        return self._open[name]

    def _whole(self, name):
        parts, count = self._open.pop(name)
        self._order.remove(name)
        body = b"".join([parts[i] for i in range(count)])
        message, check = body[:-_CHECK_BYTES], body[-_CHECK_BYTES:]
        if (
            len(body) <= _CHECK_BYTES
            or (binascii.crc32(message) & 0xFFFF).to_bytes(2, "big") != check
        ):
            raise FrameError("lorawan: parts of different messages")
        return message
