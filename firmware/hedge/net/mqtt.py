"""MQTT 3.1.1 client for asyncio: sessions that resume, QoS 1 kept in flight, nothing unbounded.

    client = Client(Tcp("192.168.1.2", 1883).open, "bed-3", on_message=handle)
    await client.connect()
    await client.subscribe("hedge/bed-3/ack", 1)
    await client.publish("hedge/bed-3/up", frame, qos=1)
    await client.disconnect()

A session ends by disconnect(), or by itself when the peer closes, falls silent or breaks the
protocol; every call then raises that reason, as LinkError or OSError, and connect() starts the
next one. QoS 1 packets not yet acknowledged outlive it: they go out again first, with the same
packet id, with DUP when the broker still has the session. One packet is one write.
"""

import asyncio
import time

from ..core import log
from ..core.errors import LinkError
from . import mqtt_codec as codec
from .inflight import Inflight
from .keepalive import KeepAlive

_GOODBYE_MS = 1000  # how long a DISCONNECT may take to leave


class Client:
    """One MQTT session with one broker, over many connections.

    open_stream: async callable returning a stream with `async readinto(buf)`, `async write(data,
        limit_ms)`, `close()` and `bytes_sent`, such as tcp.Tcp(...).open.
    will: (topic, payload, qos, retain) or None.
    on_message: called as on_message(topic: str, payload: bytes, retain: bool); a returned
        awaitable is awaited. PUBACK leaves after it returned; if it raises, the session ends
        without PUBACK and the broker delivers again.
    max_inflight: QoS 1 packets kept; publish waits for room. RAM is that many packets.
    max_packet_bytes: the receive buffer, and the largest packet accepted.
    timeout_ms: limit of every wait for the broker.
    resend_lost: when the broker lost the session, send what is in flight again as new; False drops
        it, for an owner that sends from its own store.
    """

    def __init__(
        self,
        open_stream,
        client_id,
        user=None,
        password=None,
        keepalive_s=60,
        clean_session=False,
        will=None,
        on_message=None,
        max_inflight=8,
        max_packet_bytes=1024,
        timeout_ms=10000,
        resend_lost=True,
    ):
        self._open_stream = open_stream
        self._clean_session = clean_session
        self._on_message = on_message
        self._timeout_ms = timeout_ms
        self._resend_lost = resend_lost
        self._hello = codec.connect(client_id, keepalive_s, clean_session, will, user, password)
        self._parser = codec.Parser(max_packet_bytes)
        self._inflight = Inflight(max_inflight)
        self._keepalive = KeepAlive(keepalive_s * 1000, timeout_ms)
        self._replies = {}  # packet id -> SUBACK/UNSUBACK packet, None while waiting
        self._changed = asyncio.Event()  # something came in, or the session ended
        self._write_lock = asyncio.Lock()
        self._stream = None
        self._tasks = ()
        self._error = LinkError("not connected")
        self._bytes_sent = 0  # of streams already closed
        self.oversized = 0  # packets drained because they were larger than max_packet_bytes
        self.redelivered = 0  # packets sent again with DUP

    @property
    def connected(self):
        return self._error is None

    @property
    def bytes_sent(self):
        """Bytes handed to the socket since construction, TLS and TCP/IP overhead excluded."""
        return self._bytes_sent + (self._stream.bytes_sent if self._stream else 0)

    @property
    def inflight(self):
        """How many QoS 1 packets the broker has not acknowledged."""
        return len(self._inflight)

    # Opening and closing

    async def connect(self):
        """Open a session; True if the broker still had it (Session Present).

        Raises LinkError with the reason when the broker refuses, is silent or breaks the protocol,
        OSError when the network does. At most timeout_ms pass before the broker has answered.
        """
        self.close()
        try:
            present = await asyncio.wait_for_ms(self._open(), self._timeout_ms)
            await self._resume(present)
        except asyncio.TimeoutError:
            self.close()
            raise LinkError("no answer to CONNECT in %d ms" % self._timeout_ms)
        except BaseException:  # cancelled too: no half-open session stays behind
            self.close()
            raise
        self._start_tasks()
        return present

    async def _open(self):
        self._parser.reset()
        self._replies.clear()
        self._stream = await self._open_stream()
        await self._stream.write(self._hello, self._timeout_ms)
        packet = await self._next_packet()
        if packet[0] != codec.CONNACK:
            raise LinkError("broker answered CONNECT with packet type %d" % packet[0])
        if packet[2]:
            raise LinkError("broker refused: " + codec.refusal(packet[2]))
        return packet[1]

    async def _resume(self, present):
        """Both sides to the same session (4.4): what is in flight goes out again, in order."""
        if present and self._clean_session:
            raise LinkError("broker broke the protocol: session present on a clean session")
        self._error = None
        self._keepalive.start(time.ticks_ms())
        if not present and not self._resend_lost:
            self._inflight.clear()
        for packet in self._inflight.packets():
            codec.mark_dup(packet, present)
            self.redelivered += present
            await self._write(packet)

    def _start_tasks(self):
        run = self._until_it_ends
        self._tasks = (
            asyncio.create_task(run(self._read)),
            asyncio.create_task(run(self._watch)),
        )

    async def disconnect(self):
        """Say goodbye, so that the broker drops the will, and close. Never raises."""
        try:
            if self.connected:
                await asyncio.wait_for_ms(self._write(codec.DISCONNECT_PACKET), _GOODBYE_MS)
        except (LinkError, OSError, asyncio.TimeoutError) as e:
            log.debug("mqtt", "goodbye did not leave: %r", e)
        finally:
            self.close()

    def close(self):
        """Drop the connection without a goodbye: the broker publishes the will. Never raises."""
        for task in self._tasks:
            task.cancel()
        self._tasks = ()
        if self._stream:
            self._bytes_sent += self._stream.bytes_sent
            self._stream.close()
            self._stream = None
        self._end(LinkError("not connected"))

    def _end(self, error):
        """The session is over for this reason; the first reason stays."""
        if self._error is None:
            self._error = error
        self._notify()

    # Asking the broker

    async def publish(self, topic, payload, qos=0, retain=False, wait=True):
        """Send one message (topic: str; payload: bytes-like, copied).

        At QoS 1 returns after PUBACK, or with wait=False once it is written and kept in flight.
        Raises LinkError or OSError if the session ends meanwhile: a QoS 1 message that was kept
        goes out again after the next connect().
        """
        self._check()
        if qos:
            await self._publish_acked(topic, payload, retain, wait)
        else:
            await self._write(codec.publish(topic, payload, 0, retain))

    async def _publish_acked(self, topic, payload, retain, wait):
        await self._until(lambda: not self._inflight.full, "room in flight")
        packet_id = self._inflight.new_id()
        packet = codec.publish(topic, payload, 1, retain, packet_id)
        self._inflight.add(packet_id, packet)
        await self._write(packet)
        if wait:
            await self._until(lambda: not self._inflight.in_use(packet_id), "PUBACK")

    async def subscribe(self, topic, qos=1):
        """Returns the QoS granted (0 or 1). Raises LinkError if the broker denies it."""
        reply = await self._ask(lambda i: codec.subscribe(i, topic, qos), "SUBACK")
        if len(reply) < 3 or reply[2][0] > qos:
            raise LinkError("broker denied subscription to " + topic)
        return reply[2][0]

    async def unsubscribe(self, topic):
        await self._ask(lambda i: codec.unsubscribe(i, topic), "UNSUBACK")

    async def _ask(self, encode, what):
        self._check()
        packet_id = self._inflight.reserve()
        self._replies[packet_id] = None
        try:
            await self._write(encode(packet_id))
            await self._until(lambda: self._replies.get(packet_id), what)
            return self._replies[packet_id]
        finally:
            self._replies.pop(packet_id, None)
            self._inflight.release(packet_id)

    async def wait_change(self):
        """Until a message or an acknowledgement came in. Raises once the session has ended."""
        self._check()
        await self._changed.wait()
        self._check()

    def _check(self):
        if self._error is not None:
            raise self._error

    async def _until(self, is_true, what):
        start_ms = time.ticks_ms()
        while not is_true():
            self._check()
            left_ms = self._timeout_ms - time.ticks_diff(time.ticks_ms(), start_ms)
            try:
                await asyncio.wait_for_ms(self._changed.wait(), max(left_ms, 0))
            except asyncio.TimeoutError:
                raise LinkError("no %s in %d ms" % (what, self._timeout_ms))
        self._check()

    def _notify(self):
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _write(self, packet):
        async with self._write_lock:
            if self._stream is None:
                raise self._error
            try:
                await self._stream.write(packet, self._timeout_ms)
            except asyncio.TimeoutError:
                self._end(LinkError("broker took no bytes for %d ms" % self._timeout_ms))
                raise self._error
            except BaseException as e:  # a packet cut in the middle: nothing sane can follow it
                self._end(e if isinstance(e, (LinkError, OSError)) else LinkError("write cut off"))
                raise
            self._keepalive.sent(time.ticks_ms())
        await asyncio.sleep_ms(0)  # a loop of publishes must not starve the other tasks

    # The two tasks of a session

    async def _until_it_ends(self, work):
        try:
            await work()
        except (LinkError, OSError) as e:
            self._end(e)
        except Exception as e:  # noqa: BLE001  on_message may fail in any way; it must be seen
            log.warn("mqtt", "session ended by %r", e)
            self._end(LinkError("handler failed: %r" % e))

    async def _watch(self):
        """Ping in time; end the session when the peer is dead."""
        while True:
            await asyncio.sleep_ms(self._keepalive.check_every_ms())
            now_ms = time.ticks_ms()
            if self._keepalive.is_dead(now_ms):
                raise LinkError("broker silent: no answer to PINGREQ in %d ms" % self._timeout_ms)
            if self._keepalive.should_ping(now_ms, bool(self._inflight or self._replies)):
                self._keepalive.pinged(now_ms)
                await self._write(codec.PINGREQ_PACKET)

    async def _read(self):
        while True:
            await self._handle(await self._next_packet())

    async def _next_packet(self):
        while True:
            packet = self._parser.next()
            if packet:
                return packet
            n = await self._stream.readinto(self._parser.space())
            if not n:
                raise LinkError("broker closed the connection")
            self._parser.feed(n)
            self._keepalive.heard(time.ticks_ms())

    async def _handle(self, packet):
        kind = packet[0]
        if kind == codec.PUBLISH:
            await self._deliver(packet)
        elif kind == codec.PUBACK:
            self._inflight.acked(packet[1])
        elif kind == codec.OVERSIZED:
            await self._refuse(packet)
        elif kind in (codec.SUBACK, codec.UNSUBACK):
            if packet[1] in self._replies:
                self._replies[packet[1]] = packet
        elif kind != codec.PINGRESP:
            raise LinkError("broker broke the protocol: packet type %d in a session" % kind)
        self._notify()

    async def _deliver(self, packet):
        _, topic, payload, qos, retain, _, packet_id = packet
        if self._on_message:
            handled = self._on_message(topic, payload, retain)
            if handled is not None:
                await handled
        if qos:
            await self._write(codec.puback(packet_id))

    async def _refuse(self, packet):
        _, total_bytes, qos, packet_id = packet
        self.oversized += 1
        log.warn("mqtt", "dropped a packet of %d bytes", total_bytes)
        if qos:  # else the broker would send it again at each connect
            await self._write(codec.puback(packet_id))
