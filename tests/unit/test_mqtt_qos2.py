"""QoS 2 both ways, and sessions kept in a key-value file over a restart of the node."""

import asyncio
import unittest

from script_mqtt import (
    CONNACK,
    CONNACK5_PRESENT,
    NEW,
    PRESENT,
    ScriptBroker,
    client_of,
    connected,
    play,
)
from store_folder import clear, fresh
from waiting import fails, soon

from hedge.core.errors import LinkError, StoreError
from hedge.net import mqtt_codec as codec
from hedge.net.mqtt import Client
from hedge.net.mqtt_session import Session
from hedge.store.kv import KV

_MESSAGE = {4: b"\x34\x06\x00\x01t\x00\x09x", 5: b"\x34\x07\x00\x01t\x00\x09\x00x"}


class _Case(unittest.TestCase):
    def each_version(self, scenario):
        for version in (4, 5):
            play(lambda v=version: scenario(v))


class TestOutgoing(_Case):
    def test_publish_returns_after_pubcomp(self):
        async def scenario(version):
            broker, client = await connected(version)
            broker.answers[codec.PUBLISH] = b"\x50\x02\x00\x01"
            sent = asyncio.create_task(client.publish("t", b"x", qos=2))
            await soon(lambda: broker.heard[-1] == b"\x62\x02\x00\x01", "PUBREL")
            self.assertFalse(sent.done())
            self.assertEqual(client.inflight, 1)
            broker.say(b"\x70\x02\x00\x01")
            await sent
            self.assertEqual(client.inflight, 0)
            client.close()

        self.each_version(scenario)

    def test_each_half_is_resumed_where_it_was(self):
        async def scenario(version):
            broker, client = await connected(version)
            for payload in (b"1", b"2"):
                await client.publish("t", payload, qos=2, wait=False)
            broker.say(b"\x50\x02\x00\x01")
            await soon(lambda: broker.heard[-1][0] == 0x62, "PUBREL")
            client.close()
            broker.answers[codec.CONNECT] = PRESENT[version]
            await client.connect()
            again = broker.after_connect()
            self.assertEqual(again[0], b"\x62\x02\x00\x01")
            self.assertEqual((again[1][0], again[1][-1:], len(again)), (0x3C, b"2", 2))
            broker.say(b"\x50\x02\x00\x02" + b"\x70\x02\x00\x01" + b"\x70\x02\x00\x02")
            await soon(lambda: client.inflight == 0, "both PUBCOMPs")
            client.close()

        self.each_version(scenario)

    def test_a_repeated_pubrec_gets_its_pubrel_again(self):
        async def scenario(version):
            broker, client = await connected(version)
            await client.publish("t", b"", qos=2, wait=False)
            broker.say(b"\x50\x02\x00\x01" * 2)
            pubrel = b"\x62\x02\x00\x01"
            await soon(lambda: broker.heard[-2:] == [pubrel, pubrel], "two PUBRELs")
            client.close()

        self.each_version(scenario)

    def test_the_wrong_acknowledgement_ends_the_session(self):
        async def scenario(version):
            for qos, data in (
                (1, b"\x50\x02\x00\x01"),
                (1, b"\x70\x02\x00\x01"),
                (2, b"\x40\x02\x00\x01"),
                (2, b"\x70\x02\x00\x01"),  # PUBCOMP before PUBREL
            ):
                broker = ScriptBroker(NEW[version])
                client = client_of(broker, version)
                await client.connect()
                broker.answers[codec.PUBLISH] = data
                error = await fails(client.publish("t", b"", qos=qos))
                self.assertIn("where another was due", str(error))
                self.assertEqual(client.inflight, 1)
                client.close()

        self.each_version(scenario)


