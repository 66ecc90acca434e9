"""What links share whose ack is the answer to a frame: CoAP, HTTP."""

import asyncio

from ..core.errors import LinkError
from .link import Link


class AskingLink(Link):
    """A subclass sets _is_open, puts frames into and out of _under_way, answers into _acks and
    what ends the session into _fault, and sets _changed after each."""

    def __init__(self, under_way):
        """under_way: an empty list or set."""
        self._under_way = under_way
        self._acks = []  # at most one of each frame under way
        self._is_open = False
        self._fault = None
        self._changed = asyncio.Event()

    async def recv(self):
        while not self._acks:
            self._check_session()
            await self._change()
        return self._acks.pop(0)

    async def _wait_for_room(self):
        while self._fault is None and len(self._under_way) >= self.window:
            await self._change()
        self._check_session()

    def _check_session(self):
        if self._fault:
            raise self._fault
        if not self._is_open:
            raise LinkError("not connected")

    async def _change(self):
        self._changed.clear()
        await self._changed.wait()

    def _end(self):
        """Forget the session."""
        self._is_open = False
        self._under_way.clear()
        self._acks.clear()
        self._fault = None
        self._changed.set()
