"""The MQTT client against a scripted broker: sessions, QoS 1 in flight, silence, broken peers."""

import asyncio

from fake_mqtt import FakeBroker
from quiet_case import QuietCase
from waiting import fails, soon

from hedge.net import mqtt_codec as codec
from hedge.net.mqtt import Client

_FAST_MS = 400  # the client's limit in tests of silence


def _client(broker, **options):
    options.setdefault("timeout_ms", 20000)
    return Client(broker.open_stream, "bed-3", **options)


class _Case(QuietCase):
    def setUp(self):
        self.broker = FakeBroker()
        QuietCase.setUp(self)

    def run_it(self, scenario):
        asyncio.run(asyncio.wait_for_ms(scenario(), 60000))


class TestConnect(_Case):
    def test_session_present_is_told_both_ways(self):
        async def scenario():
            client = _client(self.broker)
            self.assertFalse(await client.connect())
            await client.disconnect()
            self.assertTrue(await client.connect())
            self.broker.forget = True
            await client.disconnect()
            self.assertFalse(await client.connect())
            client.close()

        self.run_it(scenario)

    def test_a_refusal_is_told_in_words(self):
        async def scenario():
            client = _client(self.broker, user="u", password="wrong")
            for code in (4, 5):
                self.broker.refuse = code
                error = await fails(client.connect())
                self.assertIn("broker refused: bad user name or password", str(error))
                self.assertTrue(self.broker.stream.closed)
            self.assertFalse(client.connected)

        self.run_it(scenario)

    def test_a_silent_broker_ends_the_attempt(self):
        async def scenario():
            self.broker.mute = True
            error = await fails(_client(self.broker, timeout_ms=_FAST_MS).connect())
            self.assertIn("no answer to CONNECT", str(error))
            self.assertTrue(self.broker.stream.closed)

        self.run_it(scenario)

    def test_a_closed_port_raises_oserror(self):
        async def scenario():
            self.broker.offline = True
            self.assertIsInstance(await fails(_client(self.broker).connect()), OSError)

        self.run_it(scenario)

    def test_session_present_on_a_clean_session_is_a_broken_protocol(self):
        async def scenario():
            client = _client(self.broker, clean_session=True)
            self.broker.mute = True
            attempt = asyncio.create_task(fails(client.connect()))
            await soon(lambda: self.broker.connects, "CONNECT")
            self.broker.stream.feed(b"\x20\x02\x01\x00")
            self.assertIn("clean session", str(await attempt))

        self.run_it(scenario)

    def test_every_call_says_why_there_is_no_session(self):
        async def scenario():
            client = _client(self.broker)
            self.assertIn("not connected", str(await fails(client.publish("a", b""))))
            await client.connect()
            self.broker.stream.hang_up()
            await soon(lambda: not client.connected, "the end")
            for call in (client.publish("a", b""), client.subscribe("a"), client.wait_change()):
                self.assertIn("broker closed", str(await fails(call)))
            client.close()
            client.close()
            await client.disconnect()

        self.run_it(scenario)


