"""ESP-NOW: datagrams, the link, relay and repeater on an air that loses and doubles."""

import asyncio
import random
import unittest

from fake_uplink import FakeGateway, FakeLink, FakeStore

from hedge.core import log
from hedge.core.errors import FrameError, LinkError
from hedge.net.espnow_link import EspnowLink
from hedge.net.espnow_parts import DOWN, HEADER_BYTES, MAX_BYTES, UP, Parts, is_good, pack
from hedge.net.espnow_radio import BROADCAST
from hedge.net.espnow_relay import Relay
from hedge.net.espnow_repeater import Repeater
from hedge.net.uplink import Uplink

NODE, RELAY, BETWEEN = b"\x02node1", b"\x02relay", b"\x02reptr"


class Air:
    """Radios by MAC; `deaf` lists pairs that do not hear each other. loss, double: 0..1."""

    def __init__(self, loss=0.0, double=0.0, seed=1):
        self.radios = {}
        self.loss, self.double = loss, double
        self.deaf = []
        self.longest = self.sent = 0
        self._random = random
        random.seed(seed)

    def radio(self, mac):
        self.radios[mac] = AirRadio(self, mac)
        return self.radios[mac]

    def carry(self, sender, to, data):
        self.sent += 1
        self.longest = max(self.longest, len(data))
        taken = to == BROADCAST
        for mac, radio in self.radios.items():
            apart = (sender, mac) in self.deaf or (mac, sender) in self.deaf
            if mac == sender or to not in (mac, BROADCAST) or apart:
                continue
            if self._random.random() >= self.loss:
                taken = True
                radio.inbox.append((sender, bytes(data)))
                if self._random.random() < self.double:
                    radio.inbox.append((sender, bytes(data)))
                radio.arrived.set()
        return taken


class AirRadio:
    def __init__(self, air, mac):
        self._air = air
        self.mac = mac
        self.inbox = []
        self.arrived = asyncio.Event()

    async def send(self, mac, data):
        await asyncio.sleep_ms(0)
        return self._air.carry(self.mac, mac, data)

    async def recv(self):
        while not self.inbox:
            self.arrived.clear()
            await self.arrived.wait()
        return self.inbox.pop(0)


class PartsTest(unittest.TestCase):
    def test_the_header(self):
        """Byte by byte as ESPNOW_SPEC.md has it."""
        data = pack(b"abcdef", UP, 7, "U", b"\x01\x02frame")
        self.assertEqual(data, [b"\x10\x03abcdef\x07\x00U\x01\x02frame"])
        self.assertEqual(pack(b"abcdef", DOWN, 263, "p", b"")[0], b"\x11\x03abcdef\x07\x00p")

    def test_every_size_in_any_order(self):
        for size in (0, 1, 239, 240, 478, 1000, 16 * 239):
            body = bytes([(i * 7) & 255 for i in range(size)])
            datagrams = pack(NODE, UP, size, "I", body)
            self.assertTrue(max(len(d) for d in datagrams) <= MAX_BYTES)
            parts = Parts()
            found = [parts.take(d) for d in reversed(datagrams)]
            self.assertEqual(found[-1], (UP, NODE, "I", body))
            self.assertEqual(found[:-1], [None] * (len(datagrams) - 1))

    def test_too_long(self):
        with self.assertRaises(ValueError):
            pack(NODE, UP, 1, "I", bytes(16 * 239 + 1))

    def test_a_second_copy_brings_nothing(self):
        parts = Parts()
        (datagram,) = pack(NODE, UP, 1, "U", b"x")
        self.assertTrue(parts.take(datagram) is not None)
        fewer_hops = datagram[:1] + b"\x01" + datagram[2:]
        self.assertEqual(parts.take(fewer_hops), None)

    def test_numbers_come_around(self):
        parts = Parts()
        for number in (254, 255, 256, 257):
            found = [
                parts.take(d) for d in pack(NODE, UP, number, "U", bytes(300) + b"%d" % number)
            ]
            self.assertEqual(found[0], None)
            self.assertEqual(found[1][3][300:], b"%d" % number)
        self.assertEqual(parts.lost, 0)

    def test_messages_with_lost_parts_are_given_up(self):
        parts = Parts()
        for number in range(10):
            parts.take(pack(NODE, UP, number, "I", bytes(500))[0])
        self.assertEqual(parts.lost, 6)
        self.assertEqual(len(parts._open), 4)

    def test_wild_bytes(self):
        random.seed(2)
        parts = Parts()
        good = pack(NODE, UP, 1, "I", bytes(500))
        for _ in range(2000):
            data = bytearray(good[random.getrandbits(8) % len(good)])
            for _ in range(random.getrandbits(2)):
                data[random.getrandbits(8) % len(data)] = random.getrandbits(8)
            data = data[: random.getrandbits(9)]
            parts.take(bytes(data))
            self.assertTrue(len(parts._open) <= 4 and len(parts._seen) <= 16)
        self.assertFalse(is_good(b""))
        self.assertFalse(is_good(bytes(HEADER_BYTES)))


