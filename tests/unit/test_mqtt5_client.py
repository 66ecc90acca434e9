"""The client at MQTT 5 against a broker that says exactly the bytes a test gives it."""

import asyncio
import unittest

from script_mqtt import CONNACK5, CONNACK5_PRESENT, ScriptBroker, client_of, connected, play
from waiting import fails, soon

from hedge.net import mqtt_codec as codec
from hedge.net.mqtt import Client


def _with_properties(properties):
    return bytes((0x20, 3 + len(properties), 0, 0, len(properties))) + properties


def _puback(packet):
    """PUBACK of a PUBLISH with a topic of at most one letter, QoS 1."""
    at = 4 + packet[3]
    return b"\x40\x02" + packet[at : at + 2]


class TestTerms(unittest.TestCase):
    def test_what_the_broker_sets_is_followed(self):
        async def scenario():
            told = b"\x12\x00\x03abc" + b"\x13\x00\x02" + b"\x21\x00\x01" + b"\x24\x01"
            told += b"\x25\x00" + b"\x27\x00\x00\x00\x14"
            broker = ScriptBroker(_with_properties(told))
            client = client_of(broker, 5, keepalive_s=60)
            await client.connect()
            self.assertEqual(client.client_id, "abc")
            self.assertEqual(client.told["server_keepalive_s"], 2)
            for call, said in (
                (client.publish("t", b"", qos=2), "QoS up to 1, not 2"),
                (client.publish("t", b"", retain=True), "does not retain"),
                (client.publish("t", bytes(20)), "packets up to 20 bytes, not 26"),
            ):
                self.assertIn(said, str(await fails(call)))
            await client.publish("t", b"1", qos=1, wait=False)
            more = asyncio.create_task(client.publish("t", b"2", qos=1, wait=False))
            await asyncio.sleep_ms(30)
            self.assertFalse(more.done())  # receive maximum 1
            broker.say(_puback(broker.heard[-1]))
            await more
            await soon(lambda: b"\xc0\x00" in broker.heard, "PINGREQ after 1.5 s")
            client.close()
            await client.connect()
            self.assertIn(b"\x00\x03abc", broker.heard[-1 - len(broker.after_connect())])
            client.close()

        play(scenario)

    def test_refusals_are_named(self):
        async def scenario():
            for connack, said in (
                (b"\x20\x03\x00\x86\x00", "bad user name or password (0x86)"),
                (b"\x20\x0a\x00\x9c\x07\x1c\x00\x04b.eu", "use another server (0x9c): b.eu"),
                (b"\x20\x02\x00\x01", "protocol version not accepted (0x84)"),
            ):
                error = await fails(client_of(ScriptBroker(connack), 5).connect())
                self.assertEqual(str(error), "broker refused: " + said)

        play(scenario)

    def test_the_first_start_is_clean_and_the_second_is_not(self):
        async def scenario():
            broker, client = await connected(5, session_expiry_s=7)
            client.close()
            broker.answers[codec.CONNECT] = CONNACK5_PRESENT
            self.assertTrue(await client.connect())
            client.close()
            self.assertEqual([p[9] for p in broker.heard], [0x02, 0x00])
            self.assertIn(b"\x11\x00\x00\x00\x07", broker.heard[0])
            lied = await fails(client_of(broker, 5).connect())
            self.assertIn("session present on a clean session", str(lied))

        play(scenario)

    def test_options_of_5_need_5(self):
        broker = ScriptBroker()
        with self.assertRaises(ValueError):
            Client(broker.open_stream, "n", session_expiry_s=1)
        with self.assertRaises(ValueError):
            Client(broker.open_stream, "n", version=3)

        async def scenario():
            client = Client(broker.open_stream, "n")
            await client.connect()
            with self.assertRaises(ValueError):
                await client.publish("t", b"", properties={"message_expiry_s": 1})
            client.close()

        play(scenario)


