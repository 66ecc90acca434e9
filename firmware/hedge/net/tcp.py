"""A TCP or TLS connection for asyncio that owns its socket: MicroPython only.

    tcp = Tcp("192.168.1.2", 1883)
    stream = await tcp.open()
    await stream.write(packet, 10000)
    n = await stream.readinto(buf)
    stream.close()

Why not asyncio.open_connection: it looks the name up at every call (blocking), leaks the socket
when it is cancelled or refused, and after a failed TLS handshake nobody can close it any more.

What still blocks the loop: the arithmetic of a TLS handshake, which runs between two reads and
cannot be cut up from here; and the name look-up where no DNS server is known (see resolver.py), or
for localhost and names in .local: none for an address, once for a name, then cached.
"""

import asyncio
import errno
import socket
import sys

from ..core.errors import LinkError

# Waiting for a socket without a Stream's buffers; the same call as in extmod/asyncio/stream.py.
_io_queue = asyncio.core._io_queue

_RESOLVER = __name__.rpartition(".")[0] + ".resolver"  # loaded by who knows a DNS server
_LOOK_UP_AGAIN = 3  # failures in a row after which a cached address is doubted


def _writable(sock):
    yield _io_queue.queue_write(sock)


def _send_at_once(sock):
    """One write is one packet here: TCP must not keep it back until the last one is acknowledged.

    A peer that has nothing to say delays that for 40 ms and more (RFC 9293, 3.7.4 and 3.8.6.3).
    """
    try:  # the Unix port has no names for these; lwIP's number for the second is its own
        sock.setsockopt(getattr(socket, "IPPROTO_TCP", 6), getattr(socket, "TCP_NODELAY", 1), 1)
    except OSError:
        pass  # a network chip that cannot: slower, not wrong


class TcpStream:
    """One connection. One task reads while one other writes; close() is the owner's."""

    def __init__(self, sock, tls_sock=None, name=""):
        self._raw = sock
        self._sock = tls_sock or sock
        self._tls_name = name if tls_sock else None
        self.bytes_sent = 0  # handed to the socket, before TLS
        self.heard = False  # a byte came: somebody is there

    def readinto(self, buf):  # async: a generator, which MicroPython awaits, needs no second one
        """At least one byte into buf; returns how many, 0 at the end. Waits without a limit."""
        while True:
            yield _io_queue.queue_read(self._sock)
            try:
                n = self._sock.readinto(buf)
            except (OSError, ValueError) as e:
                raise self._named(e)
            if n is not None:  # None: TLS needs more of the record
                self.heard = self.heard or n > 0
                return n

    async def write(self, data, limit_ms):
        """All of data, in one write if the socket takes it; asyncio.TimeoutError past limit_ms."""
        n = self._put(data)
        if n < len(data):
            await asyncio.wait_for_ms(self._drain(memoryview(data)[n:]), limit_ms)

    async def _drain(self, rest):
        while len(rest):
            await _writable(self._sock)
            rest = rest[self._put(rest) :]

    def _put(self, data):
        """How many bytes of data the socket took."""
        try:
            n = self._sock.write(data) or 0
        except (OSError, ValueError) as e:
            raise self._named(e)
        self.bytes_sent += n
        return n

    def _named(self, error):
        """A LinkError in words for what mbedTLS says in numbers; other errors as they are."""
        if self._tls_name is None:
            return error
        if isinstance(error, ValueError):  # the certificate: mbedTLS's own sentence
            return LinkError("TLS: %s: %s" % (self._tls_name, str(error).strip()))
        if error.errno < 0:
            return LinkError("TLS: %s: %r" % (self._tls_name, error))
        return error

    def close(self):
        """Free both sockets: a failed handshake has cut the TLS one off from the raw one."""
        for sock in (self._sock, self._raw):
            try:
                sock.close()
            except OSError:
                pass  # already reset by the peer; nothing left to free


class Tcp:
    """Where to connect, and how. tls: a tls.SSLContext or None.

    server_hostname: the name that the certificate must carry and SNI sends; host if None.
    """

    def __init__(self, host, port, tls=None, server_hostname=None):
        self._host = host
        self._port = port
        self._tls = tls
        self._name = server_hostname or host
        self._address = None  # cached getaddrinfo entry
        self._stream = None  # the last one
        self._failures = 0  # in a row; a refusal shows at the first write, so only bytes count

    async def open(self):
        """A connected TcpStream; TLS shakes hands with the first write. Raises OSError, LinkError.

        Waits for the connection without a limit: the caller sets one and cancels.
        """
        if self._stream and self._stream.heard:
            self._failures = 0
        self._stream = None
        address = await self._look_up()
        sock = socket.socket(address[0], address[1], address[2])
        try:
            await self._connect(sock, address[-1])
            stream = self._wrap(sock)
        except BaseException:  # cancelled too: the socket must not leak
            sock.close()
            raise
        self._stream = stream
        return stream

    async def _look_up(self):
        resolver = sys.modules.get(_RESOLVER)
        self._failures += 1
        if resolver and resolver.asks_servers(self._host):  # it keeps answers itself
            if self._failures > 1:
                resolver.forget(self._host)  # costs a datagram, and the name may have moved
            return self._found(await resolver.look_up(self._host))
        if self._address is None or self._failures > _LOOK_UP_AGAIN:
            self._address = None
            self._failures = 1
            self._address = self._found(self._host)
        return self._address

    def _found(self, host):
        try:
            return socket.getaddrinfo(host, self._port, 0, socket.SOCK_STREAM)[0]
        except OSError as e:
            raise LinkError("no address for %s: %r" % (self._host, e))

    async def _connect(self, sock, address):
        sock.setblocking(False)
        _send_at_once(sock)
        try:
            sock.connect(address)
        except OSError as e:
            if e.errno != errno.EINPROGRESS:
                raise
        await _writable(sock)  # a refusal shows at the first write

    def _wrap(self, sock):
        if self._tls is None:
            return TcpStream(sock)
        try:
            tls_sock = self._tls.wrap_socket(
                sock, server_hostname=self._name, do_handshake_on_connect=False
            )
        except (OSError, ValueError) as e:
            raise LinkError("TLS: %s: %r" % (self._name, e))
        return TcpStream(sock, tls_sock, self._name)
