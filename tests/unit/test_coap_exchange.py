"""CoAP's message layer over a network that loses, doubles and invents datagrams."""

import asyncio
import time
import unittest

from coap_pair import FAST, Pair, PairCase, fault_of, request_of
from waiting import soon

from hedge.net.coap import endpoint
from hedge.net.coap import numbers as n
from hedge.net.coap.client import Client
from hedge.net.coap.message import Message, decode
from hedge.net.coap.recent import Recent
from hedge.net.coap.resource import Resource
from hedge.net.coap.waiter import ANY


def losing(first):
    """A fate that loses the first datagrams."""
    left = [first]

    def fate(sender, to, data):
        left[0] -= 1
        return 0 if left[0] >= 0 else 1

    return fate


class TestRequests(PairCase):
    def test_piggybacked_response(self):
        async def scenario(pair):
            response = await pair.client.request(n.GET, "t")
            self.assertEqual((response.code, response.payload), (n.CONTENT, b"21.5"))
            self.assertEqual(response.kind, n.ACK)
            self.assertEqual(len(pair.net.sent), 2)

        self.play(scenario)

    def test_non_confirmable(self):
        async def scenario(pair):
            response = await pair.client.request(n.GET, "t", kind=n.NON)
            self.assertEqual((response.kind, response.payload), (n.NON, b"21.5"))
            self.assertEqual(len(pair.net.sent), 2)

        self.play(scenario)

    def test_a_lost_request_or_answer_is_repeated_and_obeyed_once(self):
        async def scenario(pair):
            for lost in (1, 2):
                pair.shelf.calls = 0
                pair.net.fate = losing(lost)
                response = await pair.client.request(n.POST, "t", b"x")
                self.assertEqual((response.payload, pair.shelf.calls), (b"got 1", 1))
            sent = [d for _, to, d in pair.net.sent if to == "s"]
            self.assertTrue(sent[0] == sent[1], "the same datagram again")
            self.assertTrue(pair.client.endpoint.retransmits >= 2)

        self.play(scenario, Pair(timing=FAST))

    def test_doubled_datagrams_change_nothing(self):
        async def scenario(pair):
            pair.net.fate = lambda sender, to, data: 2
            for count in range(1, 4):
                response = await pair.client.request(n.POST, "t", b"abc")
                self.assertEqual((response.payload, pair.shelf.calls), (b"got 3", count))
            await soon(lambda: pair.server.endpoint.duplicates == 3, "duplicates counted")

        self.play(scenario)

    def test_silence_ends_after_the_last_repetition(self):
        async def scenario(pair):
            pair.net.fate = lambda sender, to, data: 0
            fault = await fault_of(pair.client.request(n.GET, "t"))
            self.assertTrue("no answer to 4 datagrams" in fault, fault)
            self.assertEqual(len(pair.net.sent), 4)
            self.assertEqual(pair.client.endpoint._exchanges, {})
            self.assertEqual(pair.client.endpoint._waiters, {})

        self.play(scenario, Pair(timing=FAST))

    def play_unhurried(self, *what):
        """No handler takes so long that an empty ACK goes out, however slow the computer is."""
        delay_ms, endpoint._ACK_DELAY_MS = endpoint._ACK_DELAY_MS, 60000
        try:
            self.play(*what)
        finally:
            endpoint._ACK_DELAY_MS = delay_ms

    def test_separate_response(self):
        async def scenario(pair):
            async def slow(request):
                await soon(lambda: pair.said_to("c"), "the empty ACK")
                return b"late"

            pair.server.add(Resource("slow", {n.GET: slow}))
            pair.net.fate = losing(0)
            response = await pair.client.request(n.GET, "slow")
            self.assertEqual((response.kind, response.payload), (n.CON, b"late"))
            await soon(lambda: not pair.server.endpoint._tasks, "the answer was acknowledged")
            *before, last = [m.code for m in pair.said_to("c")]
            self.assertEqual((set(before), last), ({n.EMPTY}, n.CONTENT))

        self.play(scenario)

    def test_a_quick_coroutine_is_piggybacked(self):
        async def scenario(pair):
            async def quick(request):
                await asyncio.sleep_ms(1)
                return "soon"

            pair.server.add(Resource("quick", {n.GET: quick}))
            response = await pair.client.request(n.GET, "quick")
            self.assertEqual((response.kind, response.payload), (n.ACK, b"soon"))
            response = await pair.client.request(n.GET, "quick", kind=n.NON)
            self.assertEqual((response.kind, response.payload), (n.NON, b"soon"))

        self.play_unhurried(scenario)

    def test_separate_response_before_its_lost_ack(self):
        """5.2.2: the response is an acknowledgement too; doubled it is acknowledged again."""

        async def scenario(pair):
            async def slow(request):
                await soon(lambda: pair.said_to("d"), "the empty ACK")
                return b"late"

            pair.server.add(Resource("slow", {n.GET: slow}))

            def fate(sender, to, data):
                if to == "c":
                    return 0 if data[0] >> 4 & 3 == n.ACK else 2
                return 1

            pair.net.fate = fate
            client = Client(pair.net.socket("d", peer="s"), ack_timeout_ms=20000)
            client.start()
            pair.net.fate = lambda s, to, d: 0 if to == "d" and d[0] >> 4 & 3 == n.ACK else 2
            response = await client.request(n.GET, "slow")
            self.assertEqual(response.payload, b"late")
            await soon(lambda: not pair.server.endpoint._tasks, "the answer was acknowledged")
            client.close()

        self.play(scenario)

    def test_too_many_slow_requests_are_told_so(self):
        async def scenario(pair):
            async def slow(request):
                await asyncio.sleep_ms(60000)

            pair.server.add(Resource("slow", {n.GET: slow}))
            for mid in range(6):
                pair.raw(request_of(n.GET, "slow", mid=mid, token=bytes((mid,))).encode())
            await soon(lambda: pair.server.endpoint.busy == 2, "5.03 for two")
            codes = [m.code for m in pair.said_to("x")]
            self.assertEqual(codes, [n.UNAVAILABLE] * 2)

        self.play_unhurried(scenario, Pair(server={"max_tasks": 4}))


