"""Runs on a board without a disk: littlefs over a piece of plain memory, mounted at /."""

import sys

import uctypes
import vfs


class MemoryDisk:
    """A block device of n_bytes from address; extended interface, for littlefs."""

    block_bytes = 512

    def __init__(self, address, n_bytes):
        self._memory = memoryview(uctypes.bytearray_at(address, n_bytes))

    def readblocks(self, block, buf, offset=0):
        start = block * self.block_bytes + offset
        buf[:] = self._memory[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        start = block * self.block_bytes + offset
        self._memory[start : start + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self._memory) // self.block_bytes
        if op == 5:
            return self.block_bytes
        return 0


def mount_memory(address, n_bytes, fresh):
    """Mount n_bytes from address; fresh: format them, lose what was there."""
    disk = MemoryDisk(address, n_bytes)
    if fresh:
        vfs.VfsLfs2.mkfs(disk)
    vfs.mount(vfs.VfsLfs2(disk), "/")
    sys.path.append("/lib")  # as on boards with a disk
