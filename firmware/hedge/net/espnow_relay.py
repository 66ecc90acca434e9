"""A board with Wi-Fi that carries the frames of ESP-NOW nodes over a link of its own.

    relay = Relay(Radio(), lambda device, info: make_link({"kind": "mqtt", ...}, device, info))
    asyncio.run(relay.run())

DESIGN: uplink -> gateway: each node's frames and acks, under the node's name, so the gateway sees
nodes and no relay. Nothing is kept here: a node forgets a record when the gateway's ack came.
"""

import asyncio
import time

from ..core import log
from ..core.errors import FrameError, LinkError
from ..wire.frame import is_device_name
from .espnow_parts import DOWN, UP, Parts, pack

# FrameError too: a link over LoRaWAN reads the frames, and a node may send others.
_LOST = (LinkError, FrameError, OSError, asyncio.TimeoutError)
_WAITING = 8  # messages of a node that wait for its link


class Relay:
    """radio: as espnow_radio.Radio. make(device, info): a Link. most: nodes at a time; each costs
    a link, over MQTT a TCP connection.
    """

    def __init__(self, radio, make, most=8):
        self._radio = radio
        self._make = make
        self._most = most
        self._nodes = {}  # mac -> _Node
        self._parts = Parts()
        self._number = 0
        self.refused = 0

    async def run(self):
        """Until cancelled."""
        try:
            while True:
                hop, data = await self._radio.recv()
                message = self._parts.take(data)
                if message and message[0] == UP:
                    await self._take(hop, *message[1:])
        finally:
            for mac in list(self._nodes):
                await self._drop(mac)

    async def _take(self, hop, mac, kind, body):
        node = self._nodes.get(mac)
        session, body = body[:2], body[2:]
        if len(session) < 2:
            return
        if kind == "H":
            await self._hello(hop, mac, session, body)
        elif node is None or node.session != session:
            await self.tell(hop, mac, "n", session + b"no such session")
        else:
            node.take(hop, kind, body)

    async def _hello(self, hop, mac, session, body):
        known = self._nodes.get(mac)
        if known and known.session == session:
            known.take(hop, "H", body)  # our welcome was lost
            return
        await self._drop(mac)
        await self._drop_silent()
        device = _device_of(body)
        if len(self._nodes) >= self._most or device is None:
            self.refused += 1
            why = b"no device name" if device is None else b"the relay is full"
            await self.tell(hop, mac, "n", session + why)
            return
        info = known.info if known else b""
        self._nodes[mac] = _Node(self, hop, mac, session, device, body, info)

    async def _drop_silent(self):
        for mac, node in list(self._nodes.items()):
            if node.is_silent():
                await self._drop(mac)

    async def _drop(self, mac):
        node = self._nodes.pop(mac, None)
        if node:
            await node.close()

    async def tell(self, hop, mac, kind, body):
        """To the node mac, by way of hop."""
        self._number += 1
        try:
            for datagram in pack(mac, DOWN, self._number, kind, body):
                await self._radio.send(hop, datagram)
        except LinkError as e:
            log.debug("relay", "%s", e)  # the node asks again

    def link(self, device, info):
        return self._make(device, info)


def _device_of(hello):
    """The name in it; None if there is none that a gateway would take: anyone can send."""
    name = "".join([chr(c) for c in hello[3:]])
    return name if is_device_name(name) else None


class _Node:
    """One session of one node. What it says is done in its order, by a task of its own."""

    def __init__(self, relay, hop, mac, session, device, hello, info):
        self._relay = relay
        self._hop = hop
        self._mac = mac
        self.session = session
        self._silent_ms = (hello[1] << 8 | hello[2]) * 1500
        self._device = device
        self.info = info
        self._link = None
        self._heard_ms = time.ticks_ms()
        self._waiting = []
        self._came = asyncio.Event()
        self._tasks = [asyncio.create_task(self._run())]

    def take(self, hop, kind, body):
        self._hop = hop
        self._heard_ms = time.ticks_ms()
        if len(self._waiting) < _WAITING:
            self._waiting.append((kind, body))
            self._came.set()

    def is_silent(self):
        return time.ticks_diff(time.ticks_ms(), self._heard_ms) > self._silent_ms

    async def _run(self):
        try:
            await self._open()
            await self._tell("w")
            while True:
                while not self._waiting:
                    self._came.clear()
                    await self._came.wait()
                await self._do(*self._waiting.pop(0))
        except _LOST as e:
            await self._lose(e)

    async def _open(self):
        """The link under the node's name; again when its info map is another than before."""
        await self._close_link()
        self._link = self._relay.link(self._device, self.info)
        await self._link.connect()
        log.info("relay", "%s: connected", self._device)
        self._tasks.append(asyncio.create_task(self._acks()))

    async def _close_link(self):
        for task in self._tasks[1:]:
            task.cancel()
        del self._tasks[1:]
        if self._link:
            await self._link.close()

    async def _do(self, kind, body):
        if kind == "U":
            await self._link.send(body)
        elif kind == "P":
            await self._tell("p")
        elif kind == "H":
            await self._tell("w")
        elif kind == "I" and body != self.info:
            self.info = body
            await self._open()
        elif kind == "B":
            await self._close_link()

    async def _acks(self):
        try:
            while True:
                await self._tell("a", await self._link.recv())
        except _LOST as e:
            await self._lose(e)

    async def _lose(self, error):
        reason = str(error) or repr(error)
        log.warn("relay", "%s: %s", self._device, reason)
        await self._tell("n", reason[:100].encode())
        self.session = b""  # a new hello begins a new one

    async def _tell(self, kind, body=b""):
        await self._relay.tell(self._hop, self._mac, kind, self.session + body)

    async def close(self):
        await self._close_link()
        self._tasks[0].cancel()
