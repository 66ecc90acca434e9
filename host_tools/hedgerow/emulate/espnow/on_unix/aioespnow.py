"""micropython-lib's aioespnow on the Unix port, as far as Hedgerow uses it; see ../README.md.

Source: MicroPython 1.25 documentation, module espnow: add_peer before a unicast, 250 bytes and 20
peers at most, OSError otherwise.
"""

import asyncio
import os
import socket
from binascii import unhexlify

MAX_DATA_LEN = 250
_MAX_PEERS = 20
_io_queue = asyncio.core._io_queue


def own_mac():
    return unhexlify(os.getenv("ESPNOW_MAC"))


def _readable(sock):
    yield _io_queue.queue_read(sock)


class AIOESPNow:
    def __init__(self):
        self._peers = []
        self._sock = None

    def active(self, on):
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.connect(socket.getaddrinfo("127.0.0.1", int(os.getenv("ESPNOW_AIR")))[0][-1])
        self._sock.setblocking(False)
        self._sock.send(bytes(6) + own_mac())

    def add_peer(self, mac):
        if len(self._peers) == _MAX_PEERS:
            raise OSError(-12395, "ESP_ERR_ESPNOW_FULL")
        self._peers.append(bytes(mac))

    def del_peer(self, mac):
        self._peers.remove(bytes(mac))

    async def asend(self, mac, data, sync=True):
        """True always: whether the other radio took it, the simulated air does not tell."""
        if bytes(mac) not in self._peers:
            raise OSError(-12393, "ESP_ERR_ESPNOW_NOT_FOUND")
        if not 0 < len(data) <= MAX_DATA_LEN:
            raise ValueError("ESP-NOW data of %d bytes" % len(data))
        self._sock.send(bytes(mac) + own_mac() + bytes(data))
        await asyncio.sleep_ms(0)
        return True

    async def arecv(self):
        await _readable(self._sock)
        data = self._sock.recv(512)
        return [data[6:12], data[12:]]
