"""Sequence numbers that are never used twice, not even after a power cut (RFC 8613 B.1.1).

A block of them is reserved on the disk before its first is used; a restart goes on behind the
block. kv: hedge.store.KV. What a crash costs is the rest of a block, of 2**40 numbers.
"""

import os

from ....core.errors import StoreError

MAX_NUMBER = (1 << 40) - 1
_BLOCK = 64  # one write of the file for 64 messages
_LOST = 1 << 16  # where later saves may be lost: more than the journal of a region can hold


class Sequence:
    """name: the key in kv, one for each security context."""

    def __init__(self, kv, name, block=_BLOCK):
        self._kv = kv
        self._name = name
        self._block = block
        self._reserved = kv.get(name, 0)
        if kv.damaged or not isinstance(self._reserved, int):
            raise StoreError(
                "%s: damaged, the last sequence number is lost: set up new keys" % kv.path
            )
        self._next = _beyond(self._reserved) if kv.may_be_old else self._reserved

    def next(self):
        """The next number. Raises StoreError if it cannot be reserved, or all are used up."""
        if self._next >= self._reserved:
            if self._next + self._block > MAX_NUMBER:
                raise StoreError("oscore: all sequence numbers are used: set up new keys")
            self._kv.set(self._name, self._next + self._block)
            self._kv.save()
            self._reserved = self._next + self._block
        self._next += 1
        return self._next - 1


def _beyond(reserved):
    """A number past all that may have been used, where a damaged flash has forgotten the last."""
    if reserved:
        return reserved + _LOST
    return (1 << 38) + int.from_bytes(os.urandom(4), "big") * _BLOCK
