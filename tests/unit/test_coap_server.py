"""What a server answers and a client makes of it: blocks, conditions, observers, lists."""

import asyncio
import unittest

from coap_pair import FAST, Pair, PairCase, fault_of, request_of
from waiting import soon

from hedge.net.coap import block
from hedge.net.coap import numbers as n
from hedge.net.coap.client import Client
from hedge.net.coap.message import Message, option_bytes
from hedge.net.coap.resource import Refusal, Resource, reply
from hedge.net.coap.uploads import Uploads

BODY = bytes([(i * 7 + (i >> 4)) & 0xFF for i in range(1000)])


class TestMethods(PairCase):
    def test_read_write_delete(self):
        async def scenario(pair):
            client = pair.client
            self.assertEqual((await client.request(n.PUT, "t", b"new")).code, n.CHANGED)
            self.assertEqual((await client.request(n.GET, "t")).payload, b"new")
            self.assertEqual((await client.request(n.DELETE, "t")).code, n.DELETED)
            self.assertEqual((await client.request(n.GET, "t")).code, n.NOT_FOUND)
            self.assertEqual((await client.request(n.GET, "nothing")).code, n.NOT_FOUND)
            self.assertEqual((await client.request(n.FETCH, "t")).code, n.METHOD_NOT_ALLOWED)
            proxy = [(n.PROXY_SCHEME, "coap")]
            self.assertEqual((await client.request(n.GET, "t", more=proxy)).code, n.NOT_PROXY)

        self.play(scenario)

    def test_a_handler_that_fails_harms_nobody(self):
        async def scenario(pair):
            def broken(request):
                return 1 // 0

            async def late(request):
                await asyncio.sleep_ms(1)
                raise ValueError("late")

            def refusing(request):
                raise Refusal(n.FORBIDDEN, "only by day")

            for path, handler in (("b", broken), ("l", late), ("f", refusing)):
                pair.server.add(Resource(path, {n.GET: handler}))
            for path in ("b", "l"):
                self.assertEqual((await pair.client.request(n.GET, path)).code, n.INTERNAL_ERROR)
            self.assertEqual(pair.server.failures, 2)
            response = await pair.client.request(n.GET, "f")
            self.assertEqual((response.code, response.payload), (n.FORBIDDEN, b"only by day"))
            self.assertEqual((await pair.client.request(n.GET, "t")).code, n.CONTENT)

        self.play(scenario)

    def test_query_and_no_response(self):
        async def scenario(pair):
            pair.server.add(Resource("q", {n.GET: lambda r: "|".join(r.query)}))
            response = await pair.client.request(n.GET, "q?a=1&b=2")
            self.assertEqual(response.payload, b"a=1|b=2")
            data = request_of(n.POST, kind=n.NON, more=[(n.NO_RESPONSE, 2)]).encode()
            pair.raw(data)
            await soon(lambda: pair.shelf.calls == 1, "the POST")
            self.assertEqual(pair.said_to("x"), [])

        self.play(scenario)

    def test_well_known_core(self):
        async def scenario(pair):
            response = await pair.client.request(n.GET, ".well-known/core?rt=shelf")
            self.assertEqual(response.payload, b'</t>;rt="shelf";obs')
            self.assertEqual(response.uint(n.CONTENT_FORMAT), n.LINK_FORMAT)

        self.play(scenario)

    def test_only_over_oscore(self):
        async def scenario(pair):
            pair.server.add(pair.shelf.resource("s", secure=True))
            self.assertEqual((await pair.client.request(n.GET, "s")).code, n.UNAUTHORIZED)

        self.play(scenario)


