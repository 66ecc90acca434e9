"""What hedge.net.coap does with real peers; runs under MicroPython, driven by the pytest files.

    SCENARIO='{"host": "127.0.0.1", "port": 5683}' micropython coap_scenarios.py NAME

Prints one JSON object a line; the last has "event": "result", or "error" with the reason.
"""

import asyncio
import binascii
import json
import os
import sys
import time

from hedge.core import log
from hedge.core.errors import HedgeError, LinkError
from hedge.net.coap import numbers as n
from hedge.net.coap.udp import Udp


def say(event, **facts):
    facts["event"] = event
    print(json.dumps(facts))


def body_of(size):
    """size bytes that differ from block to block."""
    return bytes([(i * 7 + (i >> 4)) & 0xFF for i in range(size)])


def _context(args):
    """A Context of args["oscore"], its numbers in a file; None without."""
    keys = args.get("oscore")
    if not keys:
        return None
    from hedge.net.coap.oscore.context import Context
    from hedge.net.coap.oscore.sequence import Sequence
    from hedge.store.kv import KV

    def h(name):
        return binascii.unhexlify(keys[name])

    sequence = Sequence(KV(keys["kv"]), "oscore")
    return Context(h("secret"), h("salt"), h("sender"), h("recipient"), sequence)


def _client(args):
    from hedge.net.coap.client import Client

    secure = None
    if args.get("oscore"):
        from hedge.net.coap.oscore.client import Secured

        secure = Secured(_context(args))
    if args.get("ca"):
        from hedge.net.coap.dtls import Dtls
        from hedge.net.tls_context import client_context

        context = client_context(args["ca"], dtls=True)
        udp = Dtls.to(args["host"], args["port"], context, args.get("server_hostname"))
    else:
        udp = Udp.to(args["host"], args["port"])
    options = {"ack_timeout_ms": args.get("ack_timeout_ms", 2000), "limit_ms": 120000}
    options["block_bytes"] = args.get("block_bytes", 512)
    options["max_retransmit"] = args.get("max_retransmit", 4)
    client = Client(udp, secure, **options)
    client.start()
    return client


async def ask(args):
    """args["requests"]: [method, path, payload size or text, {option: value}?, "NON"?]."""
    client = _client(args)
    answers = []
    for method, path, content, *more in args["requests"]:
        options = [(int(k), v) for k, v in (more[0] if more else {}).items()]
        kind = n.NON if len(more) > 1 else n.CON
        payload = body_of(content) if isinstance(content, int) else content.encode()
        code = {"GET": n.GET, "POST": n.POST, "PUT": n.PUT, "DELETE": n.DELETE}[method]
        try:
            response = await client.request(code, path, payload, options, kind)
        except LinkError as e:
            answers.append([str(e), None, 0])
            continue
        size = len(response.payload)
        try:
            text = str(response.payload, "utf-8") if size < 600 else None
        except UnicodeError:
            text = None
        answers.append([n.code_text(response.code), text, binascii.crc32(response.payload)])
    await client.ping()
    say("result", answers=answers, retransmits=client.endpoint.retransmits)
    client.close()


async def observe(args):
    """Until args["count"] notifications came; "different": so many values, however often each."""
    client = _client(args)
    observation = await client.observe(args["resource"])
    values = [str(observation.first.payload, "utf-8")]
    say("observing")
    while len(set(values) if args.get("different") else values) < args["count"]:
        response = await asyncio.wait_for_ms(observation.next(), 120000)
        values.append(str(response.payload, "utf-8"))
    await observation.cancel()
    say("result", values=values, stale=observation.stale)
    client.close()


async def discover(args):
    from hedge.net.coap.group import discover

    found = await discover(
        args.get("query", ""), port=args["port"], interface="127.0.0.1", wait_ms=args["wait_ms"]
    )
    say("result", found=found)


