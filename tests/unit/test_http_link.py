"""The link over HTTP against a server of strings: acks, refusals, what is kept, wild answers."""

import asyncio
import unittest

from waiting import Inbox, soon

from hedge.core.errors import LinkError
from hedge.net.http_client import Http
from hedge.net.http_link import HttpLink


class FakeServer:
    """Answers each request with answer(head, body) -> bytes, or None for silence.

    requests: (head, body). hang_up_after: closes a connection after so many answers.
    """

    def __init__(self):
        self.requests = []
        self.opened = 0
        self.streams = []
        self.hang_up_after = 0
        self.refuse = False
        self.answer = lambda head, body: ok(b"ack " + body)

    async def open(self):
        await asyncio.sleep_ms(0)
        if self.refuse:
            raise OSError(111)
        self.opened += 1
        self.streams.append(_Stream(self))
        return self.streams[-1]


class _Stream(Inbox):
    def __init__(self, server):
        Inbox.__init__(self)
        self.bytes_sent = 0
        self.closed = False
        self._server = server
        self._answered = 0
        self._came = b""

    async def write(self, data, limit_ms):
        await asyncio.sleep_ms(0)
        if self.ended:
            raise OSError(104)
        self.bytes_sent += len(data)
        self._came += bytes(data)
        head, _, body = self._came.partition(b"\r\n\r\n")
        self._came = b""
        self._server.requests.append((head.decode(), body))
        answer = self._server.answer(head.decode(), body)
        if answer is not None:
            self._answered += 1
            self.feed(answer)
        if self._answered == self._server.hang_up_after != 0:
            self.hang_up()

    async def readinto(self, buf):
        return await super().readinto(memoryview(buf)[:7])  # in small pieces, as a network may

    def close(self):
        self.closed = True


def ok(body, more=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), more, body)


