"""A broker that says exactly the bytes a test gives it, and keeps what it heard.

    broker = ScriptBroker(CONNACK5)
    broker.answers[codec.SUBSCRIBE] = b"\\x90\\x04\\x00\\x01\\x00\\x01"
    client = client_of(broker, 5)

    broker, client = await connected(5)

answers: packet type -> bytes, or a function of the packet that returns bytes (b"" for silence).
heard: every packet of the client, one per write; a write that is not one packet fails the test.
"""

import asyncio

from fake_mqtt import FakeStream, body_at

from hedge.core import log
from hedge.net import mqtt_codec as codec
from hedge.net.mqtt import Client

CONNACK = b"\x20\x02\x00\x00"
CONNACK_PRESENT = b"\x20\x02\x01\x00"
CONNACK5 = b"\x20\x03\x00\x00\x00"
CONNACK5_PRESENT = b"\x20\x03\x01\x00\x00"
NEW = {4: CONNACK, 5: CONNACK5}  # by version
PRESENT = {4: CONNACK_PRESENT, 5: CONNACK5_PRESENT}


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
        body_at(data)  # raises if it is not one packet
        self.heard.append(data)
        answer = self.answers.get(data[0] >> 4, b"")
        stream.feed(answer if isinstance(answer, bytes) else answer(data))

    def after_connect(self):
        """What came since the last CONNECT."""
        at = max(i for i, p in enumerate(self.heard) if p[0] == 0x10)
        return self.heard[at + 1 :]


def client_of(broker, version=4, **options):
    options.setdefault("timeout_ms", 20000)
    options.setdefault("keepalive_s", 0)
    return Client(broker.open_stream, "n", version=version, **options)


async def connected(version, **options):
    """(broker, client of it)"""
    broker = ScriptBroker(NEW[version])
    client = client_of(broker, version, **options)
    await client.connect()
    return broker, client


def play(scenario, limit_ms=60000):
    """Run an async test without the log's lines."""
    level, log.level = log.level, log.WARN + 1
    try:
        asyncio.run(asyncio.wait_for_ms(scenario(), limit_ms))
    finally:
        log.level = level