class TestStrangers(PairCase):
    def test_ping_and_malformed_confirmables_are_reset(self):
        async def scenario(pair):
            for data in (b"\x40\x00\x12\x34", b"\x40\x01\x12\x34\xff", b"\x40\x20\x12\x34"):
                pair.net.sent.clear()
                pair.raw(data)
                await soon(lambda: pair.said_to("x"), "a reset")
                (reset,) = pair.said_to("x")
                self.assertEqual((reset.kind, reset.code, reset.mid), (n.RST, n.EMPTY, 0x1234))
            await pair.client.ping()

        self.play(scenario)

    def test_what_is_passed_over_in_silence(self):
        async def scenario(pair):
            for data in (
                b"",
                b"\x40",
                b"\xc0\x01\x00\x01",  # version 3
                b"\x50\x00\x12\x34",  # an empty NON
                b"\x50\x01\x12\x34\xff",  # a malformed NON
                b"\x60\x00\x12\x34",  # an ACK of nothing
                b"\x70\x00\x12\x34",  # a RST of nothing
                b"\x60\x01\x12\x34",  # an ACK that is a request
                bytes(Message(n.NON, n.CONTENT, 7, b"????").encode()),
            ):
                pair.raw(data)
            await pair.client.request(n.GET, "t")
            self.assertEqual(pair.said_to("x"), [])

        self.play(scenario)

    def test_a_response_nobody_asked_for_is_reset(self):
        async def scenario(pair):
            pair.raw(Message(n.CON, n.CONTENT, 9, b"????", payload=b"x").encode())
            await soon(lambda: pair.said_to("x"), "a reset")
            self.assertEqual(pair.said_to("x")[0].kind, n.RST)

        self.play(scenario)

    def test_answers_with_a_foreign_token_or_mid_do_not_count(self):
        async def scenario(pair):
            real = pair.net.carry

            def carry(sender, to, data):
                if to == "c":
                    message = decode(data)
                    forged = Message(n.ACK, n.CONTENT, message.mid, b"bad!", payload=b"forged")
                    real(sender, to, forged.encode())
                    forged = Message(n.ACK, n.CONTENT, message.mid ^ 1, message.token)
                    real(sender, to, forged.encode())
                real(sender, to, data)

            pair.net.carry = carry
            response = await pair.client.request(n.GET, "t")
            self.assertEqual(response.payload, b"21.5")

        self.play(scenario)

    def test_an_answer_from_elsewhere_does_not_count(self):
        async def scenario(pair):
            endpoint = pair.server.endpoint
            waiter = endpoint.watch("c")
            pair.raw(Message(n.NON, n.CONTENT, 9, waiter.token, payload=b"x").encode())
            self.assertTrue("no response" in await fault_of(waiter.next(30)))
            everyone = endpoint.watch(ANY, 2)
            for sender in ("x", "y"):
                pair.raw(Message(n.NON, n.CONTENT, 9, everyone.token).encode(), sender)
            await soon(lambda: len(everyone._found) == 2, "both")
            self.assertEqual([addr for _, addr in everyone.take_all()], ["x", "y"])

        self.play(scenario)

    def test_reset_of_a_request(self):
        async def scenario(pair):
            client = Client(pair.net.socket("d", peer="z"), **FAST)
            other = Client(
                pair.net.socket("z", peer="d"), **FAST
            )  # no server: it knows no requests
            client.start()
            other.start()
            self.assertTrue("RST" in await fault_of(client.request(n.GET, "t")))
            client.close()
            other.close()

        self.play(scenario)

    def test_a_critical_option_unknown_to_us(self):
        async def scenario(pair):
            pair.raw(request_of(n.GET, more=[(2001, b"x")]).encode())
            await soon(lambda: pair.said_to("x"), "4.02")
            self.assertEqual(pair.said_to("x")[0].code, n.BAD_OPTION)
            pair.net.sent.clear()
            pair.raw(request_of(n.GET, kind=n.NON, mid=2, more=[(2001, b"x")]).encode())
            await pair.client.request(n.GET, "t")
            self.assertEqual(pair.said_to("x"), [])

        self.play(scenario)

    def test_socket_errors_end_nothing(self):
        async def scenario(pair):
            pair.net.sockets["s"].fail(OSError(111))
            pair.net.sockets["c"].fail(OSError(111))
            response = await pair.client.request(n.GET, "t")
            self.assertEqual(response.payload, b"21.5")

        self.play(scenario)


class TestParts(unittest.TestCase):
    def test_recent_is_bounded_and_forgets(self):
        recent = Recent(limit=3)
        for mid in range(5):
            recent.add("a", mid)
        self.assertTrue(recent.find("a", 1) is None)
        self.assertEqual(recent.find("a", 4).mid, 4)
        self.assertTrue(recent.find("b", 4) is None)
        old = Recent(limit=3, lifetime_ms=0)
        old.add("a", 1)
        self.assertTrue(old.find("a", 1) is None)

    def test_recent_forgets_where_the_clock_of_ticks_comes_around(self):
        recent = Recent(limit=3)
        entry = recent.add("a", 1)
        self.assertTrue(recent.find("a", 1) is entry)
        entry.at_ms = time.ticks_add(entry.at_ms, 1 << 28)  # as after six quiet days
        self.assertTrue(recent.find("a", 1) is None)

    def test_message_ids_wrap_and_skip_those_in_use(self):
        pair = Pair()
        endpoint = pair.client.endpoint
        endpoint._mid = 0xFFFE
        endpoint._exchanges = {0xFFFF: None, 1: None}
        self.assertEqual([endpoint.new_mid(), endpoint.new_mid()], [0, 2])


if __name__ == "__main__":
    unittest.main()