class TestIncoming(_Case):
    def test_handed_over_once_and_acknowledged_after(self):
        async def scenario(version):
            broker, got = ScriptBroker(NEW[version]), []

            async def handle(topic, payload, retain, properties=None):
                await asyncio.sleep_ms(5)
                got.append((payload, len(broker.after_connect())))

            client = client_of(broker, version, on_message=handle)
            await client.connect()
            again = bytes((_MESSAGE[version][0] | 8,)) + _MESSAGE[version][1:]
            broker.say(_MESSAGE[version] + again + b"\x62\x02\x00\x09" + _MESSAGE[version])
            await soon(lambda: len(got) == 2, "two messages")
            await soon(lambda: len(broker.after_connect()) == 4, "four answers")
            pubrec, pubcomp = b"\x50\x02\x00\x09", b"\x70\x02\x00\x09"
            self.assertEqual(broker.after_connect(), [pubrec, pubrec, pubcomp, pubrec])
            self.assertEqual(got, [(b"x", 0), (b"x", 3)])
            client.close()

        self.each_version(scenario)

    def test_a_failing_handler_gets_it_again(self):
        async def scenario(version):
            broker, got = ScriptBroker(NEW[version]), []

            def handle(topic, payload, retain, properties=None):
                got.append(payload)
                if len(got) == 1:
                    raise OSError("disk full")

            client = client_of(broker, version, on_message=handle)
            await client.connect()
            broker.say(_MESSAGE[version])
            await soon(lambda: not client.connected, "the end")
            self.assertEqual(broker.after_connect(), [])
            broker.answers[codec.CONNECT] = PRESENT[version] + _MESSAGE[version]
            await client.connect()
            await soon(lambda: broker.after_connect(), "PUBREC")
            self.assertEqual(got, [b"x", b"x"])
            client.close()

        self.each_version(scenario)

    def test_an_oversized_one_is_dropped_for_good(self):
        async def scenario():
            broker = ScriptBroker(CONNACK)
            client = client_of(broker, max_packet_bytes=32)
            await client.connect()
            broker.say(b"\x34\x85\x01\x00\x01t\x00\x09" + bytes(128) + b"\x62\x02\x00\x09")
            await soon(lambda: len(broker.after_connect()) == 2, "PUBREC and PUBCOMP")
            self.assertEqual(client.oversized, 1)
            client.close()

        play(scenario)


