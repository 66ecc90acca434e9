"""NOR flash in RAM behind MicroPython's block device protocol, whose power can be cut."""


class RamFlash:
    """Erasing sets the bits of a block, programming clears them, as on a chip.

    blocks: list of bytes, one a block; immutable, so that a copy of the whole costs one list.
    journal: list of (block, offset, bytes or None for an erase) while recording, else None.
    """

    def __init__(self, blocks, block_bytes=512):
        if isinstance(blocks, int):
            blocks = [b"\xff" * block_bytes] * blocks
        self.blocks = list(blocks)
        self.block_bytes = len(self.blocks[0])
        self.journal = None
        self.erases = [0] * len(self.blocks)
        self.programs = 0

    def copy(self):
        """Another one with the same contents."""
        return RamFlash(self.blocks)

    def readblocks(self, block, buf, offset=0):
        data = self.blocks[block][offset : offset + len(buf)]
        assert len(data) == len(buf), "a read beyond the block"
        buf[:] = data

    def writeblocks(self, block, buf, offset=0):
        self.do(block, offset, bytes(buf))

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.blocks)
        if op == 5:
            return self.block_bytes
        if op == 6:
            self.do(arg, 0, None)
        return 0

    def do(self, block, offset, data):
        """One operation, whole."""
        if self.journal is not None:
            self.journal.append((block, offset, data))
        if data is None:
            self.erases[block] += 1
            self.blocks[block] = b"\xff" * self.block_bytes
            return
        self.programs += 1
        self._program(block, offset, data)

    def _program(self, block, offset, data):
        whole = bytearray(self.blocks[block])
        assert offset + len(data) <= self.block_bytes, "a program beyond the block"
        for i in range(len(data)):
            whole[offset + i] &= data[i]
        self.blocks[block] = bytes(whole)

    def tear(self, block, offset, data, noise=None):
        """One operation that the power did not last for.

        The first half of its bytes; with noise (bytes), of every byte the bits that noise has.
        """
        if data is None:
            old = bytearray(self.blocks[block])
            for i in range(len(old)):
                if noise is None:
                    old[i] = 0xFF if i < len(old) // 2 else old[i]
                else:
                    old[i] |= noise[i % len(noise)]
            self.blocks[block] = bytes(old)
        elif noise is None:
            self._program(block, offset, data[: len(data) // 2])
        else:
            part = [data[i] | noise[i % len(noise)] for i in range(len(data))]
            self._program(block, offset, bytes(part))
