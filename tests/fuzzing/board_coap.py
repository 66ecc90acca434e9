"""CoAP and OSCORE: message, link format, server and client, in clear and sealed."""

import asyncio
import random

from mutate import mutated
from trial import Reader

from hedge.core.errors import FrameError, LinkError
from hedge.net.coap import block, linkformat
from hedge.net.coap import numbers as n
from hedge.net.coap.client import Client
from hedge.net.coap.message import Message, decode
from hedge.net.coap.oscore import header
from hedge.net.coap.oscore.client import Secured
from hedge.net.coap.oscore.context import Context
from hedge.net.coap.oscore.server import Keyring, Refused
from hedge.net.coap.oscore.window import Window
from hedge.net.coap.resource import Resource, reply
from hedge.net.coap.server import Server

_SECRET = bytes(range(16))
TOKENS = (b"\xff", b"\xd0\xff", b"\xe0\xff\xff", b"\x60", b"\x61\x00", b"\xb1t", b"\x90")


class _NoSocket:
    """Takes what is sent and gives nothing."""

    def __init__(self):
        self.sent = 0
        self.last = b""

    def send(self, data, addr):
        self.sent += 1
        self.last = bytes(data)

    async def recv(self):
        await asyncio.Event().wait()

    def close(self):
        pass


class _Counter:
    def __init__(self):
        self.number = 0

    def next(self):
        self.number += 1
        return self.number - 1


def _contexts():
    client = Context(_SECRET, b"", b"\x01", b"", _Counter())
    server = Context(_SECRET, b"", b"", b"\x01", _Counter())
    server.fresh = True
    return client, server


def _served(keyring=None):
    shelf = {"t": b"x" * 700}

    def put(request):
        shelf["t"] = request.payload

    server = Server(_NoSocket(), keyring, block_bytes=64)
    handlers = {n.GET: lambda r: reply(n.CONTENT, shelf["t"], n.TEXT), n.PUT: put, n.POST: put}
    server.add(Resource("t", handlers, observable=True, links={"rt": "x"}))
    return server


_OPTIONS = (
    [],
    [(n.OBSERVE, b"")],
    [(n.OBSERVE, b"\x01")],
    [(n.ETAG, b"1234")],
    [(n.IF_MATCH, b"")],
    [(n.IF_NONE_MATCH, b"")],
    [(n.BLOCK2, block.Block(2, False, 2).encode())],
    [(n.BLOCK1, block.Block(0, True, 2).encode()), (n.REQUEST_TAG, b"\x01")],
    [(n.BLOCK1, block.Block(1, False, 2).encode()), (n.REQUEST_TAG, b"\x01")],
    [(n.ACCEPT, b"\x00"), (n.NO_RESPONSE, b"\x02")],
    [(n.PROXY_URI, b"coap://x/y")],
    [(n.ECHO, b"12345678")],
    [(n.OSCORE, b"\x09\x14\x01")],
)


def _requests():
    """Valid messages that reach every part of the server."""
    found = []
    for code in (n.GET, n.PUT, n.POST, n.DELETE):
        for more in _OPTIONS:
            for path in ((b"t",), (b".well-known", b"core"), (b"none",)):
                message = Message(n.CON, code, 1, b"tk", [(n.URI_PATH, p) for p in path] + more)
                message.payload = b"p" * 64 if code != n.GET else b""
                found.append(bytes(message.encode()))
    return found


def _responses():
    found = []
    for code in (n.CONTENT, n.CHANGED, n.UNAUTHORIZED, n.INCOMPLETE, n.NOT_FOUND):
        for more in _OPTIONS[:9]:
            found.append(bytes(Message(n.ACK, code, 1, b"tk", list(more), b"p" * 64).encode()))
    return found


_RESPONSES = _responses()


REQUESTS = _requests()


def _fresh(data):
    """Under another message id, or it is a duplicate."""
    return data[:2] + random.getrandbits(16).to_bytes(2, "big") + data[4:]


def _message():
    def read(data):
        message = decode(data)
        message.path()
        message.query()
        assert decode(message.encode()).options == message.options

    return Reader(read, REQUESTS, tokens=TOKENS)


def _link_format():
    seeds = [b'</s/t>;ct=112;rt="temp, c";obs,</s/l>;rt="light";title="a, b; c"', b"</>;if=a"]

    def read(data):
        return None if linkformat.parse(data) else "nothing"

    return Reader(read, seeds, tokens=(b'"', b"<", b">", b";", b",", b"\\", b"="))


def _server():
    server = _served()
    endpoint = server.endpoint
    peers = ["10.0.0.%d" % i for i in range(7)]

    async def read(data):
        malformed, sent = endpoint.malformed, endpoint._udp.sent
        endpoint.handle(data, peers[random.getrandbits(8) % 7])
        await asyncio.sleep(0)
        assert len(server.observers) <= 4 and not server.failures
        if endpoint.malformed > malformed:
            return "malformed"
        return None if endpoint._udp.sent > sent else "no answer"

    return Reader(read, REQUESTS, tokens=TOKENS, seal=_fresh)