class _Site(unittest.TestCase):
    def setUp(self):
        self._level, log.level = log.level, log.WARN + 1
        self.gateway = FakeGateway()
        self.links = []  # (device, info, FakeLink) in the order of their making
        self.air = Air()

    def tearDown(self):
        log.level = self._level

    def make(self, device, info):
        self.links.append((device, info, FakeLink(self.gateway)))
        return self.links[-1][2]

    def play(self, scenario, most=8, repeater=False):
        async def run():
            tasks = [Relay(self.air.radio(RELAY), self.make, most).run()]
            if repeater:
                self.air.deaf.append((NODE, RELAY))
                tasks.append(Repeater(self.air.radio(BETWEEN)).run())
            tasks = [asyncio.create_task(task) for task in tasks]
            try:
                return await scenario()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.sleep_ms(5)

        return asyncio.run(run())

    def link(self, mac=NODE, device="bed-3", info=b"info", **options):
        options = dict({"keepalive_s": 5, "timeout_ms": 3000}, **options)
        return EspnowLink(self.air.radio(mac), device, info, **options)

    async def drained(self, records, **options):
        store = FakeStore()
        uplink = Uplink(self.link(), store, "bed-3", retry_min_ms=5, retry_max_ms=20, **options)
        task = asyncio.create_task(uplink.run())
        for i in range(records):
            store.append(i % 3, b"record %d" % i)
        uplink.wake()
        for _ in range(3000):
            if not store.rows:
                break
            await asyncio.sleep_ms(10)
        task.cancel()
        await asyncio.sleep_ms(5)
        self.assertEqual(len(store.rows), 0)
        payloads = sorted(self.gateway.rows.values())
        self.assertEqual(payloads, sorted([b"record %d" % i for i in range(records)]))


class LinkTest(_Site):
    def test_info_of_many_datagrams_then_frames_and_acks(self):
        info = bytes(1500)

        async def scenario():
            link = self.link(info=info)
            self.assertFalse(await link.connect())
            for _ in range(200):
                if self.links[-1][1]:
                    break
                await asyncio.sleep_ms(5)
            await link.close()
            await link.connect()  # the relay knows the info map by now: no second link for it
            await asyncio.sleep_ms(20)
            await link.close()

        self.play(scenario)
        self.assertEqual(
            [(d, i) for d, i, _ in self.links],
            [("bed-3", b""), ("bed-3", info)] + [("bed-3", info)],
        )

    def test_records_arrive_once(self):
        async def scenario():
            await self.drained(40)

        self.play(scenario)
        self.assertTrue(self.air.longest <= 250)

    def test_on_an_air_that_loses_a_fifth_and_doubles_a_tenth(self):
        self.air.loss, self.air.double = 0.2, 0.1

        async def scenario():
            await self.drained(30, ack_timeout_ms=60)

        self.play(scenario)

    def test_over_a_repeater(self):
        async def scenario():
            await self.drained(30)

        self.play(scenario, repeater=True)

    def test_over_a_repeater_on_a_bad_air(self):
        self.air.loss, self.air.double = 0.1, 0.1

        async def scenario():
            await self.drained(30, ack_timeout_ms=60)

        self.play(scenario, repeater=True)

    def test_nobody_answers(self):
        async def scenario():
            self.air.deaf.append((NODE, RELAY))
            await self.link(timeout_ms=50).connect()

        with self.assertRaises(LinkError) as caught:
            self.play(scenario)
        self.assertEqual(str(caught.exception), "espnow: no relay answers: same channel?")

    def test_a_relay_out_of_reach_ends_the_session(self):
        async def scenario():
            link = self.link()
            await link.connect()
            self.air.deaf.append((NODE, RELAY))
            await link.send(b"frame")

        with self.assertRaises(LinkError) as caught:
            self.play(scenario)
        self.assertEqual(str(caught.exception), "espnow: the relay is out of reach")

    def test_a_full_relay_says_so(self):
        async def scenario():
            first = self.link(b"\x02node2", "bed-4", b"")
            await first.connect()
            await self.link(info=b"").connect()

        with self.assertRaises(LinkError) as caught:
            self.play(scenario, most=1)
        self.assertTrue("the relay is full" in str(caught.exception))

    def test_a_relay_tells_a_node_what_its_link_does_not_take(self):
        async def scenario():
            link = self.link(info=b"")
            await link.connect()

            async def send(data):
                raise FrameError("frame of 5 bytes")

            self.links[-1][2].send = send
            await link.send(b"wrong")
            await link.recv()

        with self.assertRaises(LinkError) as caught:
            self.play(scenario)
        self.assertEqual(str(caught.exception), "bridge: frame of 5 bytes")

    def test_a_relay_outlives_names_that_are_none(self):
        async def scenario():
            radio = self.air.radio(b"\x02node2")
            for i, name in enumerate((b"\xff\x9c", b"a/+/#", b"", b"x" * 25)):
                hello = b"id\x01\x00\x05" + name
                await radio.send(BROADCAST, pack(b"\x02node2", UP, i, "H", hello)[0])
            await asyncio.sleep_ms(5)
            await self.link(info=b"").connect()
            return [bytes(data[13:]) for _, data in radio.inbox if data[10] == ord("n")]

        self.assertEqual(self.play(scenario), [b"no device name"] * 4)
        self.assertEqual([device for device, _, _ in self.links], ["bed-3"])

    def test_a_relay_whose_own_link_is_lost_says_so(self):
        async def scenario():
            link = self.link(info=b"")
            await link.connect()
            self.links[-1][2].break_it()
            await link.recv()

        with self.assertRaises(LinkError) as caught:
            self.play(scenario)
        self.assertTrue("broker closed the connection" in str(caught.exception))


if __name__ == "__main__":
    unittest.main()
