"""A TCP connection inside a modem, with the face of tcp.TcpStream."""

import asyncio

from ...core.errors import LinkError

_LOOK_MS = 30000  # an unasked line may be garbled: look whether something came


class ModemStream:
    """One task reads while one other writes. at: an At. kind: module sim7080 or sim800."""

    def __init__(self, at, kind):
        self._at = at
        self._kind = kind
        self._held = b""
        self._there = True  # something may have come
        self._closed = False  # by the other side: what it sent before is still to be read
        self._fault = None
        self._changed = asyncio.Event()
        self.bytes_sent = 0

    async def readinto(self, buf):
        """At least one byte into buf; returns how many, 0 at the end."""
        while not self._held:
            self._check()
            if self._there or self._closed:
                self._there = False
                self._held = await self._fetch()
                if not self._held and self._closed:
                    return 0
                self._there = self._there or bool(self._held)
            else:
                await self._wait()
        n = min(len(buf), len(self._held))
        buf[:n] = self._held[:n]
        self._held = self._held[n:]
        return n

    async def _fetch(self):
        try:
            return await self._kind.receive(self._at, self._kind.MAX_RECEIVE_BYTES)
        except LinkError:
            if self._closed:
                return b""  # a modem may forget a closed connection with what it held
            raise

    async def _wait(self):
        self._changed.clear()
        try:
            await asyncio.wait_for_ms(self._changed.wait(), _LOOK_MS)
        except asyncio.TimeoutError:
            self._there = True

    async def write(self, data, limit_ms):
        """All of data. asyncio.TimeoutError or LinkError past limit_ms."""
        rest = memoryview(data)
        while len(rest):
            self._check()
            if self._closed:
                raise LinkError("modem: the other side closed the connection")
            part = bytes(rest[: self._kind.MAX_SEND_BYTES])
            await self._kind.send(self._at, part, limit_ms)
            self.bytes_sent += len(part)
            rest = rest[len(part) :]

    def _check(self):
        if self._fault:
            raise self._fault

    def told(self, meaning):
        """What the modem said unasked: "data", "closed", "off"."""
        if meaning == "data":
            self._there = True
        elif meaning == "closed":
            self._closed = True
        else:
            self._fault = LinkError("modem: off the network")
        self._changed.set()

    def end(self, error):
        """Nothing more will come."""
        self._fault = self._fault or error
        self._changed.set()

    def close(self):
        """The modem's own connection is closed by Modem.rest() or the next Modem.open()."""
        self.end(LinkError("not connected"))