class _Answers:
    """Changed answers to requests that are under way: each of these ends, well or not."""

    def __init__(self, secure):
        mine, self._theirs = _contexts()
        self._udp = _NoSocket()
        timing = {"ack_timeout_ms": 5, "max_retransmit": 1, "limit_ms": 10}
        self._client = Client(self._udp, Secured(mine) if secure else None, **timing)
        self._server = _served(Keyring([self._theirs]) if secure else None)
        self._task = None
        self._path = 0

    async def _ask(self):
        self._path = (self._path + 1) % 3
        path = ("t", "none", ".well-known/core")[self._path]
        work = self._client.request((n.GET, n.PUT)[self._path == 1], path, b"")
        self._task = asyncio.create_task(_outcome(work))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def seeds(self):
        """The true answer to what the client asked last."""
        asked = self._udp.last
        if not asked:
            return [bytes(Message(n.ACK, n.CONTENT, 1, b"t", [], b"x").encode())]
        self._theirs.window = Window()  # the same request may be answered again
        self._server.endpoint.handle(_fresh(asked), "c")
        true = self._server.endpoint._udp.last
        return [true[:2] + asked[2:4] + true[4:]]

    def seal(self, data):
        """An answer that opens, of a mutated plaintext."""
        asked = self._udp.last
        if not asked:
            return data
        self._theirs.window = Window()
        try:
            opened = Keyring([self._theirs]).open(decode(asked))
            response = decode(mutated(_RESPONSES, TOKENS))
            answer = opened.seal(response)
        except (FrameError, ValueError, Refused):
            return data
        outer = decode(asked)
        answer.kind, answer.mid, answer.token = n.ACK, outer.mid, outer.token
        return bytes(answer.encode())

    async def read(self, data):
        if self._task is None or self._task.done():
            await self._ask()
        self._client.endpoint.handle(data)
        for _ in range(3):
            await asyncio.sleep(0)
        if not self._task.done():
            return "waits on"
        word = await self._task
        endpoint = self._client.endpoint
        assert not endpoint._waiters and not endpoint._exchanges
        await self._ask()  # the next seed answers it
        return word


async def _outcome(work):
    try:
        await work
    except LinkError:
        return "LinkError"
    except asyncio.CancelledError:
        return "cancelled"


def _client(secure):
    def make():
        answers = _Answers(secure)
        seal = answers.seal if secure else None
        return Reader(answers.read, answers.seeds, tokens=TOKENS, every=1, seal=seal)

    return make


class _Sealed:
    """Requests that are changed after they were sealed, or before, so that they open."""

    def __init__(self):
        self._mine, self._theirs = _contexts()
        self._keyring = Keyring([self._theirs])
        self._server = _served(self._keyring)
        self._plain = [decode(data) for data in REQUESTS]

    def outer(self):
        picked = [self._plain[random.getrandbits(16) % len(self._plain)] for _ in range(6)]
        return [bytes(Secured(self._mine).seal(m).message.encode()) for m in picked]

    def read(self, data):
        keyring, endpoint = self._keyring, self._server.endpoint
        refused = keyring.rejected, keyring.replays, keyring.unknown, endpoint.malformed
        endpoint.handle(_fresh(data), "a%d" % random.getrandbits(2))
        assert not self._server.failures
        now = keyring.rejected, keyring.replays, keyring.unknown, endpoint.malformed
        words = [
            w
            for i, w in enumerate(("rejected", "replay", "unknown", "malformed"))
            if now[i] > refused[i]
        ]
        return words[0] if words else None

    def read_outer(self, data):
        if random.getrandbits(1):
            self._theirs.window = Window()  # else all but the first are replays
        return self.read(data)

    def read_inner(self, data):
        sealed = Secured(self._mine).seal(decode(data)).message
        sealed.kind = n.CON
        return self.read(bytes(sealed.encode()))


def _oscore_outer():
    sealed = _Sealed()
    return Reader(sealed.read_outer, sealed.outer, tokens=TOKENS)


def _oscore_inner():
    return Reader(_Sealed().read_inner, REQUESTS, (FrameError, ValueError), TOKENS)


def _oscore_option():
    seeds = [
        header.Header(b"\x14", b"\x01").encode(),
        header.Header(b"\xff" * 5, b"", b"ctx").encode(),
    ]
    seeds += [b"", header.Header(b"\x00").encode()]

    def read(data):
        found = header.decode(data)
        assert found.piv is None or 1 <= len(found.piv) <= 5

    return Reader(read, seeds)


READERS = {
    "coap message": _message,
    "coap link format": _link_format,
    "coap server": _server,
    "coap client": _client(False),
    "oscore option": _oscore_option,
    "oscore server, sealed": _oscore_outer,
    "oscore server, opened": _oscore_inner,
    "oscore client": _client(True),
}
