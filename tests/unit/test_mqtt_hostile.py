"""Brokers that break the protocol, at both versions: cut, oversize, out of order, lying.

Each case says what the client must do: end the session with that reason, or live on.
"""

import asyncio
import unittest

from script_mqtt import (
    CONNACK5_PRESENT,
    CONNACK_PRESENT,
    NEW,
    ScriptBroker,
    client_of,
    connected,
    play,
)
from waiting import fails, soon

from hedge.net import mqtt_codec as codec
from hedge.net.mqtt import Client

_PACKETS = {  # one of each that a server sends in a session
    4: (
        b"\x30\x06\x00\x03a/b!",
        b"\x32\x08\x00\x03a/b\x00\x07!",
        b"\x34\x08\x00\x03a/b\x00\x07!",
        b"\x40\x02\x00\x01",
        b"\x50\x02\x00\x02",
        b"\x62\x02\x00\x07",
        b"\x70\x02\x00\x02",
        b"\x90\x03\x00\x03\x01",
        b"\xb0\x02\x00\x04",
        b"\xd0\x00",
    ),
    5: (
        b"\x30\x07\x00\x03a/b\x00!",
        b"\x32\x10\x00\x03a/b\x00\x07\x07\x26\x00\x01k\x00\x01v!",
        b"\x34\x0e\x00\x03a/b\x00\x07\x05\x02\x00\x00\x00\x01!",
        b"\x40\x04\x00\x01\x10\x00",
        b"\x50\x08\x00\x02\x00\x04\x1f\x00\x01x",
        b"\x62\x03\x00\x07\x00",
        b"\x70\x04\x00\x02\x92\x00",
        b"\x90\x08\x00\x03\x04\x1f\x00\x01x\x01",
        b"\xb0\x04\x00\x04\x00\x11",
        b"\xd0\x00",
        b"\xe0\x06\x8e\x04\x1f\x00\x01x",
    ),
}


async def _end(client):
    while True:
        await client.wait_change()


class TestCut(unittest.TestCase):
    def test_packets_here_are_whole(self):
        async def scenario(version):
            broker, client = await connected(version)
            for packet in _PACKETS[version][:-1]:
                broker.say(packet)
            await asyncio.sleep_ms(20)
            self.assertTrue(client.connected)
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_the_end_within_any_packet(self):
        async def scenario(version):
            for packet in _PACKETS[version]:
                for n in range(len(packet)):
                    broker, client = await connected(version)
                    broker.say(packet[:n])
                    broker.hang_up()
                    self.assertIn("broker closed", str(await fails(_end(client))))
                    client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_the_end_within_connack(self):
        async def scenario(version, connack):
            for n in range(len(connack)):
                broker = ScriptBroker(connack[:n])
                client = client_of(broker, version)
                attempt = asyncio.create_task(fails(client.connect()))
                await soon(lambda b=broker: b.heard, "CONNECT")
                broker.hang_up()
                self.assertIn("broker closed", str(await attempt))

        play(lambda: scenario(4, CONNACK_PRESENT))
        play(lambda: scenario(5, b"\x20\x06\x00\x00\x03\x21\x00\x05"))

    def test_a_packet_shorter_than_its_length_swallows_what_follows(self):
        """The next packet becomes payload: the client must not lose step and crash."""

        async def scenario(version):
            got = []
            broker, client = await connected(version, on_message=lambda *a: got.append(a[1]))
            for packet in _PACKETS[version]:
                broker.say(packet[:-1])
            broker.hang_up()
            await fails(_end(client))
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))


class TestOrder(unittest.TestCase):
    def test_what_may_not_stand_first(self):
        async def scenario(version):
            for packet in _PACKETS[version]:
                error = await fails(client_of(ScriptBroker(packet), version).connect())
                self.assertIn("CONNECT answered by packet type", str(error))

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_what_may_not_stand_in_a_session(self):
        async def scenario(version):
            for packet in (NEW[version], b"\x10\x00", b"\x82\x00", b"\xa2\x00", b"\xc0\x00"):
                broker, client = await connected(version)
                broker.say(packet)
                self.assertIn("broke the protocol", str(await fails(_end(client))))
                await soon(lambda b=broker: b.streams[-1].closed, "the end of the connection")
                self.assertIn("broke the protocol", str(await fails(client.publish("t", b""))))
                client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_packets_behind_connack_in_one_piece(self):
        async def scenario(version):
            got = []
            broker = ScriptBroker(NEW[version] + _PACKETS[version][1] + _PACKETS[version][0])
            client = client_of(broker, version, on_message=lambda *a: got.append(a[:2]))
            await client.connect()
            await soon(lambda: len(got) == 2, "both messages")
            self.assertEqual(got, [("a/b", b"!")] * 2)
            self.assertEqual(broker.after_connect(), [b"\x40\x02\x00\x07"])
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))


