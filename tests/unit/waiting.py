"""What tests of coroutines share, also those without unittest: an inbox, waiting, errors."""

import asyncio

from hedge.core.errors import LinkError


class Inbox:
    """Bytes for a stream's reader: feed() and hang_up() at one end, readinto() at the other."""

    def __init__(self):
        self.ended = False
        self._held = b""
        self._arrived = asyncio.Event()

    def feed(self, data):
        self._held += data
        self._arrived.set()

    def hang_up(self):
        self.ended = True
        self._arrived.set()

    async def readinto(self, buf):
        while not self._held and not self.ended:
            self._arrived.clear()
            await self._arrived.wait()
        n = min(len(buf), len(self._held))
        buf[:n] = self._held[:n]
        self._held = self._held[n:]
        return n


async def soon(check, text, limit_ms=4000):
    for _ in range(limit_ms // 2):
        if check():
            return
        await asyncio.sleep_ms(2)
    raise AssertionError(text + " did not happen")


async def fails(awaitable, kinds=(LinkError, OSError)):
    """The error of these kinds that awaiting raises."""
    try:
        await awaitable
    except kinds as e:
        return e
    raise AssertionError("did not raise")