class TestConditions(PairCase):
    def test_etag_saves_the_body(self):
        async def scenario(pair):
            first = await pair.client.request(n.GET, "t", more=[(n.ETAG, b"none")])
            etag = first.get(n.ETAG)
            again = await pair.client.request(n.GET, "t", more=[(n.ETAG, etag)])
            self.assertEqual((again.code, again.payload), (n.VALID, b""))
            pair.shelf.value = b"other"
            again = await pair.client.request(n.GET, "t", more=[(n.ETAG, etag)])
            self.assertEqual((again.code, again.payload), (n.CONTENT, b"other"))

        self.play(scenario)

    def test_if_match_and_if_none_match(self):
        async def scenario(pair):
            async def put(value, *more):
                return (await pair.client.request(n.PUT, "t", value, more)).code

            etag = (await pair.client.request(n.GET, "t", more=[(n.ETAG, b"x")])).get(n.ETAG)
            self.assertEqual(await put(b"1", (n.IF_MATCH, b"wrong")), n.PRECONDITION_FAILED)
            self.assertEqual(await put(b"1", (n.IF_MATCH, etag)), n.CHANGED)
            self.assertEqual(await put(b"2", (n.IF_MATCH, etag)), n.PRECONDITION_FAILED)
            self.assertEqual(await put(b"2", (n.IF_MATCH, b"")), n.CHANGED)
            self.assertEqual(await put(b"3", (n.IF_NONE_MATCH, b"")), n.PRECONDITION_FAILED)
            pair.shelf.value = None
            self.assertEqual(await put(b"3", (n.IF_MATCH, b"")), n.PRECONDITION_FAILED)
            self.assertEqual(await put(b"3", (n.IF_NONE_MATCH, b"")), n.CHANGED)
            self.assertEqual(pair.shelf.value, b"3")

        self.play(scenario)

    def test_accept(self):
        async def scenario(pair):
            for wanted, code in ((n.TEXT, n.CONTENT), (n.CBOR, n.NOT_ACCEPTABLE)):
                response = await pair.client.request(n.GET, "t", more=[(n.ACCEPT, wanted)])
                self.assertEqual(response.code, code)

        self.play(scenario)


