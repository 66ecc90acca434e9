"""NOR flash in a file, behind MicroPython's block device protocol: for the Unix port and PCs."""

import os

_BLOCKS, _BLOCK_BYTES, _ERASE = 4, 5, 6
_BYTES = 4096
_ERASED = b"\xff" * _BYTES


class FlashFile:
    """A file of n_bytes, made if there is none. Raises OSError."""

    def __init__(self, path, n_bytes):
        self._blocks = n_bytes // _BYTES
        try:
            have = os.stat(path)[6]
        except OSError:
            have = 0
            open(path, "wb").close()
        self._file = open(path, "r+b")
        self._file.seek(have // _BYTES * _BYTES)
        for _ in range(have // _BYTES, self._blocks):
            self._file.write(_ERASED)
        self._file.flush()

    def readblocks(self, block, buf, offset=0):
        self._file.seek(block * _BYTES + offset)
        buf[:] = self._file.read(len(buf))

    def writeblocks(self, block, buf, offset):
        """Clears bits only, as a chip does."""
        old = bytearray(len(buf))
        self.readblocks(block, old, offset)
        for i in range(len(old)):
            old[i] &= buf[i]
        self._put(block * _BYTES + offset, old)

    def ioctl(self, op, arg):
        if op == _BLOCKS:
            return self._blocks
        if op == _BLOCK_BYTES:
            return _BYTES
        if op == _ERASE:
            self._put(arg * _BYTES, _ERASED)
        return 0

    def _put(self, at, data):
        self._file.seek(at)
        self._file.write(data)
        self._file.flush()
