"""Mutated datagrams into CoAP's endpoint, server and client, with and without OSCORE.

No exception, no hang, no growth. 2,000 of each kind here, 10^6 with `-m soak`.
"""

import asyncio
import os
import random
import tracemalloc

import oscore_shim  # noqa: F401
import pytest
from mutants import mutated

from hedge.core import log
from hedge.core.errors import FrameError
from hedge.net.coap import block, linkformat
from hedge.net.coap import numbers as n
from hedge.net.coap.client import Client
from hedge.net.coap.message import Message, decode
from hedge.net.coap.oscore.client import Secured
from hedge.net.coap.oscore.context import Context
from hedge.net.coap.oscore.server import Keyring
from hedge.net.coap.oscore.window import Window
from hedge.net.coap.resource import Resource, reply
from hedge.net.coap.server import Server

_QUICK = 2000
_SOAK = int(os.environ.get("HEDGEROW_FUZZ", "1000000"))
_SECRET = bytes(range(16))


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(log, "level", log.WARN + 1)


class NoSocket:
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


class Counter:
    def __init__(self):
        self.number = 0

    def next(self):
        self.number += 1
        return self.number - 1


def _contexts():
    client = Context(_SECRET, b"", b"\x01", b"", Counter())
    server = Context(_SECRET, b"", b"", b"\x01", Counter())
    server.fresh = True
    return client, server


def _server(keyring=None):
    shelf = {"t": b"x" * 700}

    def put(request):
        shelf["t"] = request.payload

    server = Server(NoSocket(), keyring, block_bytes=64)
    handlers = {n.GET: lambda r: reply(n.CONTENT, shelf["t"], n.TEXT), n.PUT: put, n.POST: put}
    server.add(Resource("t", handlers, observable=True, links={"rt": "x"}))
    return server


def _requests():
    """Valid messages that reach every part of the server."""
    options = (
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
    for code in (n.GET, n.PUT, n.POST, n.DELETE):
        for more in options:
            for path in ((b"t",), (b".well-known", b"core"), (b"none",)):
                message = Message(n.CON, code, 1, b"tk", [(n.URI_PATH, p) for p in path] + more)
                message.payload = b"p" * 64 if code != n.GET else b""
                yield bytes(message.encode())


def _mutated(dice, seeds):
    changes = dice.choice((0, 1, 1, 2, 5))
    data = bytearray(mutated(dice, dice.choice(seeds), changes, (0, 0x7F, 0xFF, 0xD0, 0xE0)))
    if len(data) >= 4 and dice.random() < 0.95:
        data[2:4] = dice.randbytes(2)  # else it is a duplicate
    return bytes(data)


def _grown(before):
    return tracemalloc.get_traced_memory()[0] - before


async def _storm(count, seed, seeds, handle):
    """Feed; the memory held may not grow between the middle and the end."""
    dice = random.Random(seed)
    tracemalloc.start()
    try:
        for i in range(count):
            handle(_mutated(dice, seeds), (f"10.0.0.{i % 7}", 5))
            if i % 500 == 499:
                await asyncio.sleep(0)
            if i == count // 2:
                half = tracemalloc.get_traced_memory()[0]
        assert _grown(half) < 60_000
    finally:
        tracemalloc.stop()


async def _server_storm(count):
    server = _server()
    await _storm(count, 1, list(_requests()), server.endpoint.handle)
    assert len(server.observers) <= 4
    assert server.failures == 0
    assert server.endpoint.malformed > count // 50
    assert server.endpoint._udp.sent > count // 2
    server.close()


async def _oscore_storm(count):
    """Sealed requests, changed; then changed before they were sealed, so that they open."""
    mine, theirs = _contexts()
    keyring = Keyring([theirs])
    server = _server(keyring)
    plain = [decode(data) for data in _requests()]
    seeds = [bytes(Secured(mine).seal(m).message.encode()) for m in plain]
    dice = random.Random(3)

    def handle(data, addr):
        if dice.random() < 0.5:
            theirs.window = Window()  # else all but the first are replays
        server.endpoint.handle(data, addr)

    await _storm(count // 2, 2, seeds, handle)
    inner = list(_requests())
    for i in range(count // 2):
        try:
            message = decode(_mutated(dice, inner))
        except FrameError:
            continue
        sealed = Secured(mine).seal(message).message
        sealed.kind, sealed.mid = n.CON, i & 0xFFFF
        server.endpoint.handle(sealed.encode(), f"a{i % 5}")
        if i % 500 == 499:
            await asyncio.sleep(0)
    assert keyring.rejected > count // 20
    assert keyring.replays > 0
    assert server.failures == 0
    server.close()


async def _client_storm(count, secure):
    """Changed answers to requests that are under way: each of these ends, well or not."""
    mine, theirs = _contexts()
    udp = NoSocket()
    timing = {"ack_timeout_ms": 5, "max_retransmit": 1, "limit_ms": 10}
    client = Client(udp, Secured(mine) if secure else None, **timing)
    dice = random.Random(4)
    answering = _server(Keyring([theirs]) if secure else None)
    done = 0
    while done < count:
        task = asyncio.ensure_future(client.request(n.GET, "t"))
        await asyncio.sleep(0)
        for _ in range(40):
            answering.endpoint.handle(udp.last, "c")
            client.endpoint.handle(_mutated(dice, [answering.endpoint._udp.last]))
            done += 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not client.endpoint._waiters
        assert not client.endpoint._exchanges


def test_server():
    asyncio.run(_server_storm(_QUICK))


def test_server_with_oscore():
    asyncio.run(_oscore_storm(_QUICK))


@pytest.mark.parametrize("secure", [False, True])
def test_client(secure):
    asyncio.run(_client_storm(_QUICK, secure))


def test_noise():
    dice = random.Random(6)
    server = _server()
    for _ in range(_QUICK):
        server.endpoint.handle(dice.randbytes(dice.randint(0, 60)), "a")
    server.close()


def test_link_format():
    dice = random.Random(7)
    seed = b'</s/t>;ct=112;rt="temp, c";obs,</s/l>;rt="light";title="a, b; c"'
    good = 0
    for _ in range(_QUICK):
        try:
            good += bool(linkformat.parse(_mutated(dice, [seed])))
        except FrameError:
            continue
    assert good > _QUICK // 10


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_million_datagrams_to_the_server():
    asyncio.run(_server_storm(_SOAK))


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_million_datagrams_with_oscore():
    asyncio.run(_oscore_storm(_SOAK))


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("secure", [False, True])
def test_a_million_answers_to_the_client(secure):
    asyncio.run(_client_storm(_SOAK, secure))
