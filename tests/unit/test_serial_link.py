"""The link over a serial line: sessions, silence, garbage; and the uplink over it."""

import asyncio
import unittest

from fake_uplink import FakeGateway, FakeStore
from quiet_case import QuietCase
from waiting import Inbox, soon

from hedge.core.errors import LinkError
from hedge.net.serial_lines import LONGEST_TO_HOST, NO_SESSION, VERSION, Lines, pack
from hedge.net.serial_link import SerialLink
from hedge.net.uplink import Uplink


class FakeBridge(Inbox):
    """Both the stream of the link and what answers at its other end.

    said: (kind, body without session). Knobs: deaf, refuse (a reason), answer (frame -> ack),
    spoil (line -> bytes that arrive instead), before (bytes that arrive before each answer).
    """

    def __init__(self):
        Inbox.__init__(self)
        self.said = []
        self.deaf = False
        self.refuse = None
        self.answer = bytes
        self.spoil = bytes
        self.before = b""
        self.session = None
        self._lines = Lines(LONGEST_TO_HOST)

    async def write(self, data, limit_ms):
        await asyncio.sleep_ms(0)
        for kind, body in self._lines.feed(self.spoil(data)):
            self.session = body[:2]
            self.said.append((kind, body[2:]))
            if not self.deaf:
                self._take(kind, body[2:])

    def _take(self, kind, body):
        if kind == "H":
            self.tell("n" if self.refuse else "w", (self.refuse or "").encode())
        elif kind == "U":
            self.tell("a", self.answer(body))
        elif kind == "P":
            self.tell("p")

    def tell(self, kind, body=b"", session=None):
        self.feed(self.before + pack(kind, (session or self.session) + body))

    def come(self):
        """Say that a bridge is here, one that knows of no session."""
        self.deaf = False
        self.feed(pack("h", NO_SESSION + bytes((VERSION,))))

    def kinds(self):
        return "".join([kind for kind, _ in self.said])


class _Case(QuietCase):
    def setUp(self):
        self.bridge = FakeBridge()
        self.link = SerialLink(self.bridge, "bed-3", b"info", keepalive_s=5, timeout_ms=20000)
        QuietCase.setUp(self)

    def play(self, scenario):
        return asyncio.run(asyncio.wait_for_ms(scenario(), 60000))

    def fails(self, scenario, text):
        with self.assertRaises(LinkError) as caught:
            self.play(scenario)
        self.assertTrue(text in str(caught.exception), str(caught.exception))


