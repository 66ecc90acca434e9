"""The value of Block1 and Block2 (RFC 7959 2.2), and pieces of a body."""

from ...core.errors import FrameError
from .message import option_bytes

_MAX_SZX = 6  # 1024 bytes; 7 is reserved on UDP
_MAX_NUM = 0xFFFFF


class Block:
    """num: which; more: whether others follow; szx: size is 16 << szx bytes."""

    def __init__(self, num, more, szx):
        self.num = num
        self.more = more
        self.szx = szx

    @property
    def size(self):
        return 16 << self.szx

    @property
    def start(self):
        """Where the block begins in the body."""
        return self.num << self.szx + 4

    def encode(self):
        """bytes of the option. Raises ValueError past 2**20 blocks."""
        if self.num > _MAX_NUM:
            raise ValueError("block %d" % self.num)
        return option_bytes(self.num << 4 | (8 if self.more else 0) | self.szx)

    def cut(self, body):
        """(this block's bytes of body, the Block that says whether more follow)."""
        piece = bytes(memoryview(body)[self.start : self.start + self.size])
        return piece, Block(self.num, self.start + self.size < len(body), self.szx)


def decode(value):
    """Block of an option's bytes. Raises FrameError for the reserved size."""
    number = int.from_bytes(value, "big")
    if number & 7 > _MAX_SZX:
        raise FrameError("coap: block size 7 is reserved")
    return Block(number >> 4, bool(number & 8), number & 7)


def of(message, option):
    """Block of a message's option, or None. Raises FrameError."""
    value = message.get(option)
    return None if value is None else decode(value)


def szx_of(size):
    """The largest exponent whose blocks are at most `size` bytes (16 at least)."""
    szx = 0
    while szx < _MAX_SZX and 32 << szx <= size:
        szx += 1
    return szx
