"""CoAP over DTLS 1.2 (RFC 7252 9), client's side, by the port's `tls` module: MicroPython only.

    client = Client(Dtls.to("192.168.1.2", 5684, client_context("ca.pem", dtls=True), "gw.farm"))

The handshake runs inside recv(): sending waits for it, a failure ends the session with a LinkError
in mbedTLS's words. Its arithmetic blocks the loop: tens of milliseconds on the Unix port.

What MicroPython 1.25 cannot: pre-shared keys (its `tls` has none before 1.29), the server's side
with a cookie against floods (1.26), connection ids, resuming a session.
"""

import asyncio

from ...core.errors import LinkError
from .message import MAX_DATAGRAM
from .udp import Udp, readable

_STEP_MS = 250  # how often mbedTLS may look whether a flight is to be sent again


class Dtls:
    """What Client takes as udp. context: a tls.SSLContext for DTLS; name: in the certificate.

    limit_ms: of the handshake.
    """

    def __init__(self, udp, context, name, limit_ms=60000):
        self._udp = udp
        self._name = name
        self._steps = limit_ms // _STEP_MS
        self._waiting = None  # datagram that waits for the handshake; an older one gives way
        self._done = False
        try:
            self._tls = context.wrap_socket(
                udp.sock, server_hostname=name, do_handshake_on_connect=False
            )
        except (OSError, ValueError) as e:
            udp.close()
            raise LinkError("DTLS: %s: %r" % (name, e))

    @classmethod
    def to(cls, host, port, context, name):
        """Connected to host. Raises LinkError, OSError."""
        return cls(Udp.to(host, port), context, name)

    async def recv(self):
        """(datagram, None). Raises LinkError when there is no session."""
        while not self._done:
            data = await self._step()
            if data:
                return data, None
        while True:
            data = self._read()
            if data:
                return data, None
            if data == b"":
                raise LinkError("DTLS: %s ended the session" % self._name)
            await readable(self._tls)

    async def _step(self):
        """One step of the handshake, and the datagram that waited for its end."""
        if self._steps == 0:
            raise LinkError("DTLS: %s does not answer" % self._name)
        data = self._read()
        if data == b"":
            raise LinkError("DTLS: %s refused the handshake" % self._name)
        if data is None:
            self._flush()
        if data is None and not self._done:
            self._steps -= await self._is_silent()
        return data

    async def _is_silent(self):
        """True if nothing came for a step's time."""
        try:
            await asyncio.wait_for_ms(_arrival(self._udp.sock), _STEP_MS)
        except asyncio.TimeoutError:
            return True
        return False

    def _flush(self):
        """Send what waits; that it can be sent shows that the handshake is over."""
        if self._waiting is not None and self._write(self._waiting):
            self._waiting = None

    def _read(self):
        """A datagram, None if there is none yet, b"" at the end."""
        try:
            return self._tls.recv(MAX_DATAGRAM + 1)
        except (OSError, ValueError) as e:
            if isinstance(e, OSError) and e.errno == 11:  # EAGAIN
                return None
            raise self._named(e)

    def _write(self, data):
        try:
            sent = self._tls.write(data)
        except (OSError, ValueError) as e:
            raise self._named(e)
        if sent:
            self._done = True
        return bool(sent)

    def send(self, data, addr):
        """Encrypt and send; before the handshake is over the datagram waits. LinkError."""
        if self._done:
            self._write(data)
        else:
            self._waiting = bytes(data)

    def _named(self, error):
        """mbedTLS's sentence or number as a LinkError: any error ends its session."""
        text = repr(error) if isinstance(error, OSError) else str(error).strip()
        return LinkError("DTLS: %s: %s" % (self._name, text))

    def close(self):
        for sock in (self._tls, self._udp):
            try:
                sock.close()
            except OSError:
                pass  # a failed handshake has closed it already


async def _arrival(sock):
    await readable(sock)
