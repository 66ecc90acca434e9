"""A body in blocks, on the client's side (RFC 7959): Pieces goes up, Assembly comes down."""

from ...core.errors import FrameError, LinkError
from . import block
from . import numbers as n
from .message import Message


class Pieces:
    """A request's payload, block by block. szx: of the first block; the server may want less."""

    def __init__(self, payload, szx):
        self._payload = payload
        self._block = block.Block(0, True, szx)

    def message(self, kind, code, head):
        """The request that carries the current block."""
        piece, self._block = self._block.cut(self._payload)
        ask = Message(kind, code, options=list(head), payload=piece)
        ask.add(n.BLOCK1, self._block.encode())
        if self._block.num == 0:
            ask.add(n.SIZE1, len(self._payload))
        return ask

    def advance(self, response):
        """True if another block is to be sent after this response."""
        answer = block_of(response, n.BLOCK1)
        if response.code == n.TOO_LARGE and answer and answer.szx < self._block.szx:
            self._block = block.Block(0, True, answer.szx)  # 2.9.3: again, in smaller ones
            return True
        if response.code != n.CONTINUE or not self._block.more:
            return False
        self._next(answer)
        return True

    def _next(self, answer):
        end = self._block.start + self._block.size
        szx = self._block.szx
        if answer is not None and answer.num != self._block.num:
            raise LinkError("coap: block %d acknowledged as %d" % (self._block.num, answer.num))
        if answer is not None and answer.szx < szx:  # 2.3: smaller from now on
            szx = answer.szx
        self._block = block.Block(end >> szx + 4, True, szx)


class Assembly:
    """A response's body, block by block; begins with the first response."""

    def __init__(self, response, max_bytes):
        self._max_bytes = max_bytes
        self._etag = response.get(n.ETAG)
        self._body = bytearray()
        self._szx = 0
        self.more = True
        if not self.add(response):
            raise LinkError("coap: a body that does not begin with its first block")

    def add(self, response):
        """False if this is another body's block, or none."""
        found = block_of(response, n.BLOCK2)
        if found is None or response.get(n.ETAG) != self._etag:
            return False
        if found.start != len(self._body):
            return False
        if found.more and len(response.payload) != found.size:
            raise LinkError(
                "coap: block of %d bytes, not %d" % (len(response.payload), found.size)
            )
        if len(self._body) + len(response.payload) > self._max_bytes:
            raise LinkError("coap: body of more than %d bytes" % self._max_bytes)
        self._body.extend(response.payload)
        self._szx = found.szx
        self.more = found.more
        return True

    def next_block(self):
        return block.Block(len(self._body) >> self._szx + 4, False, self._szx)

    def payload(self):
        return bytes(self._body)


def block_of(response, option):
    """Block of a response's option, or None. Raises LinkError."""
    try:
        return block.of(response, option)
    except FrameError as e:
        raise LinkError(str(e))
