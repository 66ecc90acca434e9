"""The MicroPython half of coap.py: a server, or a client that measures itself. Prints JSON lines.

micropython coap_times.py serve PORT
micropython coap_times.py ask PORT COUNT
micropython coap_times.py watch PORT COUNT
micropython coap_times.py heap
    micropython coap_times.py link KIND
micropython coap_times.py oscore
"""

import asyncio
import gc
import json
import sys
import time

from hedge.net.coap import numbers as n

_FRAME = bytes(range(200))
_RUNS = 300


def say(**facts):
    print(json.dumps(facts))


def _held():
    gc.collect()
    return gc.mem_alloc()


def _server(port):
    from hedge.net.coap.resource import Resource
    from hedge.net.coap.server import Server
    from hedge.net.coap.udp import Udp

    server = Server(Udp.at("127.0.0.1", port))
    shelf = [b"21.5"]

    def put(request):
        shelf[0] = request.payload
        server.changed("t")

    handlers = {n.GET: lambda r: shelf[0], n.POST: lambda r: b"ack", n.PUT: put}
    server.add(Resource("t", handlers, observable=True, links={}))
    return server


async def serve(port):
    server = _server(int(port))
    say(ready=True)
    await server.run()


def _client(port):
    from hedge.net.coap.client import Client
    from hedge.net.coap.udp import Udp

    client = Client(Udp.to("127.0.0.1", port))
    client.start()
    return client


async def ask(port, count):
    """COUNT frames of 200 bytes, one after the other, each confirmed."""
    client = _client(int(port))
    await client.request(n.GET, "t")
    begin_us = time.ticks_us()
    for _ in range(int(count)):
        await client.request(n.POST, "t", _FRAME)
    took_us = time.ticks_diff(time.ticks_us(), begin_us)
    say(per_s=int(count) * 1e6 / took_us)


async def watch(port, count):
    """Observe until COUNT notifications came."""
    observation = await _client(int(port)).observe("t")
    for _ in range(int(count)):
        await observation.next()


async def heap():
    """Bytes held by the parts, and by each observation on both sides."""
    base = _held()
    import hedge.net.coap.client

    facts = {"client_code": _held() - base}
    base = _held()
    import hedge.net.coap.server

    facts["server_code"] = _held() - base
    base = _held()
    server = _server(5788)
    facts["server"] = _held() - base
    running = asyncio.create_task(server.run())
    base = _held()
    client = _client(5788)
    await client.request(n.GET, "t")
    facts["client"] = _held() - base
    base = _held()
    kept = await client.observe("t"), await client.observe("t")
    facts["observation_both_sides"] = (_held() - base) // len(kept)
    running.cancel()
    base = _held()
    import hedge.net.coap.oscore.client  # noqa: F401  its weight is what counts

    facts["oscore_code"] = _held() - base
    say(**facts)


async def link(kind):
    """Bytes that the link of that kind adds, its modules included."""
    base = _held()
    from hedge.net.link import make_link

    kept = make_link({"kind": kind, "host": "127.0.0.1"}, "bed-3", b"info")
    say(held=_held() - base, bytes_sent=kept.bytes_sent)


async def oscore():
    """One frame sealed and its answer opened: what a node spends on OSCORE, us."""
    from hedge.net.coap.message import Message
    from hedge.net.coap.oscore.client import Secured
    from hedge.net.coap.oscore.context import Context
    from hedge.net.coap.oscore.server import Keyring

    class Counter:
        number = 0

        def next(self):
            self.number += 1
            return self.number

    secured = Secured(Context(bytes(16), b"", b"node", b"", Counter()))
    theirs = Context(bytes(16), b"", b"", b"node", Counter())
    theirs.fresh = True
    keyring = Keyring([theirs])
    node_us = 0
    for _ in range(_RUNS):
        begin_us = time.ticks_us()
        options = [(n.URI_PATH, b"up"), (n.URI_PATH, b"bed-3")]
        message = Message(n.CON, n.POST, 1, b"1234", options, _FRAME)
        sealed = secured.seal(message)
        datagram = sealed.message.encode()
        node_us += time.ticks_diff(time.ticks_us(), begin_us)
        answer = keyring.open(sealed.message).seal(Message(n.ACK, n.CHANGED, payload=bytes(20)))
        begin_us = time.ticks_us()
        sealed.open(answer)
        node_us += time.ticks_diff(time.ticks_us(), begin_us)
    say(us=node_us / _RUNS, bytes=len(datagram), clear_bytes=len(message.encode()))


_WHAT = {
    "serve": serve,
    "ask": ask,
    "watch": watch,
    "heap": heap,
    "link": link,
    "oscore": oscore,
}
asyncio.run(_WHAT[sys.argv[1]](*sys.argv[2:]))