class HttpTest(unittest.TestCase):
    def setUp(self):
        self.server = FakeServer()
        self.http = Http(self.server.open, "farm:8080", limit_ms=20000)

    def ask(self, answer, times=1):
        self.server.answer = lambda head, body: answer

        async def scenario():
            for _ in range(times):
                found = await self.http.request("POST", "/api/up/bed-3", b"frame")
            return found

        return asyncio.run(scenario())

    def fails(self, answer, text):
        with self.assertRaises(LinkError) as caught:
            self.ask(answer)
        self.assertTrue(text in str(caught.exception), str(caught.exception))

    def test_request_and_answer(self):
        self.assertEqual(self.ask(ok(b"ack")), (200, b"ack"))
        head, body = self.server.requests[0]
        self.assertEqual(body, b"frame")
        self.assertEqual(
            head.split("\r\n"),
            [
                "POST /api/up/bed-3 HTTP/1.1",
                "Host: farm:8080",
                "Content-Type: application/octet-stream",
                "Content-Length: 5",
            ],
        )

    def test_a_connection_is_kept(self):
        self.ask(ok(b"a"), times=3)
        self.assertEqual(self.server.opened, 1)

    def test_what_ends_a_connection(self):
        self.assertEqual(self.ask(ok(b"abc", b"Connection: close\r\n"), 2), (200, b"abc"))
        self.assertEqual(self.server.opened, 2)
        old = b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"
        self.ask(old, 2)
        self.assertEqual(self.server.opened, 4)

    def test_a_body_until_the_end(self):
        self.server.hang_up_after = 1
        self.assertEqual(self.ask(b"HTTP/1.1 503 Busy\r\n\r\nlater"), (503, b"later"))

    def test_interim_answers_are_read_past(self):
        self.assertEqual(self.ask(b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"x")), (200, b"x"))

    def test_a_kept_connection_that_was_closed_is_opened_anew(self):
        async def scenario():
            await self.http.request("POST", "/", b"one")
            self.server.streams[0].hang_up()
            return await self.http.request("POST", "/", b"two")

        self.assertEqual(asyncio.run(scenario()), (200, b"ack two"))
        self.assertEqual(self.server.opened, 2)
        self.assertTrue(self.server.streams[0].closed)

    def test_bytes_of_closed_connections_count(self):
        self.ask(ok(b"a", b"Connection: close\r\n"), 2)
        once = self.server.streams[0].bytes_sent
        self.assertEqual(self.http.bytes_sent, 2 * once)

    def test_half_an_answer_is_not_repeated(self):
        self.server.hang_up_after = 1
        self.fails(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "ended before")
        self.assertEqual(len(self.server.requests), 1)

    def test_silence(self):
        self.http._limit_ms = 100
        with self.assertRaises(asyncio.TimeoutError):
            self.ask(None)
        self.assertTrue(self.server.streams[0].closed)

    def test_what_is_not_http(self):
        self.fails(b"SSH-2.0-dropbear\r\n\r\n", "not an answer")
        self.fails(b"HTTP/1.1 2x0 OK\r\n\r\n", "not an answer")
        self.fails(b"HTTP/2 200\r\n\r\n", "not an answer")
        self.fails(b"x" * 999, "a line of more")
        self.fails(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 2000, "bytes of headers")
        self.fails(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "not a header")
        self.fails(b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n", "not a header")

    def test_lengths_that_cannot_be(self):
        for value in (b"-1", b"1,1", b"", b"9999999999", b"0x4"):
            self.fails(b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n" % value, "content-length")
        twice = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"
        self.fails(twice, "content-length")
        self.fails(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "chunked")
        self.fails(b"HTTP/1.1 200 OK\r\nContent-Length: 513\r\n\r\n", "513 bytes")

    def test_a_body_without_length_is_bounded(self):
        self.server.hang_up_after = 1
        self.fails(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 600, "more than 512")


class LinkTest(unittest.TestCase):
    def setUp(self):
        self.server = FakeServer()
        self.http = Http(self.server.open, "farm", limit_ms=20000)
        self.link = HttpLink(self.http, "bed-3", b"info", idle_ms=60000)

    def fault(self, scenario):
        with self.assertRaises(LinkError) as caught:
            asyncio.run(scenario())
        return str(caught.exception)

    def test_frames_and_acks(self):
        async def scenario():
            self.assertFalse(await self.link.connect())
            for i in range(10):
                await self.link.send(b"frame %d" % i)
                if i >= 3:  # the window
                    self.assertEqual(await self.link.recv(), b"ack frame %d" % (i - 3))
            await self.link.close()
            await self.link.close()

        asyncio.run(scenario())
        self.assertEqual(self.server.opened, 1)
        head, body = self.server.requests[0]
        self.assertTrue(head.startswith("PUT /api/info/bed-3 "))
        self.assertEqual(body, b"info")
        self.assertFalse("Hedge-Mac" in head)

    def test_an_idle_connection_is_let_go(self):
        self.link._idle_ms = 50

        async def scenario():
            await self.link.connect()
            await soon(lambda: self.server.streams[0].closed, "its end")
            await self.link.send(b"x")
            self.assertEqual(await self.link.recv(), b"ack x")
            await self.link.close()

        asyncio.run(scenario())

    def test_the_info_map_is_signed(self):
        http = Http(self.server.open, "farm", limit_ms=20000)
        link = HttpLink(http, "bed-3", b"info", key=b"k" * 16)

        async def scenario():
            await link.connect()
            await link.close()

        asyncio.run(scenario())
        # printf 'infobed-3\0info' | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkk
        mac = "fad4e4689879f0a23a3ab308b4f52b107f74298278045a2a6dc94a8b1ce67739"
        self.assertTrue("Hedge-Mac: %s\r\n" % mac in self.server.requests[0][0])

    def test_an_account_goes_along(self):
        """The example of RFC 7617, section 2."""
        http = Http(self.server.open, "farm", limit_ms=20000)
        link = HttpLink(http, "bed-3", account=("Aladdin", "open sesame"))

        async def scenario():
            await link.connect()
            await link.send(b"x")
            await link.recv()
            await link.close()

        asyncio.run(scenario())
        line = "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
        self.assertEqual([line in head for head, _ in self.server.requests], [True, True])

    def test_a_refusal_is_told(self):
        self.server.answer = lambda h, b: b"HTTP/1.1 401 No\r\nContent-Length: 4\r\n\r\nmac\n"
        self.assertEqual(self.fault(self.link.connect), "gateway refused: 401 mac?")

    def test_a_refused_frame_ends_the_session(self):
        async def scenario():
            await self.link.connect()
            self.server.answer = lambda h, b: b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
            await self.link.send(b"x")
            await self.link.recv()

        self.assertEqual(self.fault(scenario), "gateway refused: 503 ")

    def test_silence_ends_the_session(self):
        async def scenario():
            await self.link.connect()
            self.http._limit_ms = 100
            self.server.answer = lambda head, body: None
            await self.link.send(b"x")
            await self.link.recv()

        self.assertEqual(self.fault(scenario), "HTTP: no answer in time")

    def test_nobody_listens(self):
        self.server.refuse = True

        async def scenario():
            await self.link.connect()

        with self.assertRaises(OSError):
            asyncio.run(scenario())

    def test_not_connected(self):
        async def scenario():
            await self.link.send(b"x")

        self.assertEqual(self.fault(scenario), "not connected")


if __name__ == "__main__":
    unittest.main()