class TestPublish(_Case):
    def test_qos_1_returns_after_puback(self):
        async def scenario():
            client = _client(self.broker)
            await client.connect()
            await client.publish("a", b"x", qos=1)
            self.assertEqual(client.inflight, 0)
            self.assertEqual(self.broker.published, [("a", b"x", 1, False, False, 1)])
            await client.publish("b", b"y", retain=True)
            self.assertEqual(self.broker.published[1], ("b", b"y", 0, True, False, 0))
            written = sum(len(w) for w in self.broker.connects + self.broker.writes)
            self.assertEqual(client.bytes_sent, written)
            client.close()
            self.assertEqual(client.bytes_sent, written)

        self.run_it(scenario)

    def test_what_waited_for_its_turn_goes_out_once_in_the_next_session(self):
        """MQTT-4.4.0-1. A write that hangs holds up its own session, not the next, nor ends it."""

        async def scenario():
            client = _client(self.broker, timeout_ms=1500, keepalive_s=0)
            await client.connect()
            self.broker.stalled = True
            hangs = asyncio.create_task(client.publish("a", b"hangs"))
            waits = asyncio.create_task(client.publish("a", b"kept", qos=1, wait=False))
            lost = asyncio.create_task(client.publish("a", b"not kept"))
            await asyncio.sleep_ms(10)
            self.broker.stalled = False
            await client.connect()
            self.assertFalse(hangs.done())
            self.assertIn("took no bytes", str(await fails(hangs)))
            self.assertIn("session ended", str(await fails(lost)))
            await waits
            await client.publish("a", b"new", qos=1)
            self.assertEqual([m[1] for m in self.broker.published], [b"kept", b"new"])
            client.close()

        self.run_it(scenario)

    def test_in_flight_goes_out_again_with_id_and_dup_in_order(self):
        async def scenario():
            client = _client(self.broker)
            await client.connect()
            self.broker.no_puback = True
            for payload in (b"1", b"2", b"3"):
                await client.publish("a", payload, qos=1, wait=False)
            self.broker.stream.feed(codec.ack(codec.PUBACK, 2))
            await soon(lambda: client.inflight == 2, "PUBACK")
            self.broker.stream.hang_up()
            del self.broker.published[:]
            self.broker.no_puback = False
            self.assertTrue(await client.connect())
            again = [("a", b"1", 1, False, True, 1), ("a", b"3", 1, False, True, 3)]
            self.assertEqual(self.broker.published, again)
            await soon(lambda: client.inflight == 0, "PUBACK")
            self.assertEqual(client.redelivered, 2)
            client.close()

        self.run_it(scenario)

    def test_a_lost_session_gets_them_as_new(self):
        async def scenario():
            for resend, expected in ((True, [("a", b"1", 1, False, False, 1)]), (False, [])):
                self.broker = FakeBroker()
                client = _client(self.broker, resend_lost=resend)
                await client.connect()
                self.broker.no_puback = True
                await client.publish("a", b"1", qos=1, wait=False)
                client.close()
                del self.broker.published[:]
                self.broker.forget = True
                self.assertFalse(await client.connect())
                self.assertEqual(self.broker.published, expected)
                client.close()

        self.run_it(scenario)

    def test_ids_in_flight_are_not_given_out_again(self):
        async def scenario():
            client = _client(self.broker)
            await client.connect()
            self.broker.no_puback = True
            await client.publish("a", b"1", qos=1, wait=False)
            client._inflight._last_id = 65535
            await client.publish("a", b"2", qos=1, wait=False)
            self.assertEqual([p[5] for p in self.broker.published], [1, 2])
            client.close()

        self.run_it(scenario)

    def test_a_full_flight_waits_and_then_gives_up(self):
        async def scenario():
            client = _client(self.broker, max_inflight=2, timeout_ms=_FAST_MS, keepalive_s=0)
            await client.connect()
            self.broker.no_puback = True
            for payload in (b"1", b"2"):
                await client.publish("a", payload, qos=1, wait=False)
            error = await fails(client.publish("a", b"3", qos=1, wait=False))
            self.assertIn("no room in flight", str(error))
            self.assertEqual(client.inflight, 2)
            client.close()

        self.run_it(scenario)

    def test_a_broker_that_takes_no_bytes_ends_the_session(self):
        async def scenario():
            client = _client(self.broker)
            await client.connect()
            client._timeout_ms = _FAST_MS
            self.broker.stalled = True
            error = await fails(client.publish("a", b"1"))
            self.assertIn("took no bytes", str(error))
            self.assertFalse(client.connected)
            client.close()

        self.run_it(scenario)


