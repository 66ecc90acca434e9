"""umqtt.simple's interface on our codec, on a socket that plays back; and the link over it."""

import asyncio

from fake_mqtt import FakeBroker
from quiet_case import QuietCase
from waiting import fails

from hedge.core.errors import LinkError
from hedge.net import mqtt_codec as codec
from hedge.net import umqtt
from hedge.net.umqtt_link import UmqttLink


class FakeSocket:
    """MicroPython's blocking socket over a FakeBroker. A read that would block for ever times out
    like a socket with settimeout: OSError(110)."""

    def __init__(self, broker):
        self.broker = broker
        self.inbox = b""
        self.blocking = True
        self.closed = self.ended = False
        broker.sockets.append(self)

    # what FakeBroker calls
    def feed(self, data):
        self.inbox += data

    def hang_up(self):
        self.ended = True

    # what umqtt calls
    def settimeout(self, limit_s):
        self.blocking = True

    def setblocking(self, flag):
        self.blocking = flag

    def connect(self, address):
        if self.broker.offline:
            raise OSError(111)

    def write(self, data):
        if self.ended:
            raise OSError(104)
        self.broker.take(self, bytes(data))
        return len(data)

    def read(self, n):
        if not self.inbox and not self.ended:
            if self.blocking:
                raise OSError(110)
            return None
        data, self.inbox = self.inbox[:n], self.inbox[n:]
        return data

    def close(self):
        self.closed = True


class _SocketModule:
    SOCK_STREAM = 1

    def __init__(self, broker):
        self._broker = broker

    def getaddrinfo(self, host, port, family, kind):
        return [(2, 1, 0, "", (host, port))]

    def socket(self, *args):
        return FakeSocket(self._broker)


class _Case(QuietCase):
    def setUp(self):
        self.broker = FakeBroker()
        self.broker.sockets = []
        self._socket, umqtt.socket = umqtt.socket, _SocketModule(self.broker)
        QuietCase.setUp(self)
        self.got = []

    def tearDown(self):
        umqtt.socket = self._socket
        QuietCase.tearDown(self)

    @property
    def peer(self):
        return self.broker.sockets[-1]

    def client(self, **options):
        client = umqtt.MQTTClient("bed-3", "192.0.2.1", **options)
        client.set_callback(lambda topic, msg: self.got.append((topic, msg)))
        return client

    def deliver(self, payload, qos=1, packet_id=5):
        self.peer.feed(bytes(codec.publish("t", payload, qos, False, packet_id)))