class TestBlocks(PairCase):
    def _big(self, pair, body=BODY):
        pair.server.add(Resource("big", {n.GET: lambda r: reply(n.CONTENT, body)}))

    def test_down_in_blocks_of_the_server_and_of_the_client(self):
        async def scenario(pair):
            self._big(pair)
            response = await pair.client.request(n.GET, "big")
            self.assertEqual(response.payload, BODY)
            self.assertEqual(len(pair.said_to("s")), 4)  # blocks of 256
            pair.net.sent.clear()
            small = [(n.BLOCK2, block.Block(0, False, 1).encode())]
            response = await pair.client.request(n.GET, "big", more=small)
            self.assertEqual(response.payload, BODY)
            self.assertEqual(len(pair.said_to("s")), 32)  # blocks of 32

        self.play(scenario, Pair(server={"block_bytes": 256}))

    def test_up_in_blocks(self):
        async def scenario(pair):
            for size in (16, 63, 64, 65, 128, 1000):
                response = await pair.client.request(n.PUT, "t", BODY[:size])
                self.assertEqual((response.code, pair.shelf.value), (n.CHANGED, BODY[:size]))
            response = await pair.client.request(n.POST, "t", BODY)
            self.assertEqual(response.payload, b"got 1000")

        self.play(scenario, Pair(client={"block_bytes": 64}))

    def test_both_ways_with_every_third_datagram_lost_and_others_doubled(self):
        async def scenario(pair):
            def echo(request):
                return request.payload

            pair.server.add(Resource("echo", {n.POST: echo}))
            count = [0]

            def fate(sender, to, data):
                count[0] += 1
                return (0, 1, 2)[count[0] % 3]

            pair.net.fate = fate
            response = await pair.client.request(n.POST, "echo", BODY)
            self.assertEqual(response.payload, BODY)

        pair = Pair(client={"block_bytes": 256}, server={"block_bytes": 128}, timing=FAST)
        self.play(scenario, pair)

    def test_too_large_a_body(self):
        async def scenario(pair):
            for body in (bytes(600), bytes(400)):
                response = await pair.client.request(n.PUT, "t", body)
                self.assertEqual(response.code, n.TOO_LARGE)
                self.assertEqual(response.uint(n.SIZE1), 300)
            self._big(pair)
            fault = await fault_of(pair.client.request(n.GET, "big"))
            self.assertTrue("more than 500 bytes" in fault, fault)

        pair = Pair(client={"block_bytes": 512, "max_body_bytes": 500})
        pair.server._uploads._max_bytes = 300
        self.play(scenario, pair)

    def test_a_body_that_changes_on_the_way_is_fetched_anew(self):
        async def scenario(pair):
            versions = [b"a" * 300, b"b" * 300, b"b" * 300]

            def get(request):
                return versions.pop(0) if len(versions) > 1 else versions[0]

            def fate(sender, to, data):
                pair.server._downloads._kept.clear()  # as if others were fetched meanwhile
                return 1

            pair.net.fate = fate
            pair.server.add(Resource("v", {n.GET: get}))
            response = await pair.client.request(n.GET, "v")
            self.assertEqual(response.payload, b"b" * 300)

        self.play(scenario, Pair(server={"block_bytes": 128}))

    def test_two_clients_do_not_mix_their_bodies(self):
        async def scenario(pair):
            seen = []
            pair.server.add(Resource("up", {n.POST: lambda r: seen.append(r.payload)}))
            other = Client(pair.net.socket("d", peer="s"), block_bytes=64, **FAST)
            other.start()
            posts = [
                asyncio.create_task(c.request(n.POST, "up", body))
                for c, body in ((pair.client, b"a" * 500), (other, b"b" * 500))
            ]
            for post in posts:
                self.assertEqual((await post).code, n.CHANGED)
            self.assertEqual(sorted(seen), [b"a" * 500, b"b" * 500])
            other.close()

        self.play(scenario, Pair(client={"block_bytes": 64}))

    def test_a_post_is_not_done_again_because_its_answer_changed(self):
        """RFC 7252 5.8.2: POST is not idempotent."""

        async def scenario(pair):
            def fate(sender, to, data):
                pair.server._downloads._kept.clear()
                return 1

            def post(request):
                pair.shelf.calls += 1
                return b"a" * (300 + pair.shelf.calls)

            pair.net.fate = fate
            pair.server.add(Resource("p", {n.POST: post}))
            fault = await fault_of(pair.client.request(n.POST, "p", b"once"))
            self.assertIn("changed while it was fetched", fault)
            self.assertEqual(pair.shelf.calls, 1)  # nor for the block that was forgotten

        self.play(scenario, Pair(server={"block_bytes": 128}))

    def test_bodies_of_one_client_for_two_queries_are_two(self):
        """Blocks that come in turns, without Request-Tag, which is a MAY (9175 3.5)."""

        async def scenario(pair):
            seen = []
            post = {n.POST: lambda r: seen.append((r.query, r.payload))}
            pair.server.add(Resource("up", post))
            mid = 0
            for num, size in ((0, 16), (1, 1)):
                for name in (b"a", b"b"):
                    mid += 1
                    more = [(n.URI_QUERY, name), (n.BLOCK1, block.Block(num, not num, 0).encode())]
                    ask = request_of(n.POST, "up", mid=mid, payload=name * size, more=more)
                    pair.raw(ask.encode())
            await soon(lambda: len(seen) == 2, "both bodies")
            self.assertEqual(seen, [(["a"], b"a" * 17), (["b"], b"b" * 17)])

        self.play(scenario)

    def test_a_block_is_of_the_form_that_was_asked_for(self):
        async def scenario(pair):
            def get(request):
                return b"tc"[request.message.uint(n.ACCEPT, 0) == n.CBOR :][:1] * 300

            pair.server.add(Resource("v", {n.GET: get}))
            for mid, (accept, num) in enumerate(((n.TEXT, 0), (n.CBOR, 1))):
                wanted = block.Block(num, False, 2).encode()
                more = [(n.ACCEPT, option_bytes(accept)), (n.BLOCK2, wanted)]
                pair.raw(request_of(n.GET, "v", mid=mid, more=more).encode())
            await soon(lambda: len(pair.said_to("x")) == 2, "both blocks")
            self.assertEqual([m.payload for m in pair.said_to("x")], [b"t" * 64, b"c" * 64])

        self.play(scenario)

    def test_blocks_out_of_order_or_of_the_reserved_size(self):
        async def scenario(pair):
            cases = (
                (block.Block(3, True, 2).encode(), 64, n.INCOMPLETE),
                (block.Block(0, True, 2).encode(), 63, n.BAD_REQUEST),
                (b"\x0f", 64, n.BAD_REQUEST),
            )
            for mid, (value, size, code) in enumerate(cases):
                pair.net.sent.clear()
                more = [(n.BLOCK1, value)]
                pair.raw(request_of(n.PUT, mid=mid, payload=bytes(size), more=more).encode())
                await soon(lambda: pair.said_to("x"), "an answer")
                self.assertEqual(pair.said_to("x")[0].code, code)
            pair.net.sent.clear()
            pair.raw(request_of(n.GET, mid=9, more=[(n.BLOCK2, b"\x07")]).encode())
            await soon(lambda: pair.said_to("x"), "an answer")
            self.assertEqual(pair.said_to("x")[0].code, n.BAD_REQUEST)

        self.play(scenario)

    def test_uploads_are_bounded(self):
        uploads = Uploads(limit=2, max_bytes=200)
        for who in range(5):
            message = request_of(n.PUT, payload=bytes(64))
            message.add(n.BLOCK1, block.Block(0, True, 2).encode())
            self.assertEqual(uploads.take(message, who).code, n.CONTINUE)
            self.assertTrue(len(uploads._parts) <= 2)

    def test_a_server_that_wants_smaller_blocks(self):
        """4.13 with a smaller size, and 2.31 with one: both are followed (7959 2.9.3, 2.3)."""

        async def scenario(pair):
            seen = []

            def answer(message, addr):
                found = block.of(message, n.BLOCK1)
                seen.append((found.num, found.szx))
                if found.szx == 3:
                    refusal = Message(n.ACK, n.TOO_LARGE)
                    refusal.add(n.BLOCK1, block.Block(0, False, 2).encode())
                    return refusal
                response = Message(n.ACK, n.CONTINUE if found.more else n.CHANGED)
                response.add(n.BLOCK1, block.Block(found.num, found.more, 1).encode())
                return response

            pair.server.endpoint._on_request = answer
            response = await pair.client.request(n.PUT, "t", BODY[:140])
            self.assertEqual(response.code, n.CHANGED)
            self.assertEqual(seen, [(0, 3), (0, 2), (2, 1), (3, 1), (4, 1)])

        self.play(scenario, Pair(client={"block_bytes": 128}))

    def test_answers_of_a_broken_server_end_in_one_error(self):
        def with_block(code, option, num, more, szx, payload=b""):
            response = Message(n.ACK, code, payload=payload)
            response.add(option, block.Block(num, more, szx).encode())
            return response

        cases = (
            (b"", lambda: with_block(n.CONTENT, n.BLOCK2, 3, True, 0, bytes(16)), "first block"),
            (b"", lambda: with_block(n.CONTENT, n.BLOCK2, 0, True, 1, bytes(16)), "block of 16"),
            (bytes(200), lambda: with_block(n.CONTINUE, n.BLOCK1, 7, True, 2), "as 7"),
            (b"", lambda: Message(n.ACK, n.CONTENT, options=[(2001, b"")]), "option 2001"),
            (b"", lambda: Message(n.ACK, n.CONTENT, options=[(n.BLOCK2, b"\x07")]), "reserved"),
        )

        async def scenario(pair):
            for payload, make, text in cases:
                pair.server.endpoint._on_request = lambda m, a, make=make: make()
                fault = await fault_of(pair.client.request(n.PUT, "t", payload))
                self.assertTrue(text in fault, (text, fault))

        self.play(scenario, Pair(client={"block_bytes": 64}))

    def test_echo_is_answered(self):
        async def scenario(pair):
            seen = []

            def answer(message, addr):
                seen.append(message.get(n.ECHO))
                if seen[-1] != b"fresh":
                    return reply(n.UNAUTHORIZED, more=[(n.ECHO, b"fresh")])
                return reply(n.CHANGED)

            pair.server.endpoint._on_request = answer
            self.assertEqual((await pair.client.request(n.POST, "t")).code, n.CHANGED)
            self.assertEqual(seen, [None, b"fresh"])

        self.play(scenario)


