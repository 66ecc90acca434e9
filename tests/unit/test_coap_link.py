"""The link over CoAP against a gateway of hedge.net.coap: acks, refusals, silence, sessions."""

import asyncio
import unittest

from coap_pair import CALM, FAST, PairCase, fault_of
from fake_udp import FakeNet
from waiting import soon

from hedge.core.errors import LinkError
from hedge.net.coap import numbers as n
from hedge.net.coap.resource import Refusal, Resource
from hedge.net.coap.server import Server
from hedge.net.coap_link import CoapLink


class FarmPair:
    """A link at "c" and a gateway at "s" that acks a frame with b"ack " and the frame."""

    def __init__(self, info=b"info", timing=CALM):
        self.net = FakeNet()
        self.frames = []
        self.infos = []
        self.refusal = None
        self.server = Server(self.net.socket("s"), max_tasks=8, **timing)
        self.server.add(Resource("up/bed-3", {n.POST: self._up}))
        self.server.add(Resource("info/bed-3", {n.PUT: self._take_info}))
        self.opened = 0
        self.doubts = []
        self.link = CoapLink(self._open, "bed-3", info, **dict(timing, limit_ms=30000))

    async def _open(self, doubted):
        self.opened += 1
        self.doubts.append(doubted)
        return self.net.socket("c", peer="s")

    def _up(self, request):
        if self.refusal:
            raise self.refusal
        self.frames.append(request.payload)
        return b"ack " + request.payload

    def _take_info(self, request):
        self.infos.append(request.payload)

    def start(self):
        self._task = asyncio.create_task(self.server.run())

    def stop(self):
        self._task.cancel()
        self.server.close()


class TestLink(PairCase):
    def test_frames_and_their_acks(self):
        async def scenario(pair):
            link = pair.link
            self.assertFalse(await link.connect())
            self.assertEqual(pair.infos, [b"info"])
            for i in range(10):
                await link.send(b"frame %d" % i)
            acks = set()
            for _ in range(10):
                acks.add(await link.recv())
            self.assertEqual(acks, {b"ack frame %d" % i for i in range(10)})
            before = link.bytes_sent
            self.assertTrue(before > 10 * 8)
            await link.close()
            await link.close()
            await link.connect()
            self.assertTrue(link.bytes_sent > before)
            self.assertEqual(pair.opened, 2)
            await link.close()

        self.play(scenario, FarmPair())

    def test_with_a_third_of_the_datagrams_lost_nothing_comes_twice(self):
        async def scenario(pair):
            count = [0]

            def fate(sender, to, data):
                count[0] += 1
                return (1, 0, 2)[count[0] % 3]

            pair.net.fate = fate
            await pair.link.connect()
            for i in range(12):
                await pair.link.send(b"frame %d" % i)
            for _ in range(12):
                await pair.link.recv()
            self.assertEqual(sorted(pair.frames), sorted([b"frame %d" % i for i in range(12)]))
            await pair.link.close()

        self.play(scenario, FarmPair(timing={"ack_timeout_ms": 20, "max_retransmit": 6}))

    def test_a_refused_frame_ends_the_session_with_the_reason(self):
        async def scenario(pair):
            await pair.link.connect()
            pair.refusal = Refusal(n.BAD_REQUEST, "mac: wrong MAC")
            await pair.link.send(b"frame")
            self.assertEqual(
                await fault_of(pair.link.recv()), "gateway refused: 4.00 mac: wrong MAC"
            )
            self.assertTrue("refused" in await fault_of(pair.link.send(b"frame")))
            pair.refusal = None
            await pair.link.connect()
            await pair.link.send(b"frame")
            self.assertEqual(await pair.link.recv(), b"ack frame")
            await pair.link.close()

        self.play(scenario, FarmPair())

    def test_silence_ends_a_session_and_a_connect_and_casts_doubt_on_the_name(self):
        async def scenario(pair):
            await pair.link.connect()
            pair.net.fate = lambda sender, to, data: 0
            await pair.link.send(b"frame")
            self.assertTrue("no answer" in await fault_of(pair.link.recv()))
            self.assertTrue("no answer" in await fault_of(pair.link.connect()))
            self.assertTrue("not connected" in await fault_of(pair.link.recv()))
            self.assertTrue("not connected" in await fault_of(pair.link.send(b"x")))
            pair.net.fate = None
            await pair.link.connect()
            await pair.link.connect()
            self.assertEqual(pair.doubts, [False, False, True, False])
            await pair.link.close()

        self.play(scenario, FarmPair(timing=FAST))

    def test_without_info_a_ping_shows_that_the_gateway_lives(self):
        async def scenario(pair):
            await pair.link.connect()
            self.assertEqual(pair.infos, [])
            pair.net.fate = lambda sender, to, data: 0
            await fault_of(pair.link.connect())

        self.play(scenario, FarmPair(info=b"", timing=FAST))

    def test_no_more_than_a_window_is_under_way(self):
        async def scenario(pair):
            await pair.link.connect()
            pair.net.fate = lambda sender, to, data: 0 if to == "c" else 1
            for _ in range(pair.link.window):
                await pair.link.send(b"x")
            fifth = asyncio.create_task(pair.link.send(b"y"))
            await soon(lambda: pair.frames, "the first")
            self.assertFalse(fifth.done())
            pair.net.fate = None
            await fifth
            await pair.link.close()

        self.play(scenario, FarmPair(timing={"ack_timeout_ms": 40, "max_retransmit": 6}))

    def test_close_ends_what_is_under_way(self):
        async def scenario(pair):
            await pair.link.connect()
            pair.net.fate = lambda sender, to, data: 0
            await pair.link.send(b"x")
            waiting = asyncio.create_task(pair.link.recv())
            await asyncio.sleep_ms(5)
            await pair.link.close()
            try:
                await waiting
            except LinkError as e:
                self.assertEqual(str(e), "not connected")
            self.assertEqual(len(pair.link._under_way), 0)

        self.play(scenario, FarmPair())


if __name__ == "__main__":
    unittest.main()
