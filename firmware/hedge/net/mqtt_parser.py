"""Cuts a byte stream into MQTT packets in one buffer, whatever the version.

    parser = Parser(max_packet_bytes=1024)  # of mqtt_codec or mqtt5_codec
    n = sock.readinto(parser.space())
    parser.feed(n)
    packet = parser.next()  # a tuple whose [0] is the packet type, or None: read more

It holds at most one packet of max_packet_bytes and raises ProtocolError for anything malformed;
then the connection is of no further use. Source: OASIS MQTT 3.1.1 and 5.0, section 2.
"""

from ..core.errors import LinkError


class ProtocolError(LinkError):
    """The broker broke the protocol. code: reason code of the DISCONNECT that MQTT 5 answers."""

    def __init__(self, what, code=0x81):
        super().__init__("broker broke the protocol: " + what)
        self.code = code


def need(ok, what, code=0x81):
    """Raise ProtocolError unless ok; 0x81 is "malformed packet", 0x82 "protocol error"."""
    if not ok:
        raise ProtocolError(what, code)


class PacketParser:
    """Fill space() with n bytes, then feed(n), then next() until it returns None.

    A version's Parser adds check(first byte, remaining length, bytes in all), decode(first byte,
    body) and oversized(first byte, start of the body, bytes in all).
    """

    def __init__(self, max_packet_bytes=1024):
        self._view = memoryview(bytearray(max(max_packet_bytes, 16)))
        self.reset()

    def reset(self):
        """Forget what was read: a new connection begins."""
        self._start = 0  # first byte not yet decoded
        self._end = 0  # one past the last byte read
        self._skip = 0  # bytes of a too large packet still to be thrown away

    def space(self):
        """Where the next bytes go: a memoryview, never empty once next() has returned None."""
        rest = self._end - self._start
        if self._start:
            self._view[:rest] = self._view[self._start : self._end]
            self._start, self._end = 0, rest
        return self._view[rest:]

    def wanted(self):
        """How many bytes next() certainly needs, at least 1; for sockets that block."""
        if self._skip:
            return min(self._skip, len(self._view))
        head = self._header()
        if head is None:
            return 1
        return min(head[0] + head[1], len(self._view)) - (self._end - self._start) or 1

    def feed(self, n):
        """The first n bytes of space() are now filled."""
        thrown = min(self._skip, n)
        self._skip -= thrown
        self._end += n
        self._start += thrown

    def next(self):
        """The next packet, or None when more bytes are needed. Raises ProtocolError."""
        head = self._header()
        if head is None:
            return None
        size, length = head
        # before waiting for a body that never comes
        self.check(self._view[self._start], length, size + length)
        have = self._end - self._start
        if have >= size + length:
            return self._take(size, length)
        if size + length > len(self._view) and have == len(self._view):
            return self._take_oversized(size, length)
        return None

    def _header(self):
        """(bytes of the fixed header, remaining length), or None while incomplete."""
        at = self._start + 1
        if at < self._end and self._view[at] < 0x80:
            return 2, self._view[at]
        length = shift = 0
        for i in range(at, self._end):
            digit = self._view[i]
            length |= (digit & 0x7F) << shift
            if digit < 0x80:
                return i + 1 - self._start, length
            shift += 7
            need(shift < 28, "remaining length of more than 4 bytes")
        return None

    def _take(self, size, length):
        start = self._start
        self._start = start + size + length
        return self.decode(self._view[start], self._view[start + size : start + size + length])

    def _take_oversized(self, size, length):
        start, total = self._start, size + length
        packet = self.oversized(self._view[start], self._view[start + size : self._end], total)
        self._skip = total - (self._end - start)
        self._start = self._end
        return packet
