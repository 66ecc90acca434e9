"""A small HTTP/1.1 client on an asyncio stream: one request at a time, kept alive, bounded.

    http = Http(Tcp("192.168.1.2", 8080).open, "192.168.1.2:8080")
    status, body = await http.request("POST", "/api/up/bed-3", frame)

Source: RFC 9110 and RFC 9112, sections named below. Bodies come with Content-Length, or until the
connection closes; chunked ones (RFC 9112 section 7.1) and redirects are not followed.
"""

import asyncio

from ..core.errors import LinkError

_READ_BYTES = 128
_MAX_LINE_BYTES = 256
_MAX_HEAD_BYTES = 2048
_BODY_HEAD = "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n"


class Http:
    """open_stream: coroutine that gives a tcp.TcpStream. host: for the Host header.

    max_body_bytes: of an answer; a longer one is a LinkError. limit_ms: of a whole exchange.
    """

    def __init__(self, open_stream, host, max_body_bytes=512, limit_ms=20000):
        self._open_stream = open_stream
        self._host = host
        self._max_body_bytes = max_body_bytes
        self._limit_ms = limit_ms
        self._stream = None
        self._buf = bytearray(_READ_BYTES)
        self._held = b""  # read, not yet taken
        self._heard = False  # a byte of this answer came
        self._bytes_before = 0  # on connections already closed
        self.connections = 0

    @property
    def bytes_sent(self):
        """Bytes handed to sockets, TLS and TCP/IP not counted."""
        return self._bytes_before + (self._stream.bytes_sent if self._stream else 0)

    async def request(self, method, path, body=b"", headers=""):
        """(status, body as bytes). headers: lines that end with CR LF.

        Raises LinkError, OSError, asyncio.TimeoutError; the connection is closed then. Whoever
        calls it must be able to repeat itself: a request whose kept connection turns out to be
        closed goes out once more (RFC 9112 section 9.3.1).
        """
        kept = self._stream is not None
        try:
            return await self._limited(method, path, body, headers)
        except (LinkError, OSError):
            if not kept or self._heard:
                raise
        return await self._limited(method, path, body, headers)

    async def _limited(self, method, path, body, headers):
        try:
            work = self._exchange(method, path, body, headers)
            return await asyncio.wait_for_ms(work, self._limit_ms)
        except BaseException:  # cancelled too: half an answer must not be taken for the next
            self.close()
            raise

    async def _exchange(self, method, path, body, headers):
        self._heard = False
        if self._stream is None:
            self._held = b""
            self._stream = await self._open_stream()
            self.connections += 1
        head = "%s %s HTTP/1.1\r\nHost: %s\r\n%s" % (method, path, self._host, headers)
        request = (head + _BODY_HEAD % len(body) + "\r\n").encode() + body
        await self._stream.write(request, self._limit_ms)
        return await self._answer()

    async def _answer(self):
        status, length, closes = await self._head()
        while 100 <= status < 200:  # RFC 9110 section 15.2: interim answers come before the one
            status, length, closes = await self._head()
        if status in (204, 304):
            length = 0
        body = await self._body(length)
        if closes or length is None:
            self.close()
        return status, body

    async def _head(self):
        status, closes = _status_line(await self._line())
        length = None
        size = 0
        while True:
            line = await self._line()
            if not line:
                return status, length, closes
            size += len(line)
            if size > _MAX_HEAD_BYTES:
                raise LinkError("HTTP: more than %d bytes of headers" % _MAX_HEAD_BYTES)
            name, value = _field(line)
            if name == "content-length":
                length = _length(value, length)
            elif name == "transfer-encoding":
                raise LinkError("HTTP: transfer-encoding %s is not read" % value)
            elif name == "connection":
                closes = value.lower() == "close" or (closes and value.lower() != "keep-alive")

    async def _line(self):
        """One line without its end."""
        while True:
            end = self._held.find(b"\n")
            if end >= 0:
                line = self._held[:end]
                self._held = self._held[end + 1 :]
                return line[:-1] if line.endswith(b"\r") else line
            if len(self._held) > _MAX_LINE_BYTES:
                raise LinkError("HTTP: a line of more than %d bytes" % _MAX_LINE_BYTES)
            if not await self._more():
                raise LinkError("HTTP: the connection ended before the answer did")

    async def _body(self, length):
        wanted = self._max_body_bytes + 1 if length is None else length
        if wanted > self._max_body_bytes and length is not None:
            raise LinkError("HTTP: an answer of %d bytes" % length)
        while len(self._held) < wanted and await self._more():
            pass
        if length is None and len(self._held) > self._max_body_bytes:
            raise LinkError("HTTP: an answer of more than %d bytes" % self._max_body_bytes)
        if length is not None and len(self._held) < length:
            raise LinkError("HTTP: the connection ended before the answer did")
        body = self._held[:wanted]
        self._held = self._held[len(body) :]
        return body

    async def _more(self):
        n = await self._stream.readinto(self._buf)
        self._heard = self._heard or n > 0
        self._held += bytes(memoryview(self._buf)[:n])
        return n

    def close(self):
        """End the connection; may be called at any time. Never raises."""
        stream, self._stream = self._stream, None
        if stream:
            self._bytes_before += stream.bytes_sent
            stream.close()


def _status_line(line):
    """(status, whether the connection ends with the answer), RFC 9112 section 4."""
    parts = line.split(b" ", 2)
    known = len(parts) > 1 and parts[0] in (b"HTTP/1.1", b"HTTP/1.0")
    if not known or len(parts[1]) != 3 or not parts[1].isdigit():
        raise LinkError("HTTP: not an answer: %r" % line[:40])
    return int(parts[1]), parts[0] == b"HTTP/1.0"


def _field(line):
    name, colon, value = line.partition(b":")
    if not colon or not name or name[-1:] == b" ":
        raise LinkError("HTTP: not a header: %r" % line[:40])
    try:
        return name.decode().lower(), value.strip().decode()
    except ValueError:  # UnicodeError is one
        return "", ""  # of a header that says nothing to us


def _length(value, known):
    if not value.isdigit() or len(value) > 9 or known not in (None, int(value)):
        raise LinkError("HTTP: content-length %r" % value[:20])
    return int(value)
