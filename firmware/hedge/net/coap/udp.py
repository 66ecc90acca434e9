"""A UDP socket for asyncio, MicroPython only.

    udp = Udp.to("192.168.1.2", 5683)     # one peer: addresses are None
    udp = await Udp.open_to("gw.farm", 5683)
    udp = Udp.at("0.0.0.0", 5683)         # many
    data, addr = await udp.recv()
    udp.send(data, addr)

An address costs nothing. A name blocks the loop in to() and at(), which have getaddrinfo(), and in
open_to() where no DNS server is known (see resolver.py).
"""

import asyncio
import socket
import sys

from ...core.errors import LinkError
from .message import MAX_DATAGRAM

# Waiting for a socket without a Stream's buffers; the same call as in extmod/asyncio/stream.py.
_io_queue = asyncio.core._io_queue

_RESOLVER = __name__.rpartition(".coap.")[0] + ".resolver"  # loaded by who knows a DNS server


def readable(sock):
    yield _io_queue.queue_read(sock)


def resolve(host, port):
    """What send() takes as addr. Raises LinkError."""
    return _info(host, port)[-1]


def _info(host, port):
    try:
        return socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0]
    except OSError as e:
        raise LinkError("no address for %s: %r" % (host, e))


def host_of(addr):
    """The IPv4 address of an addr as text."""
    if isinstance(addr, tuple):
        return addr[0]
    return ".".join([str(b) for b in addr[4:8]])  # the Unix port has struct sockaddr_in in bytes


class Udp:
    """sock: a non-blocking datagram socket; connected: it has one peer."""

    def __init__(self, sock, connected):
        self._sock = sock
        self._connected = connected

    @classmethod
    def to(cls, host, port):
        """Connected to host. Raises LinkError, OSError."""
        return cls._opened(host, port, True)

    @classmethod
    async def open_to(cls, host, port, doubted=False):
        """As to(). doubted: where the name led before nobody answered."""
        resolver = sys.modules.get(_RESOLVER)
        if resolver and resolver.asks_servers(host):  # it keeps answers itself
            if doubted:
                resolver.forget(host)
            host = await resolver.look_up(host)
        return cls.to(host, port)

    @classmethod
    def at(cls, host, port):
        """Bound to host and port. Raises LinkError, OSError."""
        return cls._opened(host, port, False)

    @classmethod
    def _opened(cls, host, port, connected):
        family, _, _, _, addr = _info(host, port)
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            if connected:
                sock.connect(addr)
            else:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(addr)
            sock.setblocking(False)
        except OSError:
            sock.close()
            raise
        return cls(sock, connected)

    @property
    def sock(self):
        """The socket, for options such as multicast."""
        return self._sock

    async def recv(self):
        """(datagram, addr). Waits without a limit.

        Longer datagrams than MAX_DATAGRAM are left out. Raises OSError.
        """
        while True:
            await readable(self._sock)
            found = self._read()
            if found is not None and len(found[0]) <= MAX_DATAGRAM:
                return found

    def _read(self):
        # One byte more than is taken, so that a longer datagram is noticed and not cut. Never
        # readinto(): it goes on reading and joins what waits in the socket to one.
        try:
            if self._connected:
                return self._sock.recv(MAX_DATAGRAM + 1), None
            return self._sock.recvfrom(MAX_DATAGRAM + 1)
        except OSError as e:
            if e.errno == 11:  # EAGAIN: the datagram was dropped between poll and read
                return None
            raise

    def send(self, data, addr):
        """Hand a datagram to the network, at once. Raises OSError."""
        if self._connected:
            self._sock.send(data)
        else:
            self._sock.sendto(data, addr)

    def close(self):
        try:
            self._sock.close()
        except OSError:
            pass  # nothing left to free
