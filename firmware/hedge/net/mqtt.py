"""MQTT client for asyncio, 3.1.1 and 5: sessions that resume, QoS 0, 1 and 2, nothing unbounded.

    client = Client(Tcp("192.168.1.2", 1883).open, "bed-3", on_message=handle)
    await client.connect()
    await client.subscribe("hedge/bed-3/ack", 1)
    await client.publish("hedge/bed-3/up", frame, qos=1)
    await client.disconnect()

A session ends by disconnect(), or by itself when the peer closes, falls silent or breaks the
protocol; every call then raises that reason, as LinkError or OSError, and connect() starts the
next one. Messages of QoS 1 and 2 not yet acknowledged outlive it: they go out again first, with
the same packet id, with DUP when the broker still has the session. One packet is one write.

version=5 imports mqtt5.py, whose options it then takes; session= keeps what is in flight over a
restart (mqtt_session.py).
"""

import asyncio
import time

from ..core import log
from ..core.errors import LinkError, StoreError
from . import mqtt_codec as codec
from . import topics
from .mqtt_state import Inflight, KeepAlive

_GOODBYE_MS = 1000  # how long a DISCONNECT may take to leave
_REFUSED = 0x80  # MQTT 5 reason codes from here on are failures


class Client:
    """One MQTT session with one broker, over many connections.

    open_stream: async callable returning a stream with `async readinto(buf)`, `async write(data,
        limit_ms)`, `close()` and `bytes_sent`, such as tcp.Tcp(...).open.
    will: (topic, payload, qos, retain) or None.
    on_message: called as on_message(topic: str, payload: bytes, retain: bool), in MQTT 5 with a
        dict of properties (or None) as fourth; a returned awaitable is awaited. PUBACK or PUBREC
        leaves after it returned; if it raises, the session ends without, and the broker delivers
        again. It runs in the reading task: it must not wait for this client's publish(qos > 0).
    max_inflight: messages of QoS 1 and 2 kept; publish waits for room. RAM is that many packets.
    max_packet_bytes: the receive buffer, and the largest packet accepted.
    timeout_ms: limit of every wait for the broker.
    resend_lost: when the broker lost the session, send what is in flight again as new; False drops
        it, for an owner that sends from its own store.
    version: 4 is MQTT 3.1.1; 5 takes the options of mqtt5.Wire besides.
    session: mqtt_session.Session, or None to keep the session's state in RAM only.
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
        version=4,
        session=None,
        **options,
    ):
        if will:
            topics.check_name(will[0])
            codec.check_qos(will[2])
        self._open_stream = open_stream
        self._clean_session = clean_session
        self._on_message = on_message
        self._timeout_ms = timeout_ms
        self._resend_lost = resend_lost
        self._wire = _wire(version, max_packet_bytes, clean_session, options)
        self._about = (keepalive_s, will, user, password)
        self._parser = self._wire.Parser(max_packet_bytes)
        self._inflight = Inflight(max_inflight)
        self.client_id = client_id  # "" lets an MQTT 5 broker choose one
        if session:
            self.client_id, self._inflight = session.open(client_id, self._wire, max_inflight)
        self._max_inflight = max_inflight
        self._keepalive = KeepAlive(keepalive_s * 1000, timeout_ms)
        self._replies = {}  # packet id -> type of the packet that is waited for, then that packet
        self._session = session
        self._qos2 = None  # mqtt_qos2.Qos2, once the first of its packets has come
        self._resuming = False  # what is in flight goes out again before anything new
        self._changed = asyncio.Event()  # something came in, the session ended, or time has passed
        self._handled = 0  # packets that came in
        self._writers = []  # turns of those who write or wait for it, oldest first
        self._turn = 0
        self._stream = None
        self._tasks = ()
        self._error = LinkError("not connected")
        self._bytes_sent = 0  # of streams already closed
        self.told = None  # MQTT 5: properties of the last CONNACK, what the broker set
        self.oversized = 0  # packets drained because they were larger than max_packet_bytes
        self.redelivered = 0  # packets sent again with DUP
        self.refused = (
            0  # MQTT 5: messages lost because the broker refused them, or will not take them
        )

    @property
    def connected(self):
        return self._error is None

    @property
    def bytes_sent(self):
        """Bytes handed to the socket since construction, TLS and TCP/IP overhead excluded."""
        return self._bytes_sent + (self._stream.bytes_sent if self._stream else 0)

    @property
    def inflight(self):
        """How many messages of QoS 1 and 2 the broker has not acknowledged to the end."""
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
        finally:
            self._resuming = False
        return present

    async def _open(self):
        self._parser.reset()
        self._replies.clear()
        # MQTT 5 can tell a new start from a session that is not to be kept; a node that forgot
        # its own state must not go on with the broker's (MQTT-3.2.2-4).
        known = self._session.known if self._session else self.told
        clean = self._clean_session or (self._wire.VERSION == 5 and known is None)
        clean = clean or not self.client_id  # MQTT-3.1.3-7
        keepalive_s, will, user, password = self._about
        hello = self._wire.connect(self.client_id, keepalive_s, clean, will, user, password)
        self._stream = await self._open_stream()
        self._writers = []  # those of the session before end by themselves
        await self._stream.write(hello, self._timeout_ms)
        packet = await self._next_packet()
        codec.need(
            packet[0] == codec.CONNACK, "CONNECT answered by packet type %d" % packet[0], 0x82
        )
        if packet[2]:
            raise LinkError("broker refused: " + self._wire.refusal(*packet[2:]))
        codec.need(not (packet[1] and clean), "session present on a clean session", 0x82)
        if self._wire.VERSION == 5:
            self._take_terms(packet[3])
        return packet[1]

    def _take_terms(self, told):
        """What an MQTT 5 broker set."""
        self.told = told
        self._wire.set_limits(told)
        self.client_id = told.get("assigned_client_id", self.client_id)
        self._inflight.limit = min(self._max_inflight, told.get("receive_max", 65535))
        keepalive_s = told.get("server_keepalive_s", self._about[0])
        self._keepalive = KeepAlive(keepalive_s * 1000, self._timeout_ms)

    async def _resume(self, present):
        """Both sides to the same session (4.4): what is in flight goes out again, in order."""
        if not present:  # what is half done is void, the rest goes out as new
            self._qos2 = None
            for packet_id, packet in self._inflight.packets():
                if not self._resend_lost or packet[0] >> 4 != codec.PUBLISH:
                    self._inflight.acked(packet_id)
        if self._session:
            self._session.begin(self.client_id, present)
        self._error = None
        self._resuming = True
        self._keepalive.start(time.ticks_ms())
        run = self._until_it_ends
        self._tasks = (
            asyncio.create_task(run(self._read, 1)),
            asyncio.create_task(run(self._watch, 0)),
        )
        await self._redeliver(present)

    async def _redeliver(self, present):
        sent, flight = [], self._inflight  # never more at once than the broker takes
        for packet_id, packet in flight.packets():
            await self._until(
                lambda: len([i for i in sent if flight.due(i)]) < flight.limit, "PUBACK"
            )
            if self._wire.VERSION == 5 and not self._wire.takes(packet):
                flight.acked(packet_id)
                self.refused += 1
                log.warn("mqtt", "message given up: this broker takes none of its size or kind")
                continue
            if packet[0] >> 4 == codec.PUBLISH:
                codec.mark_dup(packet, present)
                self.redelivered += present
            sent.append(packet_id)
            await self._write(packet)

    async def disconnect(self, code=0, properties=None):
        """Say goodbye, so that the broker drops the will, and close.

        code, properties: MQTT 5's, e.g. 4 for "publish the will", {"session_expiry_s": 0}. Raises
        nothing but ValueError, for properties that may not stand there.
        """
        try:
            if self.connected:
                packet = codec.DISCONNECT_PACKET
                if code or properties:
                    packet = self._wire.disconnect(code, properties)
                await asyncio.wait_for_ms(self._write(packet), _GOODBYE_MS)
            if self._session:
                self._session.save()
        except (LinkError, OSError, asyncio.TimeoutError, StoreError) as e:
            log.debug("mqtt", "goodbye did not leave: %r", e)
        finally:
            self.close()

    def close(self):
        """Drop the connection without a goodbye: the broker publishes the will. Never raises."""
        for task in self._tasks:
            task.cancel()
        self._tasks = ()
        self._drop()
        self._end(LinkError("not connected"))

    def _drop(self):
        if self._stream:
            self._bytes_sent += self._stream.bytes_sent
            self._stream.close()
            self._stream = None

    def _end(self, error):
        """The session is over for this reason; the first reason stays."""
        if self._error is None:
            self._error = error
        self._notify()

    # Asking the broker

    async def publish(self, topic, payload, qos=0, retain=False, wait=True, properties=None):
        """Send one message (topic: str; payload: bytes-like, copied; properties: MQTT 5's).

        At QoS 1 returns after PUBACK, at QoS 2 after PUBCOMP; if it raises LinkError or OSError
        before, the session ended, and a message that was kept goes out after the next connect().
        With wait=False it returns once the message is kept in flight, and an error means that it
        is not. LinkError too if an MQTT 5 broker refuses the message, which is lost then;
        ValueError for a topic with wildcards; StoreError if the session's file cannot take it.
        """
        topics.check_name(topic)
        if properties and self._wire.VERSION == 4:
            raise ValueError("mqtt: properties need version=5")
        self._check()
        if qos:
            await self._publish_acked(topic, payload, qos, retain, wait, properties)
        else:
            await self._write(self._wire.publish(topic, payload, 0, retain, 0, properties or b""))
        if not qos or not wait:
            await asyncio.sleep_ms(0)  # a loop of publishes must not starve the other tasks

    async def _publish_acked(self, topic, payload, qos, retain, wait, properties):
        codec.check_qos(qos)
        if self._resuming or self._inflight.full:
            await self._until(
                lambda: not (self._resuming or self._inflight.full), "room in flight"
            )
        packet_id = self._inflight.new_id()
        packet = self._wire.publish(topic, payload, qos, retain, packet_id, properties or b"")
        self._inflight.add(packet_id, packet)
        if wait:
            reply = await self._asked(packet_id, packet, codec.PUBACK)
            if _code(reply) >= _REFUSED:
                raise LinkError("broker refused the message: " + self._wire.refusal(*reply[2:]))
            return
        try:
            await self._write(packet)
        except (LinkError, OSError) as e:  # it goes out after the next connect()
            log.debug("mqtt", "kept, not sent: %r", e)

    async def subscribe(self, topic, qos=1, **options):
        """Returns the QoS granted. Raises LinkError if the broker denies it.

        ValueError for what is no topic filter.

        options: MQTT 5's, see mqtt5.Wire.subscribe.
        """
        topics.check_filter(topic)
        codec.check_qos(qos)
        reply = await self._ask(self._wire.subscribe, codec.SUBACK, topic, qos, **options)
        granted = reply[2][0]
        if qos < granted < _REFUSED:
            raise codec.broken("QoS %d granted where %d was asked" % (granted, qos), 0x82)
        if granted >= _REFUSED:
            why = self._wire.refusal(granted)
            raise LinkError("broker denied subscription to %s: %s" % (topic, why))
        return granted

    async def unsubscribe(self, topic):
        reply = await self._ask(self._wire.unsubscribe, codec.UNSUBACK, topic)
        if len(reply) > 2 and reply[2][0] >= _REFUSED:
            why = self._wire.refusal(reply[2][0])
            raise LinkError("broker kept subscription to %s: %s" % (topic, why))

    async def _ask(self, encode, kind, *what, **options):
        self._check()
        packet_id = self._inflight.reserve()
        try:
            return await self._asked(packet_id, encode(packet_id, *what, **options), kind)
        finally:
            self._inflight.release(packet_id)

    async def _asked(self, packet_id, packet, kind):
        """Send, and wait for the packet that answers; as _until, without a call for each look."""
        self._replies[packet_id] = kind
        try:
            await self._write(packet)
            start_ms = time.ticks_ms()
            while isinstance(self._replies.get(packet_id), int):
                self._check()
                self._check_time(start_ms, kind)
                await self._changed.wait()
            self._check()
            if packet_id not in self._replies:  # another task has connected anew meanwhile
                raise LinkError("session ended before the answer")
            return self._replies[packet_id]
        finally:
            self._replies.pop(packet_id, None)

    async def wait_change(self):
        """Until a message or an acknowledgement came in. Raises once the session has ended."""
        handled = self._handled
        while self._handled == handled:
            self._check()
            await self._changed.wait()
        self._check()

    def _check(self):
        if self._error is not None:
            raise self._error

    def _check_time(self, start_ms, what):
        """what: in words, or the type of the packet that is waited for."""
        if time.ticks_diff(time.ticks_ms(), start_ms) >= self._timeout_ms:
            if isinstance(what, int):
                what = ("PUBACK or PUBCOMP", "SUBACK", "UNSUBACK")[(what > 4) + (what > 9)]
            raise LinkError("no %s in %d ms" % (what, self._timeout_ms))

    async def _until(self, is_true, what):
        start_ms = time.ticks_ms()
        while not is_true():
            self._check()
            self._check_time(start_ms, what)
            await self._changed.wait()  # _watch wakes it too: wait_for would cost a task each time
        self._check()

    def _notify(self):
        self._changed.set()  # wakes all who wait now, and
        self._changed.clear()  # nobody who comes later; a new Event would cost 100 bytes

    async def _write(self, packet):
        """One packet after the other, in the order of the calls; asyncio.Lock is a module more.

        What still waits when its session ends goes out in none.
        """
        self._turn = turn = (self._turn + 1) & 0xFFFFFF
        stream, writers = self._stream, self._writers
        writers.append(turn)
        try:
            while writers[0] != turn:
                await self._changed.wait()
            await self._put(packet, stream)
        finally:
            writers.remove(turn)
            if writers:
                self._notify()

    async def _put(self, packet, stream):
        if stream is None or stream is not self._stream:
            raise self._error or LinkError("session ended before its turn")
        if self._wire.VERSION == 5:
            packet = self._wire.outgoing(packet)
        try:
            await stream.write(packet, self._timeout_ms)
        except asyncio.TimeoutError:
            raise self._cut(stream, LinkError("broker took no bytes for %d ms" % self._timeout_ms))
        except BaseException as e:
            known = isinstance(e, (LinkError, OSError))
            self._cut(stream, e if known else LinkError("write cut off"))
            raise
        self._keepalive.sent(time.ticks_ms())

    def _cut(self, stream, error):
        """A packet was cut in the middle: nothing sane can follow it. Returns the error."""
        if stream is self._stream:  # else a later session has begun, which it does not concern
            self._end(error)
        return error

    # The two tasks of a session

    async def _until_it_ends(self, work, other):
        """other: index of the other task; one does not outlive the other, nor the socket."""
        tasks = self._tasks
        try:
            await work()
        except (LinkError, OSError) as e:
            self._end(e)
            if self._wire.VERSION == 5 and hasattr(e, "code"):
                await self._wire.complain(e.code, self._write)
        except Exception as e:  # noqa: BLE001  on_message may fail in any way; it must be seen
            log.warn("mqtt", "session ended by %r", e)
            self._end(LinkError("handler failed: %r" % e))
        if tasks is self._tasks:  # else close() was quicker, and there may be a new session
            tasks[other].cancel()
            self._drop()

    async def _watch(self):
        """Ping in time; end the session when the peer is dead."""
        while True:
            await asyncio.sleep_ms(self._keepalive.check_every_ms())
            self._notify()  # who waits looks at the clock
            now_ms = time.ticks_ms()
            if self._keepalive.is_dead(now_ms):
                raise LinkError("broker silent: no answer to PINGREQ in %d ms" % self._timeout_ms)
            if self._keepalive.should_ping(now_ms, bool(self._inflight or self._replies)):
                self._keepalive.pinged(now_ms)
                await self._write(codec.PINGREQ_PACKET)

    async def _read(self):
        while True:
            packet = await self._next_packet()
            if packet[0] == codec.PUBACK:  # comes most: no coroutine of its own
                self._take_ack(packet)
            else:
                await self._handle(packet)
            self._handled += 1
            self._notify()

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
        elif kind == codec.PUBCOMP:
            self._take_ack(packet)
        elif kind in (codec.PUBREC, codec.PUBREL):
            await self._second(kind)(packet)
        elif kind == codec.OVERSIZED:
            self.oversized += 1
            log.warn("mqtt", "dropped a packet of %d bytes", packet[1])
            if packet[2]:  # else the broker would send it again at each connect
                await self._write(codec.ack(codec.PUBACK + packet[2] - 1, packet[3]))
        elif kind in (codec.SUBACK, codec.UNSUBACK):
            waited = self._replies.get(packet[1], kind)
            codec.need(waited == kind, "answer not asked for", 0x82)
            codec.need(len(packet) < 3 or len(packet[2]) == 1, "codes of several topics", 0x82)
            if packet[1] in self._replies:  # else late: the wait for it is over
                self._replies[packet[1]] = packet
        elif kind == codec.DISCONNECT:
            raise LinkError("broker ended the session: " + self._wire.refusal(*packet[1:]))
        elif kind != codec.PINGRESP:
            raise codec.broken("packet type %d in a session" % kind, 0x82)

    def _take_ack(self, packet):
        """The last acknowledgement of a message; if its id is unknown it is late."""
        packet_id = packet[1]
        due = self._inflight.due(packet_id)
        if due and due != packet[0]:
            raise codec.broken("packet type %d where another was due" % packet[0], 0x82)
        if self._inflight.acked(packet_id) and _code(packet) >= _REFUSED:
            self.refused += 1
            log.warn("mqtt", "message refused: %s", self._wire.refusal(*packet[2:]))
        if due and packet_id in self._replies:
            self._replies[packet_id] = packet

    def _second(self, kind):
        """The handler of what only QoS 2 has: a node that does not use it does not load it."""
        if self._qos2 is None:
            from .mqtt_qos2 import Qos2

            about = self._wire, self._inflight, self._session
            self._qos2 = Qos2(*about, self._write, self._hand_over, self._take_ack)
        return self._qos2.handlers[kind]

    async def _deliver(self, packet):
        if packet[3] == 2:
            await self._second(codec.PUBLISH)(packet)
            return
        await self._hand_over(packet)
        if packet[3]:
            await self._write(codec.ack(codec.PUBACK, packet[6]))

    async def _hand_over(self, packet):
        if self._on_message:
            handled = self._on_message(packet[1], packet[2], packet[4], *packet[7:])
            if handled is not None:
                await handled


def _code(packet):
    """The reason code of an acknowledgement; 3.1.1 has none."""
    return packet[2] if len(packet) > 2 else 0


def _wire(version, max_packet_bytes, clean_session, options):
    """The encoders of that version."""
    if version == 5:
        from .mqtt5 import Wire

        return Wire(max_packet_bytes, clean_session, **options)
    if version != 4:
        raise ValueError("mqtt: version %r: 4 is 3.1.1, or 5" % version)
    if options:
        raise ValueError("mqtt: %s: options of version=5" % ", ".join(sorted(options)))
    return codec