class TestPacketIds(unittest.TestCase):
    def test_answers_to_what_was_never_asked_change_nothing(self):
        async def scenario(version):
            broker, client = await connected(version)
            code = b"" if version == 4 else b"\x00"
            for data in (
                b"\x40\x02\x77\x77",
                b"\x70\x02\x77\x77",
                bytes((0x90, 3 + len(code), 0x77, 0x77)) + code + b"\x01",
                bytes((0xB0, 2 + 2 * len(code), 0x77, 0x77)) + code * 2,
            ):
                broker.say(data)
            broker.answers[codec.PUBLISH] = b"\x40\x02\x77\x78" + b"\x40\x02\x00\x01"
            await client.publish("t", b"", qos=1)
            self.assertTrue(client.connected)
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_an_answer_to_another_packet_is_not_taken(self):
        async def scenario(version):
            broker, client = await connected(version, timeout_ms=400)
            answer = b"\x90\x03\x00\x02\x01" if version == 4 else b"\x90\x04\x00\x02\x00\x01"
            broker.answers[codec.SUBSCRIBE] = answer
            self.assertIn("no SUBACK", str(await fails(client.subscribe("t"))))
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_an_answer_of_another_kind(self):
        async def scenario(version):
            for data, ends in (
                (b"\xb0\x02\x00\x01" if version == 4 else b"\xb0\x04\x00\x01\x00\x00", True),
                (b"\x40\x02\x00\x01", False),
                (b"\x70\x02\x00\x01", False),
            ):
                broker, client = await connected(version, timeout_ms=400)
                broker.answers[codec.SUBSCRIBE] = data
                said = "not asked for" if ends else "no SUBACK"
                self.assertIn(said, str(await fails(client.subscribe("t"))))
                client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_more_codes_than_asked_for(self):
        async def scenario(version):
            broker, client = await connected(version)
            answer = b"\x90\x04\x00\x01\x01\x01"
            if version == 5:
                answer = b"\x90\x05\x00\x01\x00\x01\x01"
            broker.answers[codec.SUBSCRIBE] = answer
            self.assertIn("codes of several topics", str(await fails(client.subscribe("t"))))
            self.assertFalse(client.connected)  # MQTT-3.9.3-1
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))


class TestLies(unittest.TestCase):
    def test_session_present_when_a_clean_one_was_asked_for(self):
        async def scenario(version, connack):
            client = client_of(ScriptBroker(connack), version, clean_session=True)
            error = await fails(client.connect())
            self.assertIn("session present on a clean session", str(error))
            self.assertFalse(client.connected)

        play(lambda: scenario(4, CONNACK_PRESENT))
        play(lambda: scenario(5, CONNACK5_PRESENT))

    def test_a_session_that_vanished_forgets_what_came_in(self):
        """Its packet ids start anew: an old one must not hide a new message."""

        async def scenario(version):
            got = []
            broker, client = await connected(version, on_message=lambda *a: got.append(a[1]))
            broker.say(_PACKETS[version][2])
            await soon(lambda: len(got) == 1, "a message")
            client.close()
            await client.connect()
            broker.say(_PACKETS[version][2])
            await soon(lambda: len(got) == 2, "the same id again")
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_more_granted_than_asked_for(self):
        async def scenario(version):
            broker, client = await connected(version)
            answer = b"\x90\x03\x00\x01\x02" if version == 4 else b"\x90\x04\x00\x01\x00\x02"
            broker.answers[codec.SUBSCRIBE] = answer
            error = await fails(client.subscribe("t", 1))
            self.assertIn("QoS 2 granted where 1 was asked", str(error))
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))


class TestSize(unittest.TestCase):
    def test_of_exactly_the_limit_passes_and_one_more_does_not(self):
        async def scenario(version):
            got = []
            more = b"" if version == 4 else b"\x00"
            broker, client = await connected(
                version, max_packet_bytes=64, on_message=lambda *a: got.append(len(a[1]))
            )
            payload = bytes(59 - len(more))
            broker.say(b"\x30\x3e\x00\x01a" + more + payload)
            await soon(lambda: got, "the message")
            self.assertEqual(got, [len(payload)])
            broker.say(b"\x30\x3f\x00\x01a" + more + payload + b"x" + b"\xd0\x00")
            if version == 4:
                await soon(lambda: client.oversized == 1, "the count")
                self.assertTrue(client.connected)
            else:
                self.assertIn("packet of 65 bytes", str(await fails(_end(client))))
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_a_length_that_never_comes_holds_no_memory(self):
        async def scenario():
            broker, client = await connected(4, max_packet_bytes=64)
            broker.say(b"\x30\xff\xff\xff\x7f\x00\x01a" + bytes(5000))
            await soon(lambda: client.oversized == 1, "the count")
            broker.hang_up()
            self.assertIn("broker closed", str(await fails(_end(client))))
            client.close()

        play(scenario)


class TestUse(unittest.TestCase):
    def test_topics_with_wildcards_are_not_published_to(self):
        async def scenario(version):
            broker, client = await connected(version)
            for topic in ("", "a/+", "#", "a\0"):
                with self.assertRaises(ValueError):
                    client_of(broker, version, will=(topic, b"", 0, False))
                with self.assertRaises(ValueError):
                    await client.publish(topic, b"")
            self.assertEqual(broker.after_connect(), [])
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_what_is_no_filter_is_not_subscribed_to(self):
        """MQTT-4.7.1-2, -3, 4.7.3-1, -2."""

        async def scenario(version):
            broker, client = await connected(version)
            for topic in ("", "a#", "#/a", "a/#/b", "a+/b", "a/+b", "a\0"):
                with self.assertRaises(ValueError):
                    await client.subscribe(topic)
            self.assertEqual(broker.after_connect(), [])
            broker.answers[codec.SUBSCRIBE] = lambda p: (
                b"\x90" + (b"\x03" + p[2:4] if version == 4 else b"\x04" + p[2:4] + b"\0") + b"\1"
            )
            for topic in ("#", "+", "+/+/#", "/", "a//b", "$SYS/#"):
                self.assertEqual(await client.subscribe(topic), 1)
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))

    def test_without_an_id_the_session_is_a_clean_one(self):
        """MQTT-3.1.3-7."""

        async def scenario(version):
            broker = ScriptBroker(NEW[version])
            client = Client(broker.open_stream, "", version=version)
            for _ in range(2):  # at MQTT 5 also while the broker gives none
                await client.connect()
                self.assertEqual(broker.heard[-1][9], 2)
            client.close()

        for version in (4, 5):
            play(lambda v=version: scenario(v))