class TestWriters(_Case):
    def test_one_at_a_time_in_the_order_of_the_calls(self):
        """A waiting one that is cancelled leaves the line, and the others go on."""

        async def scenario():
            client = _client(self.broker)
            await client.connect()
            stream = self.broker.stream
            write = stream.write

            async def slowly(data, limit_ms):
                await asyncio.sleep_ms(5)
                await write(data, limit_ms)

            stream.write = slowly
            tasks = []
            for i in range(6):
                tasks.append(asyncio.create_task(client.publish("t", b"%d" % i, qos=i & 1)))
            await asyncio.sleep_ms(2)
            tasks[3].cancel()
            for i in (0, 1, 2, 4, 5):
                await tasks[i]
            self.assertEqual([p[1] for p in self.broker.published], [b"0", b"1", b"2", b"4", b"5"])
            client.close()

        self.run_it(scenario)


class TestSubscribe(_Case):
    def test_puback_leaves_after_the_handler_returned(self):
        async def scenario():
            seen = []

            async def handle(topic, payload, retain):
                await asyncio.sleep_ms(10)
                seen.append((topic, payload, list(self.broker.pubacks)))

            client = _client(self.broker, on_message=handle)
            await client.connect()
            self.assertEqual(await client.subscribe("t", 1), 1)
            self.broker.deliver("t", b"hello")
            await soon(lambda: self.broker.pubacks, "PUBACK")
            self.assertEqual(seen, [("t", b"hello", [])])
            self.assertEqual(self.broker.pubacks, [77])
            client.close()

        self.run_it(scenario)

    def test_a_failing_handler_gets_the_message_again(self):
        async def scenario():
            def handle(topic, payload, retain):
                raise ValueError("disk full")

            client = _client(self.broker, on_message=handle)
            await client.connect()
            self.broker.deliver("t", b"hello")
            await soon(lambda: not client.connected, "the end")
            self.assertEqual(self.broker.pubacks, [])
            self.assertIn("handler failed", str(await fails(client.publish("a", b""))))
            client.close()

        self.run_it(scenario)

    def test_denied_and_unanswered(self):
        async def scenario():
            client = _client(self.broker, timeout_ms=_FAST_MS, keepalive_s=0)
            await client.connect()
            self.broker.deny = True
            self.assertIn("denied", str(await fails(client.subscribe("t"))))
            await client.unsubscribe("t")
            self.broker.mute = True
            for call in (client.subscribe("t", 3), client.publish("t", b"", 3)):
                with self.assertRaises(ValueError):
                    await call
            self.assertIn("no SUBACK", str(await fails(client.subscribe("t"))))
            client.close()

        self.run_it(scenario)

    def test_an_oversized_message_is_dropped_acked_and_counted(self):
        async def scenario():
            seen = []
            client = _client(
                self.broker, on_message=lambda t, p, r: seen.append(p), max_packet_bytes=64
            )
            await client.connect()
            self.broker.deliver("t", bytes(5000), packet_id=9)
            self.broker.deliver("t", b"small", packet_id=10)
            await soon(lambda: len(self.broker.pubacks) == 2, "both PUBACKs")
            self.assertEqual((seen, self.broker.pubacks), ([b"small"], [9, 10]))
            self.assertEqual(client.oversized, 1)
            client.close()

        self.run_it(scenario)


class TestSilence(_Case):
    def test_an_idle_line_is_pinged(self):
        async def scenario():
            client = _client(self.broker, keepalive_s=1)
            await client.connect()
            await soon(lambda: codec.PINGREQ_PACKET in self.broker.writes, "PINGREQ", 1500)
            self.assertTrue(client.connected)
            client.close()

        self.run_it(scenario)

    def test_a_peer_that_owes_an_answer_and_is_silent_is_dead(self):
        async def scenario():
            client = _client(self.broker, timeout_ms=_FAST_MS)
            await client.connect()
            self.broker.mute = True
            await client.publish("a", b"1", qos=1, wait=False)
            error = await fails(client.wait_change())
            self.assertIn("broker silent", str(error))
            client.close()

        self.run_it(scenario)

    def test_a_malformed_packet_ends_the_session(self):
        async def scenario():
            for data in (b"\x00\x00", b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x07"):
                client = _client(self.broker)
                await client.connect()
                self.broker.stream.feed(data)
                error = await fails(client.wait_change())
                self.assertIn("broke the protocol", str(error))
                client.close()

        self.run_it(scenario)
