"""A broker that says exactly the bytes a test gives it, and keeps what it heard.

    broker = ScriptBroker(CONNACK5)
    broker.answers[codec.SUBSCRIBE] = b"\\x90\\x04\\x00\\x01\\x00\\x01"
    client = Client(broker.open_stream, "n", version=5)

answers: packet type -> bytes, or a function of the packet that returns bytes (b"" for silence).
heard: every packet of the client, one per write; a write that is not one packet fails the test.
"""

import asyncio

from fake_mqtt import FakeStream

from hedge.core import log
from hedge.core.errors import LinkError
from hedge.net import mqtt_codec as codec

CONNACK = b"\x20\x02\x00\x00"
CONNACK_PRESENT = b"\x20\x02\x01\x00"
CONNACK5 = b"\x20\x03\x00\x00\x00"
CONNACK5_PRESENT = b"\x20\x03\x01\x00\x00"


class ScriptBroker:
    stalled = False

    def __init__(self, connack=CONNACK):
        self.answers = {codec.CONNECT: connack, codec.PINGREQ: b"\xd0\x00"}
        self.heard = []
        self.streams = []

    async def open_stream(self):
        self.streams.append(FakeStream(self))
        return self.streams[-1]

    def say(self, data):
        self.streams[-1].feed(data)

    def hang_up(self):
        self.streams[-1].hang_up()

    def take(self, stream, data):
        _one_packet(data)
        self.heard.append(data)
        answer = self.answers.get(data[0] >> 4, b"")
        stream.feed(answer if isinstance(answer, bytes) else answer(data))

    def after_connect(self):
        """What came since the last CONNECT."""
        at = max(i for i, p in enumerate(self.heard) if p[0] == 0x10)
        return self.heard[at + 1 :]


def _one_packet(data):
    length = shift = 0
    for at in range(1, len(data)):
        length |= (data[at] & 0x7F) << shift
        shift += 7
        if data[at] < 0x80:
            break
    if len(data) != at + 1 + length:
        raise AssertionError("not one packet a write: %r" % data)


async def soon(check, text, limit_ms=4000):
    for _ in range(limit_ms // 2):
        if check():
            return
        await asyncio.sleep_ms(2)
    raise AssertionError(text + " did not happen")


async def fails(awaitable):
    """The error that awaiting raises."""
    try:
        await awaitable
    except (LinkError, OSError) as e:
        return e
    raise AssertionError("did not raise")


def play(scenario, limit_ms=20000):
    """Run an async test without the log's lines."""
    level, log.level = log.level, log.WARN + 1
    try:
        asyncio.run(asyncio.wait_for_ms(scenario(), limit_ms))
    finally:
        log.level = level