def _resources(args, server, shelf):
    from hedge.net.coap.resource import Resource, reply

    async def slow(request):
        await asyncio.sleep_ms(600)
        return "late"

    def get(request):
        return reply(n.CONTENT, shelf["t"], content_format=n.TEXT, max_age_s=20)

    def put(request):
        shelf["t"] = request.payload
        server.changed("t")

    def echo(request):
        return "%d bytes, crc %d" % (len(request.payload), binascii.crc32(request.payload))

    def big(request):
        return reply(n.CONTENT, body_of(1500), content_format=n.OCTETS)

    def count(request):
        shelf["count"] += 1
        return "%d" % shelf["count"]

    secure = bool(args.get("secure"))
    links = {"rt": "shelf", "ct": 0}
    return (
        Resource("t", {n.GET: get, n.PUT: put}, observable=True, links=links, secure=secure),
        Resource("big", {n.GET: big}, links={"rt": "block"}),
        Resource("sink", {n.PUT: echo, n.POST: echo}, links={}),
        Resource("slow", {n.GET: slow}),
        Resource("count", {n.POST: count}),
    )


async def serve(args):
    from hedge.net.coap.server import Server

    keyring = None
    if args.get("oscore"):
        from hedge.net.coap.oscore.server import Keyring

        keyring = Keyring([_context(args)])
    shelf = {"t": b"21.5", "count": 0}
    timing = {"ack_timeout_ms": args.get("ack_timeout_ms", 2000)}
    server = Server(Udp.at(args["host"], args["port"]), keyring, block_bytes=256, **timing)
    for resource in _resources(args, server, shelf):
        server.add(resource)
    tasks = [asyncio.create_task(server.run())]
    if args.get("group_port"):
        from hedge.net.coap.group import Group

        group = Group(server, port=args["group_port"], interface="127.0.0.1", leisure_ms=200)
        tasks.append(asyncio.create_task(group.run()))
    say("ready")
    for _ in range(args.get("seconds", 600) * 20):
        await asyncio.sleep_ms(50)
        if args.get("tick"):
            shelf["ticks"] = shelf.get("ticks", 0) + 1
            if shelf["ticks"] % args["tick"] == 0:
                shelf["t"] = b"%d" % shelf["ticks"]
                server.changed("t")


async def uplink(args):
    """Records over the whole link: store, frames, CoAP, acks. Goes on where its store ended."""
    from hedge.net.uplink import uplink_maker
    from hedge.store import Store

    if args.get("dns"):
        from hedge.net import resolver

        resolver.servers[:] = [tuple(server) for server in args["dns"]]
    store = Store(args["store"], 64 * 1024)
    store.open()
    make_uplink = uplink_maker(args["cfg"], store, args["device"], None)
    up = make_uplink(binascii.unhexlify(args["info"]), None, None)
    task = asyncio.create_task(up.run())
    for i in range(args["records"]):
        store.append(1, binascii.unhexlify(args["record"]))
        up.wake()
        if i % 20 == 0:
            await asyncio.sleep_ms(10)
    begin_ms = time.ticks_ms()
    while store.pending() and time.ticks_diff(time.ticks_ms(), begin_ms) < args["limit_ms"]:
        await asyncio.sleep_ms(20)
    took_ms = time.ticks_diff(time.ticks_ms(), begin_ms)
    say("result", stats=up.stats(), took_ms=took_ms, pending=store.pending(), boot=store.boot)
    task.cancel()


SCENARIOS = {
    "ask": ask,
    "discover": discover,
    "observe": observe,
    "serve": serve,
    "uplink": uplink,
}


def main(name, args):
    log.level = log.WARN + 1 if args.get("quiet", True) else log.DEBUG
    try:
        asyncio.run(SCENARIOS[name](args))
    except (HedgeError, OSError) as e:
        say("error", reason=str(e) or repr(e))


main(sys.argv[1], json.loads(os.getenv("SCENARIO")))