class SessionTest(_Case):
    def test_hello_info_frame_ack_goodbye(self):
        async def scenario():
            self.assertFalse(await self.link.connect())
            await self.link.send(b"frame one")
            await self.link.send(memoryview(b"frame two"))
            acks = [await self.link.recv(), await self.link.recv()]
            await self.link.close()
            await self.link.close()
            return acks

        self.assertEqual(self.play(scenario), [b"frame one", b"frame two"])
        hello = ("H", b"\x01\x00\x05bed-3")
        frames = [("U", b"frame one"), ("U", b"frame two")]
        self.assertEqual(self.bridge.said, [hello, ("I", b"info")] + frames + [("B", b"")])

    def test_bytes_sent_are_those_of_the_lines(self):
        heard = []
        self.bridge.spoil = lambda data: heard.append(bytes(data)) or data

        async def scenario():
            await self.link.connect()
            await self.link.send(b"frame")

        self.play(scenario)
        self.assertEqual(self.link.bytes_sent, sum(map(len, heard)))

    def test_without_a_bridge_it_says_what_to_run(self):
        self.bridge.deaf = True
        self.link._timeout_ms = 200
        self.fails(self.link.connect, "hedgerow bridge")

    def test_a_refusal_is_told(self):
        self.bridge.refuse = "no broker at 127.0.0.1:1883"
        self.fails(self.link.connect, "no broker at 127.0.0.1:1883")

    def test_a_refusal_in_wild_bytes(self):
        async def scenario():
            await self.link.connect()
            self.bridge.tell("n", b"no \xff\x9c" + bytes(200))  # fits a line to a board
            await self.link.recv()

        self.fails(scenario, "bridge: no ????")

    def test_a_closed_line_ends_it(self):
        async def scenario():
            await self.link.connect()
            self.bridge.hang_up()
            await self.link.recv()

        self.fails(scenario, "line was closed")

    def test_a_session_that_the_bridge_ends(self):
        async def scenario():
            await self.link.connect()
            self.bridge.tell("n", b"lost the broker")
            await self.link.recv()

        self.fails(scenario, "lost the broker")
        self.fails(lambda: self.link.send(b"late"), "not connected")
        self.fails(self.link.recv, "not connected")

    def test_answers_to_another_session_are_ignored(self):
        async def scenario():
            await self.link.connect()
            other = bytes((self.bridge.session[0] ^ 1, self.bridge.session[1]))
            self.bridge.tell("n", b"not you", other)
            self.bridge.tell("a", b"not yours", other)
            self.bridge.tell("a", b"yours")
            return await self.link.recv()

        self.assertEqual(self.play(scenario), b"yours")

    def test_many_acks_at_once_wait_in_the_line(self):
        async def scenario():
            await self.link.connect()
            for i in range(12):
                self.bridge.tell("a", bytes((i,)))
            got = b""
            while len(got) < 12:
                got += await self.link.recv()
            return got

        self.assertEqual(self.play(scenario), bytes(range(12)))


class SilenceTest(_Case):
    def setUp(self):
        _Case.setUp(self)
        self.link = SerialLink(self.bridge, "bed-3", keepalive_s=1, timeout_ms=100)

    def test_a_pong_keeps_it_up(self):
        self.link._timeout_ms = 20000

        async def scenario():
            await self.link.connect()
            receiving = asyncio.create_task(self.link.recv())
            await soon(lambda: self.bridge.kinds()[:3] == "HPP", "a second ping")
            self.assertFalse(receiving.done())
            receiving.cancel()

        self.play(scenario)

    def test_a_bridge_that_does_not_answer_a_ping_is_given_up(self):
        async def scenario():
            await self.link.connect()
            self.bridge.deaf = True
            await self.link.recv()

        self.fails(scenario, "stopped answering")
        self.assertEqual(self.bridge.kinds(), "HP")


class BridgeComesTest(_Case):
    """A bridge that says that it is there is greeted at once."""

    def test_while_the_board_asks_for_one(self):
        link = SerialLink(self.bridge, "bed-3", timeout_ms=60000)
        self.bridge.deaf = True

        async def scenario():
            task = asyncio.create_task(link.connect())
            await soon(lambda: self.bridge.kinds() == "H", "a hello")
            self.bridge.come()
            await soon(lambda: self.bridge.kinds() == "HH", "another hello", 800)
            await task

        self.play(scenario)

    def test_in_the_midst_of_a_session_which_is_over(self):
        async def scenario():
            await self.link.connect()
            self.bridge.come()
            await self.link.recv()

        self.fails(scenario, "bridge was started anew")
        self.fails(lambda: self.link.send(b"late"), "not connected")
        self.play(self.link.hurry.wait)  # returns: what the uplink waits for has happened

    def test_it_is_awaited_between_two_attempts_and_once_is_one_attempt(self):
        async def scenario():
            waiting = asyncio.create_task(self.link.hurry.wait())
            self.bridge.feed(b"noise\n" + pack("n", b"\1\2no") + pack("a", b"\1\2ack"))
            await asyncio.sleep_ms(20)
            self.assertFalse(waiting.done())
            self.bridge.come()
            await waiting
            await self.link.connect()
            await self.link.close()
            waiting = asyncio.create_task(self.link.hurry.wait())
            await asyncio.sleep_ms(20)
            self.assertFalse(waiting.done())
            waiting.cancel()

        self.play(scenario)

    def test_a_closed_line_is_waited_for_and_told_by_connect(self):
        async def scenario():
            self.bridge.deaf = True
            self.bridge.hang_up()
            waiting = asyncio.create_task(self.link.hurry.wait())
            await asyncio.sleep_ms(20)
            self.assertFalse(waiting.done())
            waiting.cancel()
            await self.link.connect()

        self.fails(scenario, "line was closed")

    def test_kinds_that_are_not_known_are_ignored(self):
        async def scenario():
            await self.link.connect()
            self.bridge.tell("z", b"of a later version")
            self.bridge.tell("z", b"", NO_SESSION)
            self.bridge.tell("a", b"ack")
            return await self.link.recv()

        self.assertEqual(self.play(scenario), b"ack")