class TestPublish(unittest.TestCase):
    def test_a_refused_message_is_named_and_gone(self):
        async def scenario():
            broker, client = await connected(5)
            broker.answers[codec.PUBLISH] = b"\x40\x03\x00\x01\x97"
            error = await fails(client.publish("t", b"", qos=1))
            self.assertEqual(str(error), "broker refused the message: quota exceeded (0x97)")
            broker.answers[codec.PUBLISH] = b"\x50\x03\x00\x02\x87"
            error = await fails(client.publish("t", b"", qos=2))
            self.assertIn("not authorized (0x87)", str(error))
            self.assertEqual((client.refused, client.inflight), (2, 0))
            broker.answers[codec.PUBLISH] = b"\x40\x03\x00\x03\x10"  # nobody listens: no failure
            await client.publish("t", b"", qos=1)
            client.close()

        play(scenario)

    def test_kept_packets_carry_their_topic_again(self):
        """Aliases are of one connection: what goes out again must not use them."""

        async def scenario():
            broker = ScriptBroker(_with_properties(b"\x22\x00\x05"))
            client = client_of(broker, 5)
            await client.connect()
            await client.publish("t", b"1")
            await client.publish("t", b"2", qos=1, wait=False)
            self.assertEqual(broker.heard[-1], b"\x32\x09\x00\x00\x00\x01\x03\x23\x00\x012")
            client.close()
            broker.answers[codec.CONNECT] = CONNACK5_PRESENT
            await client.connect()
            self.assertEqual(broker.after_connect(), [b"\x3a\x07\x00\x01t\x00\x01\x002"])
            client.close()

        play(scenario)

    def test_resending_keeps_to_the_receive_maximum(self):
        async def scenario():
            broker, client = await connected(5)
            for payload in (b"1", b"2", b"3"):
                await client.publish("t", payload, qos=1, wait=False)
            client.close()
            broker.answers[codec.CONNECT] = b"\x20\x06\x01\x00\x03\x21\x00\x02"
            again = asyncio.create_task(client.connect())
            await soon(lambda: len(broker.after_connect()) == 2, "two packets")
            await asyncio.sleep_ms(30)
            self.assertEqual(len(broker.after_connect()), 2)
            broker.answers[codec.PUBLISH] = _puback
            broker.say(b"\x40\x02\x00\x02")
            await again
            await client.publish("t", b"4", qos=1)
            sent = [p[-1:] for p in broker.after_connect()]
            self.assertEqual(sent, [b"1", b"2", b"3", b"4"])
            client.close()

        play(scenario)

    def test_resending_keeps_to_what_the_broker_takes_now(self):
        """MQTT-3.2.2-11, -14, -15: else it would end each session for the same packet."""

        async def scenario():
            broker, client = await connected(5)
            for topic, size, qos, retain in (
                ("a", 0, 2, False),
                ("b", 0, 1, True),
                ("c", 50, 1, False),
            ):
                await client.publish(topic, bytes(size), qos, retain, wait=False)
            await client.publish("d", b"", 1, wait=False)
            client.close()
            limits = b"\x24\x01" + b"\x25\x00" + b"\x27\x00\x00\x00\x28"
            broker.answers[codec.CONNECT] = b"\x20\x0c\x01\x00\x09" + limits
            await client.connect()
            self.assertEqual([p[4:5] for p in broker.after_connect()], [b"d"])
            self.assertEqual((client.refused, client.inflight), (3, 1))
            client.close()

        play(scenario)


class TestOutgoing(unittest.TestCase):
    def test_what_a_client_must_not_say(self):
        """MQTT-3.3.4-6, 3.3.2-14, 3.8.3-4, 3.14.2-2."""

        async def scenario():
            broker, client = await connected(5, session_expiry_s=0)
            for call in (
                client.publish("t", b"", properties={"subscription_id": 1}),
                client.publish("t", b"", properties={"topic_alias": 1}),
                client.publish("t", b"", properties={"response_topic": "a/#"}),
                client.publish("t", b"", properties={"response_topic": ""}),
                client.publish("t", b"", properties={"user": [("one",)]}),
                client.publish("t", b"", properties={"content_type": "a\0"}),
                client.subscribe("$share/g/t", no_local=True),
                client.subscribe("$share//t"),
                client.subscribe("$share/g"),
                client.subscribe("$share/g/"),
                client.subscribe("$share/+/t"),
                client.subscribe("t", retained=3),
                client.disconnect(properties={"session_expiry_s": 5}),
            ):
                with self.assertRaises(ValueError):
                    await call
            self.assertEqual(broker.after_connect(), [])

        play(scenario)


