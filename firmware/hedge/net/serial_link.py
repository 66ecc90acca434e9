"""The link over a cable: frames as lines of the serial line, to `hedgerow bridge` on a computer.

    link = SerialLink(Console(), "bed-3", info)

DESIGN: uplink -> gateway: frames of at most 200 bytes; acks back. The bridge publishes them under
the same topics as mqtt_link, as this device. SPEC.md has the bytes. The log shares the line. A
bridge that says that it is there is greeted at once, whatever the board waits for.
"""

import asyncio
import random
import time

from ..core.errors import LinkError
from .link import Link, shown
from .serial_lines import LONGEST_TO_BOARD, VERSION, Lines, pack

_READ_BYTES = 64
_HELLO_MS = 1000
_CLOSED_MS = 1000  # between looks at a line that was closed


class SerialLink(Link):
    """stream: has `await readinto(buf)` and `await write(data, limit_ms)`, see serial_stream.py.

    info: bytes for the retained hedge/<device>/info. keepalive_s: a bridge that hears nothing for
    1.5 times this calls the device offline. timeout_ms: limit of every wait for the bridge.
    """

    def __init__(self, stream, device, info=b"", keepalive_s=60, timeout_ms=10000):
        self._stream = stream
        self._device = device.encode()
        self._info = info
        self._keepalive_s = keepalive_s
        self._timeout_ms = timeout_ms
        self._lines = Lines(LONGEST_TO_BOARD)
        self._buf = bytearray(_READ_BYTES)
        self._acks = []  # of one read: what is not read waits in the line
        self._session = None  # two bytes while connected
        self._sent_ms = 0
        self._pinged_ms = None  # while the answer is awaited
        self._bridge_came = False  # and was not greeted yet
        self.bytes_sent = 0

    @property
    def damaged(self):
        """Lines from the bridge that arrived damaged."""
        return self._lines.damaged

    async def connect(self):
        """Always False: what was under way may be lost. LinkError if no bridge answers."""
        await self.close()
        session = random.getrandbits(16).to_bytes(2, "big")
        hello = bytes((VERSION, self._keepalive_s >> 8, self._keepalive_s & 255)) + self._device
        began_ms, wait_ms = time.ticks_ms(), _HELLO_MS
        self._pinged_ms = None
        self._acks.clear()
        while not self._session:
            if self._bridge_came:
                self._bridge_came = False
                began_ms, wait_ms = time.ticks_ms(), _HELLO_MS
            left_ms = self._timeout_ms - time.ticks_diff(time.ticks_ms(), began_ms)
            if left_ms <= 0:
                raise LinkError("serial: no bridge answers: run `hedgerow bridge`")
            await self._write("H", session + hello)
            await self._read_for(session, min(wait_ms, left_ms))
            wait_ms *= 2
        if self._info:
            await self._write("I", session + self._info)
        return False

    async def _read_for(self, session, limit_ms):
        """Read until the bridge welcomes the session or says that it came, or for limit_ms."""
        began_ms = time.ticks_ms()
        while not self._session and not self._bridge_came:
            left_ms = limit_ms - time.ticks_diff(time.ticks_ms(), began_ms)
            if left_ms <= 0 or not await self._read(left_ms, session):
                return

    @property
    def hurry(self):
        """What the uplink waits for between two attempts: see wait()."""
        return self

    async def wait(self):
        """Until a bridge says that it is there. A closed line is connect()'s to tell."""
        while not self._bridge_came:
            n = await self._stream.readinto(self._buf)
            if not n:
                await asyncio.sleep_ms(_CLOSED_MS)
            self._sort(n, None)

    async def send(self, frame):
        self._check_open()
        await self._write("U", self._session + bytes(frame))

    async def recv(self):
        while not self._acks:
            self._check_open()
            if not await self._read(max(self._patience_ms(), 1), self._session):
                await self._keep_alive()
        return self._acks.pop(0)

    def _patience_ms(self):
        """How long to wait for what the bridge says: seldom woken, a board sleeps well."""
        now_ms = time.ticks_ms()
        if self._pinged_ms is not None:
            return self._timeout_ms - time.ticks_diff(now_ms, self._pinged_ms)
        return self._keepalive_s * 750 - time.ticks_diff(now_ms, self._sent_ms)

    async def _keep_alive(self):
        """Ping after 3/4 of keepalive_s in which nothing was sent; frames have their acks."""
        if self._patience_ms() > 0:
            return
        if self._pinged_ms is not None:
            self._session = None
            raise LinkError("serial: the bridge stopped answering")
        self._check_open()
        await self._write("P", self._session)
        self._pinged_ms = self._sent_ms

    async def close(self):
        session, self._session = self._session, None
        if session:
            try:
                await self._write("B", session)
            except (LinkError, OSError, asyncio.TimeoutError):
                pass  # nobody reads: the bridge will notice by itself

    def _check_open(self):
        if not self._session:
            raise LinkError("not connected")

    async def _write(self, kind, body):
        line = pack(kind, body)
        await self._stream.write(line, self._timeout_ms)
        self.bytes_sent += len(line)
        self._mark_sent()

    def _mark_sent(self):
        self._sent_ms = time.ticks_ms()

    async def _read(self, limit_ms, session):
        """Take what comes within limit_ms; False if nothing did. Raises LinkError at the end."""
        try:
            n = await asyncio.wait_for_ms(self._stream.readinto(self._buf), limit_ms)
        except asyncio.TimeoutError:
            return False
        if not n:
            self._session = None
            raise LinkError("serial: the line was closed")
        self._sort(n, session)
        return True

    def _sort(self, n, session):
        """Take the messages in the first n bytes read: of this session, and that a bridge came."""
        for kind, body in self._lines.feed(memoryview(self._buf)[:n]):
            if kind == "h":
                self._bridge_came = True
                self._end_of_bridge()
            elif body[:2] == session:
                self._take(kind, body[2:], session)

    def _end_of_bridge(self):
        """The one that knew this session is gone; the new one is greeted in connect()."""
        if self._session:
            self._session = None
            raise LinkError("serial: the bridge was started anew")

    def _take(self, kind, body, session):
        self._pinged_ms = None
        if kind == "w":
            self._session = session
        elif kind == "a":
            self._acks.append(body)
        elif kind == "n":
            self._session = None
            raise LinkError("bridge: " + shown(body))


def make(cfg, device, info):
    """See link.make_link. uart: a machine.UART; without it the console is the line."""
    from .serial_stream import Console, Uart

    uart = cfg.get("uart")
    stream = Uart(uart, cfg.get("baud") or 115200) if uart else Console()
    return SerialLink(stream, device, info, keepalive_s=cfg.get("keepalive_s") or 60)