class DamageTest(_Case):
    def test_noise_and_log_lines_before_each_answer(self):
        self.bridge.before = b"\x00\xff\x03#~aQUJD\r\n>>> #~"

        async def scenario():
            await self.link.connect()
            await self.link.send(b"frame")
            return await self.link.recv()

        self.assertEqual(self.play(scenario), b"frame")
        self.assertEqual(self.link.damaged, 2)

    def test_an_endless_line_from_the_host_does_not_fill_the_heap(self):
        async def scenario():
            await self.link.connect()
            self.bridge.feed(b"#~" * 2000 + b"\n")
            self.bridge.tell("a", b"ack")
            return await self.link.recv()

        self.assertEqual(self.play(scenario), b"ack")


class UplinkTest(_Case):
    def test_a_bridge_that_comes_ends_the_wait_between_two_attempts(self):
        gateway, store = FakeGateway(), FakeStore()
        self.bridge.answer = gateway.take
        self.bridge.deaf = True
        self.link._timeout_ms = 200
        store.append(1, b"record")

        async def scenario():
            options = {"ack_timeout_ms": 600000, "retry_min_ms": 600000, "set_clock": False}
            uplink = Uplink(self.link, store, "bed-3", **options)
            task = asyncio.create_task(uplink.run())
            await soon(lambda: uplink.outages, "a vain attempt")
            self.link._timeout_ms = 20000
            self.bridge.come()
            await soon(lambda: not store.rows, "the ack")
            store.append(1, b"another")
            self.bridge.answer = lambda frame: b""  # the ack dies with the bridge
            uplink.wake()
            await soon(lambda: self.bridge.kinds()[-2:] == "UU", "the frame")
            self.bridge.answer = gateway.take
            self.bridge.come()
            await soon(lambda: not store.rows, "the ack of the new bridge")
            task.cancel()

        self.play(scenario)

    def test_over_a_line_that_spoils_every_third_message_nothing_is_lost(self):
        gateway, store, count = FakeGateway(), FakeStore(), [0]
        self.bridge.answer = gateway.take

        def spoil(line):
            count[0] += 1
            return line if count[0] % 3 else bytes(line[:-5]) + b"\n"

        async def scenario():
            uplink = Uplink(
                SerialLink(self.bridge, "bed-3", keepalive_s=5, timeout_ms=300),
                store,
                "bed-3",
                ack_timeout_ms=60,
                retry_min_ms=5,
                set_clock=False,
            )
            task = asyncio.create_task(uplink.run())
            for i in range(40):
                store.append(i % 3, b"record %d" % i)
                self.bridge.spoil = spoil
                uplink.wake()
                await asyncio.sleep_ms(2)
            for _ in range(2000):
                if not store.rows:
                    break
                await asyncio.sleep_ms(5)
            task.cancel()

        self.play(scenario)
        self.assertEqual(store.rows, [])
        self.assertEqual(
            sorted(gateway.rows.values()), sorted(b"record %d" % i for i in range(40))
        )
        self.assertTrue(self.bridge._lines.damaged > 2)


if __name__ == "__main__":
    unittest.main()
