"""Responses whose body goes out in blocks (RFC 7959 2.4)."""

from ...core.errors import FrameError
from . import block
from . import numbers as n
from .message import Message
from .resource import error, etag_of


class Downloads:
    """Keeps the last few bodies, so that a block is cut from what the first one was cut from.

    szx: of blocks where the client does not want smaller ones. limit: bodies kept.
    """

    def __init__(self, szx, limit=2):
        self._szx = szx
        self._limit = limit
        self._kept = []  # [(key, response)], oldest first

    def later_block(self, message, who):
        """The response to a request for a block after the first; None: its handler makes it anew.

        Raises FrameError for a malformed Block2.
        """
        wanted = block.of(message, n.BLOCK2)
        if wanted is None or wanted.num == 0:
            return None
        key = _key(message, who)
        for kept, response in self._kept:
            if kept == key:
                return self._cut(response, wanted)
        if message.code in (n.GET, n.FETCH):
            return None
        return error(n.INCOMPLETE, "answer forgotten")  # its payload came with the first block

    def first_block(self, message, who, response):
        """The response, or its first block when it is long; wanted blocks of a body made anew."""
        wanted = block.of(message, n.BLOCK2) or block.Block(0, False, self._szx)
        if len(response.payload) <= wanted.size and wanted.num == 0:
            return response
        if response.code >> 5 != 2:
            return response  # diagnostics are short
        if response.get(n.ETAG) is None:
            response.add(n.ETAG, etag_of(response.payload))
        self._keep(_key(message, who), response)
        return self._cut(response, wanted)

    def _keep(self, key, response):
        self._kept = [pair for pair in self._kept if pair[0] != key]
        if len(self._kept) >= self._limit:
            self._kept.pop(0)
        self._kept.append((key, response))

    def _cut(self, response, wanted):
        if wanted.szx > self._szx:
            if wanted.num:
                raise FrameError("coap: larger blocks than offered")
            wanted = block.Block(0, False, self._szx)
        if wanted.start >= len(response.payload):
            return error(n.BAD_REQUEST, "no such block")
        piece, found = wanted.cut(response.payload)
        options = [p for p in response.options if p[0] != n.BLOCK2]
        part = Message(n.ACK, response.code, options=options, payload=piece)
        part.add(n.BLOCK2, found.encode())
        if wanted.num == 0:
            part.add(n.SIZE2, len(response.payload))
        return part


def _key(message, who):
    return (who, message.code, [message.all(k) for k in (n.URI_PATH, n.URI_QUERY, n.ACCEPT)])
