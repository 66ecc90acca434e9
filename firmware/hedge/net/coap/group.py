"""Multicast: a server that can be found, and a client that looks for servers (RFC 7252 section 8).

group = Group(server)                    # listens on 224.0.1.187:5683
task = asyncio.create_task(group.run())
found = await discover()                 # [("192.168.1.7", [("/temp", {"rt": "t"}), ...]), ...]
"""

import asyncio
import os
import socket

from ...core import log
from ...core.errors import FrameError
from . import linkformat
from . import numbers as n
from .client import request_options
from .endpoint import Endpoint
from .message import Message, decode
from .server import WELL_KNOWN
from .udp import Udp, host_of, resolve
from .waiter import ANY

ALL_COAP_NODES = "224.0.1.187"  # 12.8
_LEISURE_MS = 5000  # 8.2: answers are spread over this time
_MAX_PENDING = 8
_MAX_ANSWERS = 32
_IP = 0  # IPPROTO_IP
# Linux's numbers where the port has no names for them.
_ADD_MEMBERSHIP = getattr(socket, "IP_ADD_MEMBERSHIP", 35)
_MULTICAST_IF = 32


class Group:
    """Answers what is sent to the group, from the server's own socket.

    interface: address of the interface, "0.0.0.0" lets the system choose. Only NON requests are
    answered, errors never, all after a random part of leisure_ms.
    """

    def __init__(
        self,
        server,
        address=ALL_COAP_NODES,
        port=n.PORT,
        interface="0.0.0.0",
        leisure_ms=_LEISURE_MS,
    ):
        self._server = server
        self._leisure_ms = leisure_ms
        self._tasks = set()
        self._udp = Udp.at(address, port)
        member = _ip(address) + _ip(interface)
        self._udp.sock.setsockopt(_IP, _ADD_MEMBERSHIP, member)

    async def run(self):
        """Until cancelled."""
        while True:
            try:
                data, addr = await self._udp.recv()
                self.handle(data, addr)
            except OSError as e:
                log.debug("coap", "group: %r", e)
                await asyncio.sleep_ms(100)

    def handle(self, data, addr):
        """Act on one datagram."""
        try:
            message = decode(data)
        except FrameError:
            return
        if message.kind != n.NON or not n.is_request(message.code):
            return
        response = self._server.answer(message, addr)
        if hasattr(response, "send"):
            response.close()  # a handler that takes its time does not speak to groups
        elif _is_worth(response) and len(self._tasks) < _MAX_PENDING:
            self._tasks.add(asyncio.create_task(self._send(message, response, addr)))

    async def _send(self, message, response, addr):
        try:
            spread = int.from_bytes(os.urandom(2), "big")
            await asyncio.sleep_ms(self._leisure_ms * spread >> 16)
            response.kind, response.token = n.NON, message.token
            self._server.endpoint.notify(response, addr)
        finally:
            self._tasks.discard(asyncio.current_task())

    def close(self):
        for task in list(self._tasks):
            task.cancel()
        self._udp.close()


async def discover(
    query="", address=ALL_COAP_NODES, port=n.PORT, interface=None, wait_ms=_LEISURE_MS + 1000
):
    """List of (host, links) of all that answer within wait_ms; links as linkformat.parse gives.

    query: a filter such as "rt=temperature". Raises LinkError, OSError.
    """
    udp = Udp.at("0.0.0.0", 0)
    if interface:
        udp.sock.setsockopt(_IP, _MULTICAST_IF, _ip(interface))
    endpoint = Endpoint(udp)
    receiver = asyncio.create_task(endpoint.run())
    try:
        waiter = endpoint.watch(ANY, _MAX_ANSWERS)
        path = WELL_KNOWN + ("?" + query if query else "")
        message = Message(n.NON, n.GET, options=request_options(path))
        message.token = waiter.token
        endpoint.notify(message, resolve(address, port))
        await asyncio.sleep_ms(wait_ms)
        return _found(waiter.take_all())
    finally:
        receiver.cancel()
        endpoint.close()


def _is_worth(response):
    """8.2: nobody wants to hear from all that have nothing to say."""
    return response is not None and response.code >> 5 == 2 and response.payload


def _found(answers):
    found = []
    for message, addr in answers:
        try:
            found.append((host_of(addr), linkformat.parse(message.payload)))
        except FrameError as e:
            log.debug("coap", "%s: %s", host_of(addr), e)
    return found


def _ip(text):
    return bytes([int(part) for part in text.split(".")])
