"""Requests whose body comes in blocks (RFC 7959 2.5), put together in bounded memory."""

import time

from . import block
from . import numbers as n
from .message import Message
from .resource import error

# 7959 2.5, 9175 3.3: blocks of requests that differ in one of these are of different bodies
_ONE_BODY = (n.URI_PATH, n.URI_QUERY, n.CONTENT_FORMAT, n.REQUEST_TAG)
_MAX_AGE_MS = 60000  # a client that stops in the middle is forgotten


class Uploads:
    """limit: bodies at a time; past that the oldest is dropped. max_bytes: of one body."""

    def __init__(self, limit=2, max_bytes=2048):
        self._limit = limit
        self._max_bytes = max_bytes
        self._parts = []  # [key, bytearray, ticks_ms], oldest first

    def take(self, message, who):
        """None if message now has its whole body as payload; else the response that asks for more.

        who: of whom the blocks must be. Raises FrameError for a malformed Block1.
        """
        found = block.of(message, n.BLOCK1)
        if found is None or not (found.more or found.num):
            return None if len(message.payload) <= self._max_bytes else self._too_large()
        self._expire()
        key = (who, message.code, [message.all(number) for number in _ONE_BODY])
        part = self._part(key, found)
        if part is None or found.start != len(part[1]):
            return error(n.INCOMPLETE)
        if found.more and len(message.payload) != found.size:
            return error(n.BAD_REQUEST, "block of another size")
        if len(part[1]) + len(message.payload) > self._max_bytes:
            self._parts.remove(part)
            return self._too_large()
        return self._grow(part, message, found)

    def _grow(self, part, message, found):
        part[1].extend(message.payload)
        part[2] = time.ticks_ms()
        if found.more:
            response = Message(n.ACK, n.CONTINUE)
            response.add(n.BLOCK1, found.encode())
            return response
        self._parts.remove(part)
        message.payload = bytes(part[1])
        return None

    def _part(self, key, found):
        for part in self._parts:
            if part[0] == key:
                if found.num == 0:
                    part[1] = bytearray()  # from the start again
                return part
        if found.num:
            return None
        if len(self._parts) >= self._limit:
            self._parts.pop(0)
        part = [key, bytearray(), time.ticks_ms()]
        self._parts.append(part)
        return part

    def _expire(self):
        now_ms = time.ticks_ms()
        self._parts = [p for p in self._parts if time.ticks_diff(now_ms, p[2]) < _MAX_AGE_MS]

    def _too_large(self):
        response = error(n.TOO_LARGE)
        response.add(n.SIZE1, self._max_bytes)
        return response
