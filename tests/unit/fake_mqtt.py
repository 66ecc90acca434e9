"""A broker without sockets: speaks to one client through FakeStreams, records, and misbehaves.

    broker = FakeBroker()
    client = Client(broker.open_stream, "bed-3")

Knobs: refuse (CONNACK code), forget (lose the session), mute (answer nothing), no_puback, no_ping,
deny (SUBACK 0x80). `writes` holds every write as it came, `published` what arrived.
"""

import asyncio

from waiting import Inbox

from hedge.net import mqtt_codec as codec


def body_at(data):
    """Where the body begins in data, which must be one packet."""
    length = shift = 0
    for at in range(1, len(data)):
        length |= (data[at] & 0x7F) << shift
        shift += 7
        if data[at] < 0x80:
            break
    if len(data) != at + 1 + length:
        raise AssertionError("not one packet a write: %r" % data)
    return at + 1


def packets_in(parser, data, piece=None):
    """All packets in data, fed in pieces of that many bytes."""
    found = []
    while data:
        space = parser.space()
        n = min(len(space), len(data), piece or len(data))
        space[:n] = data[:n]
        data = data[n:]
        parser.feed(n)
        packet = parser.next()
        while packet is not None:
            found.append(packet)
            packet = parser.next()
    return found


def _string(data, at):
    end = at + 2 + (data[at] << 8 | data[at + 1])
    return bytes(data[at + 2 : end]), end


class FakeStream(Inbox):
    """What tcp.TcpStream offers; `feed` gives the client bytes, `hang_up` ends the stream."""

    def __init__(self, broker):
        Inbox.__init__(self)
        self.bytes_sent = 0
        self.closed = False
        self._broker = broker

    async def write(self, data, limit_ms):
        if self.ended:
            raise OSError(104)
        if self._broker.stalled:
            await asyncio.wait_for_ms(asyncio.Event().wait(), limit_ms)
        self.bytes_sent += len(data)
        self._broker.take(self, bytes(data))

    def close(self):
        self.closed = True


class FakeBroker:
    def __init__(self):
        self.refuse = 0
        self.forget = self.mute = self.no_puback = self.no_ping = self.deny = False
        self.stalled = False  # takes no bytes any more
        self.offline = False  # nobody listens
        self.has_session = False
        self.connects = []  # raw CONNECT packets
        self.writes = []  # (first byte, packet) of all but CONNECT
        self.published = []  # (topic, payload, qos, retain, dup, packet id)
        self.pubacks = []
        self.subscribed = []
        self.streams = []

    async def open_stream(self):
        await asyncio.sleep_ms(0)
        if self.offline:
            raise OSError(111)
        self.streams.append(FakeStream(self))
        return self.streams[-1]

    @property
    def stream(self):
        return self.streams[-1]

    def deliver(self, topic, payload, qos=1, packet_id=77):
        self.stream.feed(bytes(codec.publish(topic, payload, qos, False, packet_id)))

    def take(self, stream, data):
        at = body_at(data)
        kind = data[0] >> 4
        if kind == codec.CONNECT:
            self.connects.append(data)
        else:
            self.writes.append(data)
        if not self.mute:
            getattr(self, "_take_%d" % kind)(stream, data, at)

    def _take_1(self, stream, data, at):
        clean = data[at + 7] & 0x02
        present = self.has_session and not self.forget and not clean
        if not self.refuse:
            self.has_session = not clean
        stream.feed(bytes((0x20, 2, int(present and not self.refuse), self.refuse)))

    def _take_3(self, stream, data, at):
        qos = data[0] >> 1 & 3
        name, at = _string(data, at)
        packet_id = data[at] << 8 | data[at + 1] if qos else 0
        payload = data[at + 2 :] if qos else data[at:]
        flags = (bool(data[0] & 1), bool(data[0] & 8), packet_id)
        self.published.append((name.decode(), payload, qos) + flags)
        if qos and not self.no_puback:
            stream.feed(codec.ack(codec.PUBACK, packet_id))

    def _take_4(self, stream, data, at):
        self.pubacks.append(data[2] << 8 | data[3])

    def _take_8(self, stream, data, at):
        name, end = _string(data, at + 2)
        self.subscribed.append((name.decode(), data[end]))
        code = 0x80 if self.deny else data[end]
        stream.feed(b"\x90\x03" + data[at : at + 2] + bytes((code,)))

    def _take_10(self, stream, data, at):
        stream.feed(b"\xb0\x02" + data[at : at + 2])

    def _take_12(self, stream, data, at):
        if not self.no_ping:
            stream.feed(b"\xd0\x00")

    def _take_14(self, stream, data, at):
        stream.hang_up()