class TestRestart(_Case):
    """Each new Client on a new KV of the same file is a node that was switched off and on."""

    def setUp(self):
        self.folders = []

    def tearDown(self):
        for folder in self.folders:
            clear(folder)

    def restarted(self, broker, version=4, **options):
        return client_of(broker, version, session=Session(KV(self.path)), **options)

    def fresh(self):
        self.folders.append(fresh("mqtt"))
        self.path = self.folders[-1] + "/mqtt.kv"

    async def first_start(self, version=4):
        """(broker, client that is connected to it), with a file of their own"""
        self.fresh()
        broker = ScriptBroker(NEW[version])
        client = self.restarted(broker, version)
        await client.connect()
        return broker, client

    def test_same_packet_id_and_dup(self):
        async def scenario(version):
            broker, client = await self.first_start(version)
            await client.publish("t", b"1", qos=1, wait=False)
            await client.publish("t", b"2", qos=2, wait=False)
            first = broker.after_connect()
            client.close()
            broker.answers[codec.CONNECT] = PRESENT[version]
            client = self.restarted(broker, version)
            self.assertEqual(client.inflight, 2)
            self.assertTrue(await client.connect())
            self.assertEqual(broker.after_connect(), [_dup(p) for p in first])
            await client.publish("t", b"3", qos=1, wait=False)
            self.assertEqual(broker.heard[-1][5:7], b"\x00\x03")
            client.close()

        self.each_version(scenario)

    def test_a_lost_session_gets_them_as_new_and_no_pubrel(self):
        async def scenario(version):
            broker, client = await self.first_start(version)
            await client.publish("t", b"1", qos=2, wait=False)
            await client.publish("t", b"2", qos=2, wait=False)
            first = broker.after_connect()
            broker.say(b"\x50\x02\x00\x01")
            await soon(lambda: len(broker.after_connect()) == 3, "PUBREL")
            client.close()
            client = self.restarted(broker, version)
            self.assertFalse(await client.connect())
            self.assertEqual(broker.after_connect(), first[1:])
            client.close()

        self.each_version(scenario)

    def test_pubrel_is_kept_before_it_leaves(self):
        """Else the message would go out again, and be a second one for the broker."""

        async def scenario(version):
            broker, client = await self.first_start(version)
            await client.publish("t", b"1", qos=2, wait=False)
            kept = []
            broker.answers[codec.PUBREL] = lambda p: (
                kept.append(KV(self.path).get("mqtt.1")) or b""
            )
            broker.say(b"\x50\x02\x00\x01")
            await soon(lambda: kept, "PUBREL")
            self.assertEqual(kept, [b"\x62\x02\x00\x01"])
            client.close()
            broker.answers[codec.CONNECT] = PRESENT[version]
            client = self.restarted(broker, version)
            await client.connect()
            self.assertEqual(broker.after_connect(), [b"\x62\x02\x00\x01"])
            client.close()

        self.each_version(scenario)

    def test_what_was_handed_over_is_not_handed_over_again(self):
        async def scenario(version):
            self.fresh()
            broker, got = ScriptBroker(NEW[version]), []

            def handle(topic, payload, retain, properties=None):
                got.append(payload)

            client = self.restarted(broker, version, on_message=handle)
            await client.connect()
            broker.say(_MESSAGE[version])
            await soon(lambda: broker.after_connect(), "PUBREC")
            client.close()
            again = bytes((_MESSAGE[version][0] | 8,)) + _MESSAGE[version][1:]
            broker.answers[codec.CONNECT] = PRESENT[version] + again
            client = self.restarted(broker, version, on_message=handle)
            await client.connect()
            await soon(lambda: broker.after_connect(), "PUBREC")
            self.assertEqual(got, [b"x"])
            broker.say(b"\x62\x02\x00\x09")
            await soon(lambda: len(broker.after_connect()) == 2, "PUBCOMP")
            self.assertEqual(KV(self.path).get("mqtt.in"), [])  # its id may come again
            client.close()

        self.each_version(scenario)

    def test_a_handler_that_saves_in_the_same_file_saves_both_or_neither(self):
        async def scenario(version):
            self.fresh()
            broker = ScriptBroker(NEW[version])
            kv = KV(self.path)
            seen = []

            def handle(topic, payload, retain, properties=None):
                seen.append(KV(self.path).get("mqtt.in"))
                kv.set("app.total", kv.get("app.total", 0) + 1)
                kv.save()
                now = KV(self.path)
                seen.append((now.get("mqtt.in"), now.get("app.total")))

            client = client_of(broker, version, session=Session(kv), on_message=handle)
            await client.connect()
            broker.say(_MESSAGE[version])
            await soon(lambda: broker.after_connect(), "PUBREC")
            self.assertEqual(seen, [[], ([9], 1)])
            client.close()

        self.each_version(scenario)

    def test_what_cannot_be_kept_is_not_sent(self):
        async def scenario(version):
            broker, client = await self.first_start(version)
            with self.assertRaises(StoreError):
                await client.publish("t", bytes(9000), qos=1)
            self.assertEqual((client.inflight, broker.after_connect()), (0, []))
            await client.publish("t", b"", qos=1, wait=False)
            client.close()

        self.each_version(scenario)

    def test_another_client_id_starts_anew(self):
        async def scenario():
            broker, client = await self.first_start()
            await client.publish("t", b"", qos=1, wait=False)
            client.close()
            other = Client(broker.open_stream, "other", session=Session(KV(self.path)))
            self.assertEqual(other.inflight, 0)
            with self.assertRaises(LinkError):
                await other.publish("t", b"")

        play(scenario)

    def test_an_assigned_client_id_is_used_again(self):
        async def scenario():
            self.fresh()
            broker = ScriptBroker(b"\x20\x09\x00\x00\x06\x12\x00\x03abc")
            client = Client(broker.open_stream, "", version=5, session=Session(KV(self.path)))
            await client.connect()
            client.close()
            broker.answers[codec.CONNECT] = CONNACK5_PRESENT
            client = Client(broker.open_stream, "", version=5, session=Session(KV(self.path)))
            self.assertTrue(await client.connect())
            self.assertTrue(broker.heard[-1].endswith(b"\x00\x03abc"))
            self.assertEqual(broker.heard[-1][9], 0)  # not a clean start
            client.close()

        play(scenario)

    def test_kept_packets_are_translated_to_another_version(self):
        for before, after in ((4, 5), (5, 4)):

            async def scenario(before=before, after=after):
                broker, client = await self.first_start(before)
                await client.publish("t", b"x", qos=1, retain=True, wait=False)
                client.close()
                broker.answers[codec.CONNECT] = PRESENT[after]
                client = self.restarted(broker, after)
                await client.connect()
                expected = {4: b"\x3b\x06\x00\x01t\x00\x01x", 5: b"\x3b\x07\x00\x01t\x00\x01\x00x"}
                self.assertEqual(broker.after_connect(), [expected[after]])
                client.close()

            play(scenario)


def _dup(packet):
    return bytes((packet[0] | 8,)) + packet[1:]
