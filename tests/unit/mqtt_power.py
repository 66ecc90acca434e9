"""A node whose power fails at any event, and a broker that never forgets: QoS 2 both ways.

    told = asyncio.run(Life(path, version, cuts).run())

An event is a packet handed to the network or a save of the session's file; `cuts` names those at
whose edge the power fails: ("before" | "after", event number since the last start). The node
publishes and receives a few messages and keeps its progress in the session's own file; it is
started again until all is done.
"""

from fake_mqtt import FakeStream

from hedge.core.errors import LinkError, StoreError
from hedge.net import mqtt_codec as codec
from hedge.net.mqtt import Client
from hedge.net.mqtt_session import Session
from hedge.store.kv import KV

_CONNACK = {4: b"\x20\x02%s\x00", 5: b"\x20\x03%s\x00\x00"}
_ID = 9  # of every message to the node: ids come again once they are free
_STARTS = 12  # more than any schedule needs


class Broker:
    """One session, QoS 2 by the book (MQTT 3.1.1, 4.3.3): what it takes, and what it delivers."""

    def __init__(self, version, messages):
        self.accepted = []  # payloads, each once if the client plays well
        self._version = version
        self._received = set()
        self._known = False
        self._used = False  # something was exchanged: no clean start may come any more
        self._out = list(messages)  # one at a time, all with one id; None: PUBREL is due
        self._stream = None

    @property
    def done(self):
        return not self._out and not self._received

    def connected(self, stream):
        self._stream = stream

    def take(self, stream, data):
        if stream is not self._stream:
            return  # of a connection that has gone
        kind = data[0] >> 4
        self._used = self._used or kind != codec.CONNECT
        answer = getattr(self, "_take_%d" % kind)(data)
        if answer:
            stream.feed(answer)

    def _take_1(self, data):
        flag = b"\x01" if self._known else b"\x00"
        clean = data[9] & 2
        if clean and self._used:
            raise AssertionError("the node forgot its session")
        if clean:
            flag = b"\x00"
        self._known = True
        return _CONNACK[self._version].replace(b"%s", flag) + self._due()

    def _due(self):
        if not self._out:
            return b""
        if self._out[0] is None:
            return codec.ack(codec.PUBREL, _ID)
        more = b"" if self._version == 4 else b"\x00"
        return bytes(codec.publish("to/node", self._out[0], 2, False, _ID, more))

    def _take_3(self, data):
        at = 4 + data[3]
        packet_id = data[at] << 8 | data[at + 1]
        if packet_id not in self._received:
            self._received.add(packet_id)
            self.accepted.append(data[at + (2 if self._version == 4 else 3) :])
        return codec.ack(codec.PUBREC, packet_id)

    def _take_6(self, data):
        packet_id = data[2] << 8 | data[3]
        self._received.discard(packet_id)
        return codec.ack(codec.PUBCOMP, packet_id)

    def _take_5(self, data):
        if self._out and self._out[0] is not None:
            self._out[0] = None
        return codec.ack(codec.PUBREL, _ID)

    def _take_7(self, data):
        if not self._out or self._out[0] is not None:
            return b""  # of an earlier message
        self._out.pop(0)
        return self._due()

    def _take_14(self, data):
        return b""


class Power:
    """Counts events of one life of the node; on() is False once it has failed."""

    def __init__(self, cut):
        self._cut = cut
        self.events = 0
        self.failed = False

    def event(self, work):
        """Do it, unless the power fails before; says whether it was done."""
        if self.failed:
            return False
        self.events += 1
        if self._cut == ("before", self.events):
            self.failed = True
            return False
        work()
        if self._cut == ("after", self.events):
            self.failed = True
        return True


class _Stream(FakeStream):
    def __init__(self, broker, power):
        super().__init__(broker)
        self._power = power

    async def write(self, data, limit_ms):
        data = bytes(data)
        if not self._power.event(lambda: self._broker.take(self, data)):
            raise OSError(5)
        self.bytes_sent += len(data)

    async def readinto(self, buf):
        n = await super().readinto(buf)
        if self._power.failed:
            raise OSError(5)
        return n


class _Kv(KV):
    def __init__(self, path, power):
        super().__init__(path, flush=False)
        self._power = power

    def save(self):
        if self._dirty and not self._power.event(super().save):
            raise StoreError("no power")


class Life:
    """One node over many starts. cuts: one for each start, in turn; None is a life without."""

    def __init__(self, path, version, cuts, out=2, into=2):
        self._path = path
        self._version = version
        self._cuts = list(cuts)
        self._out = [b"out %d" % i for i in range(out)]
        self._into = [b"in %d" % i for i in range(into)]
        self.broker = Broker(version, self._into)
        self.starts = 0
        self.events = []  # of each life

    async def run(self):
        """Until both sides have everything. AssertionError if they never do."""
        while self.starts < _STARTS:
            self.starts += 1
            power = Power(self._cuts.pop(0) if self._cuts else None)
            finished = await self._start(power)
            self.events.append(power.events)
            if finished:
                return
        raise AssertionError("not done after %d starts" % self.starts)

    def check(self):
        """Each message once, in order, on both sides."""
        seen = KV(self._path, flush=False).get("app.seen")
        if self.broker.accepted != self._out or seen != self._into:
            raise AssertionError("broker has %r, node has %r" % (self.broker.accepted, seen))

    async def _start(self, power):
        try:
            kv = _Kv(self._path, power)
            return await self._live(kv, power)
        except (LinkError, OSError, StoreError):
            return False  # the power, or what it left of the connection

    async def _live(self, kv, power):
        def open_stream():
            stream = _Stream(self.broker, power)
            self.broker.connected(stream)
            return stream

        async def opened():
            return open_stream()

        def handle(topic, payload, retain, properties=None):
            kv.set("app.seen", kv.get("app.seen", []) + [payload])

        client = Client(
            opened,
            "node",
            version=self._version,
            session=Session(kv),
            on_message=handle,
            keepalive_s=0,
            timeout_ms=1000,
        )
        try:
            await client.connect()
            await self._publish(client, kv)
            while client.inflight or not self.broker.done:
                await client.wait_change()
            return True
        finally:
            client.close()

    async def _publish(self, client, kv):
        for i in range(kv.get("app.next", 0), len(self._out)):
            kv.set("app.next", i + 1)  # in the same save as the packet
            await client.publish("t", self._out[i], 2, wait=False)
            if client._stream is None or not client.connected:
                raise LinkError("gone")
