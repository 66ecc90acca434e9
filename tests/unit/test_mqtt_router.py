"""Topic filters and handlers. Cases: OASIS MQTT 5.0, sections 4.7.1 to 4.7.3."""

import asyncio
import unittest

from script_mqtt import CONNACK, ScriptBroker, play
from waiting import soon

from hedge.net import mqtt_codec as codec
from hedge.net.mqtt import Client
from hedge.net.mqtt_router import Router, matches


class TestMatches(unittest.TestCase):
    def test_the_examples_of_the_specification(self):
        for topic_filter, topic, expected in (
            ("sport/tennis/player1/#", "sport/tennis/player1", True),
            ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
            ("sport/#", "sport", True),
            ("#", "any/thing", True),
            ("sport/tennis/+", "sport/tennis/player1", True),
            ("sport/tennis/+", "sport/tennis/player1/ranking", False),
            ("sport/+", "sport", False),
            ("sport/+", "sport/", True),
            ("+/+", "/finance", True),
            ("/+", "/finance", True),
            ("+", "/finance", False),
            ("#", "$SYS/broker", False),
            ("+/monitor/Clients", "$SYS/monitor/Clients", False),
            ("$SYS/#", "$SYS/monitor", True),
            ("$SYS/monitor/+", "$SYS/monitor/Clients", True),
            ("ACCOUNTS", "Accounts", False),
            ("a/b", "a/b/c", False),
            ("a/b/c", "a/b", False),
        ):
            found = matches(topic_filter.split("/"), topic)
            self.assertEqual((found, topic_filter, topic), (expected, topic_filter, topic))


class TestRouter(unittest.TestCase):
    def test_acknowledged_after_every_handler(self):
        async def scenario():
            broker, seen = ScriptBroker(CONNACK), []
            router = Router()

            async def slow(topic, payload, retain, properties):
                await asyncio.sleep_ms(5)
                seen.append(("slow", topic, len(broker.after_connect())))

            def quick(topic, payload, retain, properties):
                seen.append(("quick", topic, len(broker.after_connect())))

            router.add("a/+", quick)
            router.add("$share/g/a/b", slow, qos=2)
            client = Client(broker.open_stream, "n", on_message=router.handle)
            await client.connect()
            broker.say(b"\x32\x08\x00\x03a/b\x00\x07!" + b"\x32\x06\x00\x01z\x00\x08!")
            await soon(lambda: len(broker.after_connect()) == 2, "two PUBACKs")
            self.assertEqual(seen, [("quick", "a/b", 0), ("slow", "a/b", 0)])
            self.assertEqual(router.unclaimed, 1)
            client.close()

        play(scenario)

    def test_one_that_raises_ends_the_session_unacknowledged(self):
        async def scenario():
            broker = ScriptBroker(CONNACK)
            router = Router()

            def fail(*message):
                raise OSError("disk full")

            router.add("#", fail)
            client = Client(broker.open_stream, "n", on_message=router.handle)
            await client.connect()
            broker.say(b"\x32\x08\x00\x03a/b\x00\x07!")
            await soon(lambda: not client.connected, "the end")
            self.assertEqual(broker.after_connect(), [])
            client.close()

        play(scenario)

    def test_subscribes_to_each_filter(self):
        async def scenario():
            broker = ScriptBroker(CONNACK)
            answers = {1: b"\x90\x03\x00\x01\x01", 2: b"\x90\x03\x00\x02\x02"}
            broker.answers[codec.SUBSCRIBE] = lambda packet: answers[packet[3]]
            router = Router()
            router.add("a", None)
            router.add("b", None, qos=2)
            client = Client(broker.open_stream, "n", on_message=router.handle)
            await client.connect()
            await router.subscribe(client)
            sent = [b"\x82\x06\x00\x01\x00\x01a\x01", b"\x82\x06\x00\x02\x00\x01b\x02"]
            self.assertEqual(broker.after_connect(), sent)
            client.close()

        play(scenario)
