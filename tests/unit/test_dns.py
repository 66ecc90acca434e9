"""DNS messages and the resolver, without sockets."""

import asyncio
import time
import unittest

import micropython  # noqa: F401  gives CPython MicroPython's time functions

from hedge.core.errors import FrameError, LinkError
from hedge.net import dns_message, resolver

_QUESTION = b"\x07gateway\x04farm\x00\x00\x01\x00\x01"


def _answer(number, records, flags=b"\x81\x80", count=None, question=_QUESTION):
    head = bytes((number >> 8, number & 255)) + flags
    count = len(records) if count is None else count
    return head + bytes((0, 1, 0, count, 0, 0, 0, 0)) + question + b"".join(records)


def _record(owner, kind, data, ttl=b"\x00\x00\x01\x2c"):
    return owner + bytes((0, kind, 0, 1)) + ttl + bytes((0, len(data))) + data


_A = _record(b"\xc0\x0c", 1, b"\xc0\xa8\x01\x02")


class TestMessage(unittest.TestCase):
    def test_query_is_that_of_the_rfc(self):
        data = dns_message.query(0x1234, "gateway.farm")
        self.assertEqual(data, b"\x12\x34\x01\x00\x00\x01" + bytes(6) + _QUESTION)

    def test_names_that_cannot_be_asked_for(self):
        for name in ("", ".", "a..b", "x" * 64 + ".farm", "ab." * 100):
            with self.assertRaises(LinkError):
                dns_message.query(1, name)

    def test_address_and_ttl(self):
        found = dns_message.answer(_answer(7, [_A]), 7, "gateway.farm")
        self.assertEqual(found, ("192.168.1.2", 300))

    def test_capital_letters_are_the_same_name(self):
        found = dns_message.answer(_answer(7, [_A]), 7, "GATEWAY.Farm")
        self.assertEqual(found[0], "192.168.1.2")

    def test_cname_is_followed_within_the_answer(self):
        target = b"\x05other\xc0\x14"  # other.farm
        cname = _record(b"\xc0\x0c", 5, target, b"\x00\x00\x00\x1e")
        away = _record(b"\x04evil\xc0\x14", 1, b"\x06\x06\x06\x06")
        found = _answer(7, [away, cname, _record(target, 1, b"\x0a\x00\x00\x09")])
        self.assertEqual(dns_message.answer(found, 7, "gateway.farm"), ("10.0.0.9", 30))

    def test_no_such_name(self):
        with self.assertRaises(dns_message.NoSuchName):
            dns_message.answer(_answer(7, [], b"\x81\x83"), 7, "gateway.farm")

    def test_server_failure_and_no_address_are_named(self):
        for data, text in (
            (_answer(7, [], b"\x81\x82"), "no address for gateway.farm: DNS server error 2"),
            (_answer(7, []), "no address for gateway.farm: it has no IPv4 address"),
        ):
            with self.assertRaises(LinkError) as caught:
                dns_message.answer(data, 7, "gateway.farm")
            self.assertEqual(str(caught.exception), text)

    def test_malformed(self):
        loop = _answer(7, [_record(b"\xc0\x1e", 1, b"\x01\x02\x03\x04")])
        for data in (
            b"",
            _answer(8, [_A]),  # another number
            dns_message.query(7, "gateway.farm"),  # a question
            _answer(7, [_A], question=b"\x04evil\x00\x00\x01\x00\x01"),
            _answer(7, [_A[:-1]]),
            _answer(7, [_record(b"\x04evil\xc0\x14", 1, b"\x06\x06\x06\x06")], count=2),
            loop,
            _answer(7, [_A]) + bytes(600),
        ):
            with self.assertRaises(FrameError):
                dns_message.answer(data, 7, "gateway.farm")


class Server:
    """Stands for all DNS servers: reply(question bytes) -> list of datagrams, or None: silence."""

    def __init__(self, reply):
        self.reply = reply
        self.asked = []
        self.open = 0

    def __call__(self, address, port):
        self.asked.append((address, port))
        self.open += 1
        return _Socket(self)