class TestIncoming(unittest.TestCase):
    def test_properties_reach_the_handler(self):
        async def scenario():
            got = []
            broker, client = await connected(
                5, on_message=lambda *a: got.append(a), topic_alias_max=3
            )
            broker.say(b"\x30\x0c\x00\x01t\x07\x08\x00\x01r\x23\x00\x01x")
            broker.say(b"\x30\x07\x00\x00\x03\x23\x00\x01y")
            await soon(lambda: len(got) == 2, "two messages")
            self.assertEqual(got[0], ("t", b"x", False, {"response_topic": "r"}))
            self.assertEqual(got[1], ("t", b"y", False, None))
            client.close()

        play(scenario)

    def test_a_broken_protocol_is_told_to_the_broker(self):
        async def scenario():
            for data, code in (
                (b"\x30\x02\x00\x00", 0x81),
                (b"\x30\x06\x00\x00\x03\x23\x00\x01", 0x94),
                (b"\x30\xff\x7f", 0x95),
                (b"\xf0\x00", 0x82),
                (b"\x20\x03\x00\x00\x00", 0x82),  # a second CONNACK
                (b"\x50\x02\x00\x01", 0x82),  # PUBREC for a message of QoS 1
                (b"\xb0\x05\x00\x09\x00\x00\x00", 0x82),  # we name one topic at a time
                (b"\x30\x0a\x00\x01t\x06\x08\x00\x03r/#", 0x82),  # a response to all of r
            ):
                broker = ScriptBroker(CONNACK5)
                client = client_of(broker, 5, max_packet_bytes=128)
                await client.connect()
                await client.publish("t", b"", qos=1, wait=False)
                broker.say(data)
                error = await fails(_end(client))
                self.assertIn("broke the protocol", str(error))
                await soon(lambda b=broker: b.heard[-1][0] == 0xE0, "DISCONNECT")
                self.assertEqual((broker.heard[-1], data), (bytes((0xE0, 2, code, 0)), data))
                client.close()

        play(scenario)

    def test_too_many_unreleased_messages(self):
        async def scenario():
            broker, client = await connected(5, receive_max=2)
            for i in (1, 2, 3):
                broker.say(bytes((0x34, 6, 0, 1, 0x74, 0, i, 0)))
            error = await fails(_end(client))
            self.assertIn("more than 2 QoS 2 messages", str(error))
            await soon(lambda: broker.heard[-1] == b"\xe0\x02\x93\x00", "DISCONNECT")
            client.close()

        play(scenario)

    def test_the_broker_says_goodbye(self):
        async def scenario():
            broker, client = await connected(5)
            broker.say(b"\xe0\x09\x8e\x07\x1f\x00\x04bye!")
            error = await fails(_end(client))
            self.assertEqual(
                str(error), "broker ended the session: session taken over (0x8e): bye!"
            )
            client.close()

        play(scenario)

    def test_unknown_ids_of_qos_2(self):
        async def scenario():
            broker, client = await connected(5)
            broker.say(b"\x62\x02\x00\x09" + b"\x50\x02\x00\x08" + b"\x70\x02\x00\x07")
            await soon(lambda: len(broker.after_connect()) == 2, "both answers")
            self.assertEqual(
                broker.after_connect(), [b"\x70\x03\x00\x09\x92", b"\x62\x03\x00\x08\x92"]
            )
            self.assertTrue(client.connected)
            client.close()

        play(scenario)


class TestSubscribe(unittest.TestCase):
    def test_options_and_denials(self):
        async def scenario():
            broker, client = await connected(5)
            broker.answers[codec.SUBSCRIBE] = b"\x90\x04\x00\x01\x00\x02"
            self.assertEqual(await client.subscribe("t", 2, retained=2), 2)
            self.assertEqual(broker.heard[-1], b"\x82\x07\x00\x01\x00\x00\x01t\x22")
            broker.answers[codec.SUBSCRIBE] = b"\x90\x04\x00\x02\x00\x87"
            error = await fails(client.subscribe("t"))
            self.assertIn("denied subscription to t: not authorized (0x87)", str(error))
            broker.answers[codec.UNSUBSCRIBE] = b"\xb0\x04\x00\x03\x00\x87"
            self.assertIn("not authorized", str(await fails(client.unsubscribe("t"))))
            broker.answers[codec.UNSUBSCRIBE] = b"\xb0\x04\x00\x04\x00\x11"
            await client.unsubscribe("t")
            client.close()

        play(scenario)

    def test_what_the_broker_has_not_is_not_asked_for(self):
        """3.2.2.3.11 to 13, MQTT-3.2.2-15: it would end the session."""

        async def scenario():
            none = b"\x28\x00\x29\x00\x2a\x00" + b"\x27\x00\x00\x00\x14"
            broker = ScriptBroker(_with_properties(none))
            client = client_of(broker, 5)
            await client.connect()
            for call, said in (
                (client.subscribe("a/+"), "has no wildcards"),
                (client.subscribe("#"), "has no wildcards"),
                (client.subscribe("$share/g/t"), "has no shared subscriptions"),
                (client.subscribe("t", properties={"subscription_id": 1}), "no subscription ids"),
                (client.subscribe("a/longer/topic"), "up to 20 bytes, not 22"),
                (client.unsubscribe("a/long/topic/too"), "up to 20 bytes, not 23"),
            ):
                self.assertIn(said, str(await fails(call)))
            self.assertEqual(broker.after_connect(), [])
            self.assertTrue(client.connected)
            client.close()

        play(scenario)


class TestEnd(unittest.TestCase):
    def test_disconnect_with_a_reason(self):
        async def scenario():
            broker, client = await connected(5)
            await client.disconnect(4, {"session_expiry_s": 60})
            self.assertEqual(broker.heard[-1], b"\xe0\x07\x04\x05\x11\x00\x00\x00\x3c")

        play(scenario)


async def _end(client):
    while True:
        await client.wait_change()
