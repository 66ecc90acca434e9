"""MQTT 3.1.1 and 5: the codecs, the client in session after session, and umqtt's way."""

import asyncio
import random

from script_mqtt import NEW, PRESENT, ScriptBroker
from trial import Reader

from hedge.core.errors import LinkError
from hedge.net import mqtt5_codec
from hedge.net import mqtt_codec as codec
from hedge.net.mqtt import Client
from hedge.net.mqtt5 import Wire

_LIMIT = 128
_SEEDS_4 = [
    b"\x20\x02\x01\x00",
    b"\x20\x02\x00\x05",
    b"\x32\x08\x00\x03a/b\x00\x07!",
    b"\x3b\x06\x00\x01c\x00\x08x",
    bytes(codec.publish("hedge/bed-3/ack", bytes(100), 1, False, 513)),
    bytes(codec.publish("hedge/bed-3/ack", bytes(300), 1, False, 513)),
    b"\x34\x07\x00\x01c\x00\x08xy",
    b"\x40\x02\x00\x09",
    b"\x50\x02\x00\x09",
    b"\x62\x02\x00\x08",
    b"\x70\x02\x00\x09",
    b"\x90\x04\x00\x0a\x01\x80",
    b"\xb0\x02\x00\x0b",
    b"\xd0\x00",
]
_SEEDS_5 = [
    b"\x20\x0c\x01\x00\x09\x21\x00\x05\x27\x00\x00\x10\x00\x24",
    b"\x20\x0f\x00\x00\x0c\x12\x00\x03abc\x13\x00\x3c\x22\x00\x05",
    b"\x20\x0a\x00\x87\x07\x1f\x00\x04no!!",
    b"2 \x00\x03a/b\x00\x07\x17\x02\x00\x00\x00\t&\x00\x04unit\x00\x02mV\x03\x00\x01x#\x00\x01!",
    bytes(Wire(_LIMIT).publish("a/b", b"!", 2, False, 7, {"correlation_data": b"1234"})),
    b"0\x06\x00\x00\x03#\x00\x01",
    bytes(Wire(_LIMIT).publish("hedge/bed-3/ack", bytes(300), 1, False, 513)),
    b"\x40\x02\x00\x09",
    b"\x50\x0b\x00\x09\x97\x07\x1f\x00\x04full",
    b"\x62\x03\x00\x0a\x92",
    b"\x70\x04\x00\x0a\x92\x00",
    b"\x90\x0a\x00\x0a\x05\x1f\x00\x02no\x01\x87",
    b"\xb0\x04\x00\x0b\x00\x11",
    b"\xd0\x00",
    b"\xe0\x09\x8e\x07\x1f\x00\x04bye!",
]
_SEEDS = {4: _SEEDS_4, 5: _SEEDS_5}
_TOKENS = (b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x01", b"\xff\xff", b"\x23\x00\x00", b"\x0b\x00")


def _parsers(version):
    if version == 4:
        return codec.Parser(_LIMIT), codec.Parser(_LIMIT)
    found = mqtt5_codec.Parser(_LIMIT), mqtt5_codec.Parser(_LIMIT)
    for parser in found:
        parser.alias_max = 2
    return found


def _parsed(parser, data, most):
    """Packets decoded before the end or the error, and whether there was an error."""
    parser.reset()
    found = []
    try:
        while data:
            space = parser.space()
            assert 0 < len(space) <= _LIMIT
            size = min(len(space), len(data), 1 + random.getrandbits(15) % most)
            space[:size] = data[:size]
            data = data[size:]
            parser.feed(size)
            packet = parser.next()
            while packet is not None:
                found.append(packet)
                packet = parser.next()
            assert 1 <= parser.wanted() <= _LIMIT
    except LinkError:
        return found, True
    return found, False


def _codec(version):
    """Fed at once and in small pieces, the outcome is the same."""

    def make():
        one, other = _parsers(version)

        def read(data):
            whole = _parsed(one, data, 32768)
            assert whole == _parsed(other, data, 20)
            assert len(whole[0]) <= len(data) // 2
            if whole[1]:
                raise LinkError

        return Reader(read, _SEEDS[version], (LinkError,), _TOKENS)

    return make


class _Sessions:
    """A client that connects well, publishes at each QoS, subscribes, and then is lied to."""

    def __init__(self, version):
        self._connacks = NEW[version], PRESENT[version]
        self._broker = ScriptBroker(NEW[version])
        self._left = 0
        self._work = None
        more = {"topic_alias_max": 2} if version == 5 else {}
        self._client = Client(
            self._broker.open_stream,
            "fuzz",
            version=version,
            keepalive_s=0,
            timeout_ms=2000,
            max_inflight=6,
            max_packet_bytes=128,
            on_message=lambda *message: None,
            **more,
        )

    async def read(self, data):
        if not self._left:
            await self._begin()
        self._left -= 1
        self._broker.say(data)
        for _ in range(4):
            await asyncio.sleep_ms(0)
        ended = not self._client.connected
        if ended or not self._left:
            await self._end()
        if ended:
            raise LinkError

    async def _begin(self):
        """A resend may be cut, a session that is promised may not be there: then a new one."""
        broker = self._broker
        for connack in (self._connacks[random.getrandbits(1)], self._connacks[0]):
            del broker.heard[:], broker.streams[:]
            broker.answers[1] = connack
            try:
                await self._client.connect()
                break
            except LinkError:
                self._client.close()
        else:
            raise AssertionError("a good CONNACK, and no session")
        self._work = asyncio.create_task(self._node())
        self._left = 1 + random.getrandbits(2)

    async def _node(self):
        client = self._client
        try:
            for qos in range(3):
                if client.inflight < 5:
                    await client.publish("t", b"x", qos, wait=False)
            await client.subscribe("t")
        except (LinkError, OSError):
            pass  # the session ended under it

    async def _end(self):
        self._left = 0
        self._broker.hang_up()
        await self._work
        self._client.close()


def _client(version):
    def make():
        return Reader(_Sessions(version).read, _SEEDS[version], (LinkError,), _TOKENS)

    return make


class _Socket:
    """MicroPython's: read gives bytes, b"" at the end."""

    def __init__(self):
        self.held = b""

    def read(self, size):
        data, self.held = self.held[:size], self.held[size:]
        return data

    def write(self, data):
        return len(data)

    def setblocking(self, flag):
        pass

    def settimeout(self, limit_s):
        pass


def _umqtt():
    from hedge.net.umqtt import MQTTClient

    client = MQTTClient("fuzz", "nowhere", max_packet_bytes=_LIMIT)
    client.set_callback(lambda topic, message: None)
    client.sock = _Socket()

    def read(data):
        client._parser.reset()
        client.sock.held = data
        try:
            while True:
                client.wait_msg()
        except OSError:
            pass  # the end of the stream

    return Reader(read, _SEEDS_4, (LinkError,), _TOKENS)


READERS = {
    "mqtt 3.1.1 codec": _codec(4),
    "mqtt 5 codec": _codec(5),
    "mqtt 3.1.1 client": _client(4),
    "mqtt 5 client": _client(5),
    "umqtt": _umqtt,
}