class _Socket:
    def __init__(self, server):
        self._server = server
        self._waiting = []

    def send(self, data, addr):
        self._waiting = list(self._server.reply(data) or ())

    async def recv(self):
        while not self._waiting:
            await asyncio.sleep_ms(10)
        return self._waiting.pop(0), None

    def close(self):
        self._server.open -= 1


def _good(data):
    return [_answer(data[0] << 8 | data[1], [_A])]


class TestResolver(unittest.TestCase):
    def setUp(self):
        resolver.servers[:] = ["10.0.0.1", ("10.0.0.2", 5353)]
        resolver._kept.clear()
        self._timeout_ms, resolver._TIMEOUT_MS = resolver._TIMEOUT_MS, 60

    def tearDown(self):
        resolver.servers[:] = []
        resolver._TIMEOUT_MS = self._timeout_ms

    def look_up(self, server):
        return asyncio.run(resolver.look_up("gateway.farm", server))

    def fails(self, server, text):
        with self.assertRaises(LinkError) as caught:
            self.look_up(server)
        self.assertEqual(str(caught.exception), text)
        self.assertEqual(server.open, 0)

    def test_an_answer_is_kept(self):
        server = Server(_good)
        self.assertEqual(self.look_up(server), "192.168.1.2")
        self.assertEqual(self.look_up(server), "192.168.1.2")
        self.assertEqual(server.asked, [("10.0.0.1", 53)])

    def test_silence_of_one_server_asks_the_next(self):
        calls = []

        def reply(data):
            calls.append(1)
            return _good(data) if len(calls) == 2 else None

        server = Server(reply)
        self.assertEqual(self.look_up(server), "192.168.1.2")
        self.assertEqual(server.asked, [("10.0.0.1", 53), ("10.0.0.2", 5353)])

    def test_silence(self):
        self.fails(Server(lambda data: None), "no address for gateway.farm: DNS server silent")

    def test_garbage_before_the_answer_is_passed_over(self):
        self.assertEqual(self.look_up(Server(lambda d: [b"x", d] + _good(d))), "192.168.1.2")

    def test_only_garbage(self):
        text = "no address for gateway.farm: DNS: not an answer to this question"
        self.fails(Server(lambda data: [b"x"] * 50), text)

    def test_no_such_name_is_believed_at_once(self):
        server = Server(lambda d: [_answer(d[0] << 8 | d[1], [], b"\x81\x83")])
        self.fails(server, "no address for gateway.farm: the name does not exist")
        self.assertEqual(len(server.asked), 1)

    def test_an_expired_address_is_better_than_none(self):
        self.look_up(Server(_good))
        resolver.forget("gateway.farm")
        self.assertEqual(self.look_up(Server(lambda data: None)), "192.168.1.2")
        nowhere = Server(lambda d: [_answer(d[0] << 8 | d[1], [], b"\x81\x83")])
        self.fails(nowhere, "no address for gateway.farm: the name does not exist")
        self.fails(Server(lambda data: None), "no address for gateway.farm: DNS server silent")

    def test_the_cache_is_bounded(self):
        for i in range(20):
            resolver._keep("host-%d" % i, "1.2.3.4", 60)
        self.assertEqual(len(resolver._kept), 8)

    def test_the_loop_goes_on(self):
        steps = []

        async def scenario():
            async def tick():
                while True:
                    steps.append(time.ticks_ms())
                    await asyncio.sleep_ms(5)

            task = asyncio.create_task(tick())
            try:
                await resolver.look_up("gateway.farm", Server(lambda data: None))
            except LinkError:
                pass
            task.cancel()

        asyncio.run(scenario())
        self.assertTrue(len(steps) > 10)

    def test_what_needs_no_server(self):
        self.assertFalse(resolver.asks_servers("192.168.1.2"))
        self.assertFalse(resolver.asks_servers("fe80::1"))
        self.assertFalse(resolver.asks_servers("localhost"))
        self.assertFalse(resolver.asks_servers("gateway.local"))
        self.assertTrue(resolver.asks_servers("1.2.3.example"))
        resolver.servers[:] = []
        self.assertFalse(resolver.asks_servers("gateway.farm"))


if __name__ == "__main__":
    unittest.main()