class TestClient(_Case):
    def test_connect_sends_what_umqtt_sends(self):
        client = self.client(user="u", password="p", keepalive=30)
        client.set_last_will(b"w", b"gone", retain=True, qos=1)
        self.assertFalse(client.connect())
        expected = codec.connect("bed-3", 30, True, ("w", b"gone", 1, True), "u", "p")
        self.assertEqual(self.broker.connects, [expected])

    def test_session_present_is_returned(self):
        client = self.client()
        client.connect(False)
        client.disconnect()
        self.assertTrue(client.connect(False))

    def test_a_refusal_raises_its_code_and_words(self):
        self.broker.refuse = 5
        client = self.client()
        with self.assertRaises(umqtt.MQTTException) as caught:
            client.connect()
        self.assertEqual(caught.exception.args[0], 5)
        self.assertTrue(self.peer.closed)

    def test_a_closed_port_leaves_no_socket_open(self):
        self.broker.offline = True
        self.assertRaises(OSError, self.client().connect)
        self.assertTrue(self.peer.closed)

    def test_publish_is_one_write_each_and_qos_1_waits_for_puback(self):
        client = self.client()
        client.connect()
        client.publish(b"a", b"0")
        client.publish("b", "one", True, 1)
        self.assertEqual(
            self.broker.published,
            [("a", b"0", 0, False, False, 0), ("b", b"one", 1, True, False, 1)],
        )
        self.broker.no_puback = True
        self.assertRaises(OSError, client.publish, b"c", b"", False, 1)
        self.assertRaises(ValueError, client.publish, b"c", b"", False, 2)

    def test_messages_reach_the_callback_before_their_puback(self):
        client = self.client()
        client.connect()
        client.subscribe(b"t", 1)
        self.deliver(b"one")
        self.assertEqual(client.wait_msg(), 0x30)
        self.assertEqual((self.got, self.broker.pubacks), ([(b"t", b"one")], [5]))

    def test_a_message_that_comes_while_puback_is_awaited(self):
        client = self.client()
        client.connect()
        self.deliver(b"first")
        client.publish(b"a", b"x", False, 1)
        self.assertEqual(self.got, [(b"t", b"first")])

    def test_check_msg_returns_at_once(self):
        client = self.client()
        client.connect()
        self.assertIsNone(client.check_msg())
        client.ping()
        self.assertIsNone(client.check_msg())
        self.assertEqual(self.peer.inbox, b"")

    def test_a_message_in_pieces_is_kept_until_it_is_whole(self):
        client = self.client()
        client.connect()
        data = bytes(codec.publish("t", b"slow", 0))
        self.peer.feed(data[:4])
        self.assertRaises(OSError, client.check_msg)  # the rest did not come in time
        self.peer.feed(data[4:])
        client.check_msg()
        self.assertEqual(self.got, [(b"t", b"slow")])

    def test_denied_subscription_and_missing_callback(self):
        client = self.client()
        client.connect()
        self.broker.deny = True
        self.assertRaises(umqtt.MQTTException, client.subscribe, b"t")
        client.set_callback(None)
        self.assertRaises(ValueError, client.subscribe, b"t")

    def test_oversized_is_dropped_and_acked(self):
        client = self.client(max_packet_bytes=64)
        client.connect()
        self.deliver(bytes(500), packet_id=6)
        self.deliver(b"small", packet_id=7)
        client.wait_msg()
        client.wait_msg()
        self.assertEqual((client.oversized, self.got), (1, [(b"t", b"small")]))
        self.assertEqual(self.broker.pubacks, [6, 7])

    def test_malformed_raises_and_so_does_the_end_of_the_stream(self):
        client = self.client()
        client.connect()
        self.peer.feed(b"\x00\x00")
        self.assertRaises(LinkError, client.wait_msg)
        self.peer.inbox = b""
        client.connect()
        self.peer.hang_up()
        self.assertRaises(OSError, client.check_msg)


class TestLink(_Case):
    def link(self, module=umqtt):
        return UmqttLink(module, "192.0.2.1", 1883, "bed-3", info=b"i", poll_ms=1)

    def run_it(self, scenario):
        asyncio.run(asyncio.wait_for_ms(scenario(), 60000))

    async def fault_of(self, awaitable):
        return str(await fails(awaitable))

    def test_the_contract(self):
        async def scenario():
            link = self.link()
            self.assertIn("not connected", await self.fault_of(link.send(b"x")))
            self.assertFalse(await link.connect())
            await link.send(b"frame")
            self.peer.feed(bytes(codec.publish("hedge/bed-3/ack", b"ack", 1, False, 1)))
            self.peer.feed(bytes(codec.publish("hedge/other/ack", b"not ours", 0)))
            self.assertEqual(await link.recv(), b"ack")
            await link.close()
            await link.close()
            written = sum(len(w) for w in self.broker.connects + self.broker.writes)
            self.assertEqual(link.bytes_sent, written)
            self.assertIn("not connected", await self.fault_of(link.recv()))

        self.run_it(scenario)
        topics = [(p[0], p[1], p[3]) for p in self.broker.published]
        status = "hedge/bed-3/status"
        expected = [("hedge/bed-3/info", b"i", True), (status, b"online", True)]
        expected += [("hedge/bed-3/up", b"frame", False), (status, b"offline", True)]
        self.assertEqual(topics, expected)

    def test_a_lost_peer_raises_and_close_does_not(self):
        async def scenario():
            link = self.link()
            await link.connect()
            self.peer.hang_up()
            await self.fault_of(link.recv())
            await self.fault_of(link.send(b"x"))
            await link.close()

        self.run_it(scenario)

    def test_refusals_and_failed_asserts_become_linkerror(self):
        class Module:
            MQTTException = umqtt.MQTTException

            def MQTTClient(*args):
                client = umqtt.MQTTClient(*args)
                client.connect = self.fail_with
                return client

        async def scenario():
            self.error = umqtt.MQTTException(5)
            self.assertIn("bad user name", await self.fault_of(self.link(Module).connect()))
            self.error = AssertionError()
            self.assertIn("broken answer", await self.fault_of(self.link(Module).connect()))
            self.error = OSError(113)
            await self.fault_of(self.link(Module).connect())

        self.run_it(scenario)

    def fail_with(self, clean_session):
        raise self.error
