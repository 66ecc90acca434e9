"""What a learner knows, as bytes that survive a reset: SPEC.md, "Saved state".

    data = learner.to_bytes()      # hand it to hedge.store.KV, or hedge.store.disk.replace
    learner.restore(data)          # after the reset; ModelError if it is torn, damaged, of another

restore() changes nothing unless all of the bytes pass.
"""

import binascii
import struct

from ..core.errors import ModelError

HEAD_BYTES = 16
_MAGIC = b"HGS1"
_VERSION = 1
_HEAD = "<4sHHII"  # magic, kind, version, bytes behind the head, CRC-32

RUNNING = 1
EWMA = 2
NEIGHBOURS = 3
PROTOTYPES = 4
HALF_SPACES = 5


def need(ok, what):
    if not ok:
        raise ModelError("saved state: " + what)


class Saved:
    """Base of learners. They define _kind, _size(), _store(buffer, at) and _load(data, at)."""

    @property
    def state_bytes(self):
        """How long the saved state is."""
        return HEAD_BYTES + self._size()

    def save_into(self, buffer):
        """Write the state to the start of a bytearray; returns its length.

        Raises ModelError if the buffer is shorter than state_bytes.
        """
        size = self._size()
        if len(buffer) < HEAD_BYTES + size:
            raise ModelError("saved state: buffer of %d bytes" % len(buffer))
        self._store(buffer, HEAD_BYTES)
        struct.pack_into(_HEAD, buffer, 0, _MAGIC, self._kind, _VERSION, size, 0)
        struct.pack_into("<I", buffer, 12, _crc(buffer, size))
        return HEAD_BYTES + size

    def to_bytes(self):
        """The state as bytes; allocates twice its length."""
        buffer = bytearray(self.state_bytes)
        self.save_into(buffer)
        return bytes(buffer)

    def restore(self, data):
        """Become what was saved. Raises ModelError, and stays as it is, if anything is wrong."""
        size = self._size()
        need(len(data) >= HEAD_BYTES, "shorter than its head")
        magic, kind, version, length, crc = struct.unpack_from(_HEAD, data, 0)
        need(magic == _MAGIC and version == _VERSION, "not one of this firmware")
        need(kind == self._kind, "of another kind of learner")
        need(length == len(data) - HEAD_BYTES, "torn: %d bytes of %d" % (len(data), length))
        need(length == size, "of a learner of another size")
        need(crc == _crc(data, size), "damaged (CRC differs)")
        self._load(data, HEAD_BYTES)


def _crc(data, size):
    """Over the head without itself, and the state."""
    view = memoryview(data)
    crc = binascii.crc32(view[:12])
    return binascii.crc32(view[HEAD_BYTES : HEAD_BYTES + size], crc) & 0xFFFFFFFF