class TestObserve(PairCase):
    def test_notifications_until_cancelled(self):
        async def scenario(pair):
            observation = await pair.client.observe("t")
            self.assertEqual(observation.first.payload, b"21.5")
            for value in (b"1", b"2", b"3"):
                pair.shelf.value = value
                pair.server.changed("t")
                self.assertEqual((await observation.next()).payload, value)
            await observation.cancel()
            self.assertEqual(len(pair.server.observers), 0)

        self.play(scenario)

    def test_a_client_that_forgot_is_left_alone(self):
        async def scenario(pair):
            observation = await pair.client.observe("t")
            observation.forget()
            pair.server.changed("t")  # answered with RST
            await soon(lambda: len(pair.server.observers) == 0, "removal")

        self.play(scenario)

    def test_a_client_that_is_gone_is_found_out(self):
        """One notification in eight is confirmable: unanswered, it ends the observation."""

        async def scenario(pair):
            await pair.client.observe("t")
            pair.net.fate = lambda sender, to, data: 0 if to == "c" else 1
            for _ in range(8):
                pair.server.changed("t")
                await asyncio.sleep_ms(5)
            await soon(lambda: len(pair.server.observers) == 0, "removal")

        self.play(scenario, Pair(timing=FAST))

    def test_long_values_come_whole(self):
        async def scenario(pair):
            observation = await pair.client.observe("t")
            pair.shelf.value = BODY
            pair.server.changed("t")
            self.assertEqual((await observation.next()).payload, BODY)

        self.play(scenario, Pair(server={"block_bytes": 128}))

    def test_old_and_doubled_notifications_are_left_out(self):
        async def scenario(pair):
            observation = await pair.client.observe("t")
            token = observation._waiter.token

            def notify(number, payload):
                message = Message(n.NON, n.CONTENT, number, token, payload=payload)
                message.add(n.OBSERVE, number)
                pair.net.carry("s", "c", message.encode())

            notify(500, b"new")
            notify(400, b"old")
            notify(500, b"new")
            notify(501, b"newer")
            self.assertEqual((await observation.next()).payload, b"new")
            self.assertEqual((await observation.next()).payload, b"newer")
            self.assertEqual(observation.stale, 2)
            notify((501 + (1 << 23) + 5) & 0xFFFFFF, b"before")  # more than half the circle ahead
            notify(502, b"last")
            self.assertEqual((await observation.next()).payload, b"last")
            for number, payload in ((0x7FFFFF, b"half"), (0xFFFFFE, b"top"), (1, b"past the top")):
                notify(number, payload)
                self.assertEqual((await observation.next()).payload, payload)
            notify(0xFFFFFF, b"before")
            notify(2, b"after")
            self.assertEqual((await observation.next()).payload, b"after")

        self.play(scenario)

    def test_an_error_or_a_withdrawn_resource_ends_it(self):
        async def scenario(pair):
            observation = await pair.client.observe("t")
            pair.server.remove("t")
            self.assertTrue("ended, 4.04" in await fault_of(observation.next()))
            self.assertEqual(len(pair.server.observers), 0)
            pair.server.add(Resource("plain", {n.GET: lambda r: b"x"}))
            self.assertTrue("not observable" in await fault_of(pair.client.observe("plain")))

        self.play(scenario)

    def test_observers_are_bounded(self):
        async def scenario(pair):
            first = await pair.client.observe("t"), await pair.client.observe("t")
            self.assertTrue("not observable" in await fault_of(pair.client.observe("t")))
            await first[0].cancel()
            await pair.client.observe("t")

        self.play(scenario, Pair(server={"max_observers": 2}))

    def test_silence_past_max_age_renews(self):
        async def scenario(pair):
            observation = await pair.client.observe("t")
            observation._wait_ms = 10  # as if Max-Age were over
            pair.server.observers.close()  # as after a restart
            pair.shelf.value = b"after"
            self.assertEqual((await observation.next()).payload, b"after")
            self.assertEqual(len(pair.server.observers), 1)

        self.play(scenario)


if __name__ == "__main__":
    unittest.main()
