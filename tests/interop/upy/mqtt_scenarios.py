"""What a node does against real brokers; runs under MicroPython, driven by the pytest files.

    SCENARIO='{"host": "127.0.0.1", "port": 1883}' micropython mqtt_scenarios.py NAME

Prints one JSON object a line; the last has "event": "result", or "error" with the reason. Where
a scenario must not go on before the test has done something, it waits for a file that the test
makes. No limit here is a bound: they only end what would never end.
"""

import asyncio
import json
import os
import sys
import time
from binascii import unhexlify

from hedge.core import log
from hedge.core.errors import LinkError

_LIMIT_MS = 120000


def say(event, **facts):
    facts["event"] = event
    print(json.dumps(facts))


def _client(args, **options):
    from hedge.net.mqtt import Client
    from hedge.net.tcp import Tcp

    tls = None
    if args.get("ca"):
        from hedge.net.tls_context import client_context

        tls = client_context(args["ca"])
    tcp = Tcp(args["host"], args["port"], tls, args.get("server_hostname"))
    for name in ("user", "password", "keepalive_s", "timeout_ms", "clean_session", "resend_lost"):
        if name in args:
            options[name] = args[name]
    return Client(tcp.open, args.get("device", "bed-3"), **options)


async def _until(check, limit_ms=_LIMIT_MS):
    start_ms = time.ticks_ms()
    while not check():
        if time.ticks_diff(time.ticks_ms(), start_ms) > limit_ms:
            raise LinkError("scenario waited %d ms in vain" % limit_ms)
        await asyncio.sleep_ms(5)


def _exists(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


async def _again(client, limit_ms=_LIMIT_MS):
    """Connect, as often as it takes."""
    start_ms = time.ticks_ms()
    while True:
        try:
            return await client.connect()
        except (LinkError, OSError):
            if time.ticks_diff(time.ticks_ms(), start_ms) > limit_ms:
                raise
            await asyncio.sleep_ms(50)


async def echo(args):
    """Subscribe to a topic of our own and publish to it at QoS 0 and 1."""
    got = []
    client = _client(args, on_message=lambda t, p, r: got.append((t, bytes(p))))
    present = await client.connect()
    granted = await client.subscribe("echo/#", 1)
    for i in range(args.get("count", 20)):
        await client.publish("echo/%d" % (i % 2), b"message %d" % i, qos=i % 2)
    await client.publish("echo/big", bytes(range(256)) * 3, qos=1)
    await _until(lambda: len(got) == args.get("count", 20) + 1)
    await client.unsubscribe("echo/#")
    sent = client.bytes_sent
    await client.disconnect()
    # brokers may order QoS 0 before QoS 1: only each kind keeps its order
    payloads = [p for t, p in got if t != "echo/big"]
    order = sorted(payloads) == sorted([b"message %d" % i for i in range(args.get("count", 20))])
    say("result", present=present, granted=granted, complete=order, bytes_sent=sent)


async def connect(args):
    """Says "alive" when another task has run a hundred times, wherever this one waits."""
    client = _client(args)
    ticker = asyncio.create_task(_tick())
    start_ms = time.ticks_ms()
    facts = {}
    try:
        facts["present"] = await client.connect()
        await client.publish("a", b"x", qos=1)
    except (LinkError, OSError) as e:
        facts = {"refused": str(e), "kind": type(e).__name__}
    taken_ms = time.ticks_diff(time.ticks_ms(), start_ms)
    client.close()
    ticker.cancel()
    say("result", taken_ms=taken_ms, **facts)


async def _tick():
    for _ in range(100):
        await asyncio.sleep_ms(5)
    say("alive")


async def will(args):
    """Announce, then wait to be killed."""
    client = _client(args, will=("hedge/bed-3/status", b"offline", 1, True))
    await client.connect()
    await client.publish("hedge/bed-3/status", b"online", qos=1, retain=True)
    say("ready")
    await asyncio.sleep_ms(600000)


async def resume(args):
    """Publish into silence, lose the broker, come back."""
    client = _client(args)
    await client.connect()
    await client.publish("resume", b"0", qos=1)
    say("ready")
    await _until(lambda: _exists(args["go"]))  # the relay swallows what the broker says now
    for i in (1, 2, 3):
        await client.publish("resume", b"%d" % i, qos=1, wait=False)
    say("published", inflight=client.inflight)
    await _until(lambda: not client.connected)
    client.close()
    present = await _again(client)
    await _until(lambda: client.inflight == 0)
    await client.publish("resume", b"4", qos=1)
    await client.disconnect()
    say("result", present=present, redelivered=client.redelivered)


async def silence(args):
    """Wait for the end of a session that the relay stalls, then come back."""
    client = _client(args)
    await _again(client)
    say("ready")
    try:
        if args.get("publishing"):
            while True:
                await client.publish("a", bytes(100), qos=1)
                await asyncio.sleep_ms(20)
        while True:
            await client.wait_change()
    except (LinkError, OSError) as e:
        reason = str(e)
    client.close()
    present = await _again(client)
    while not await _published(client):  # the machine may stand still for longer than timeout_ms
        client.close()
        await _again(client)
    await client.disconnect()
    say("result", reason=reason, present=present)


async def _published(client):
    try:
        await client.publish("a", b"back", qos=1)
    except (LinkError, OSError):
        return False
    return True


async def rogue(args):
    """Stay in a session with a broker that misbehaves; tell how it ended.

    Or, once the file args["enough"] is there, that it did not.
    """
    got = []
    client = _client(args, on_message=lambda t, p, r: got.append(len(p)), max_packet_bytes=256)
    reason = None
    try:
        await client.connect()
        enough = args.get("enough")
        await _until(lambda: not client.connected or (enough and _exists(enough)))
        if not client.connected:
            await client.wait_change()  # raises why
    except (LinkError, OSError) as e:
        reason = str(e)
    client.close()
    say("result", reason=reason, got=got, oversized=client.oversized)


def _link(args):
    from hedge.net.link import make_link

    for one in [args] + args.get("links", []):
        if one.get("pty"):
            from pty_uart import PtyUart

            one["uart"] = PtyUart(one["pty"])
    return make_link(args, info=b"\xa1dnameebed-3")


async def uplink(args):
    """A real store, filled while the link is good and bad, drained until the gateway has all.

    args["holds"]: {number of a record: file without which it is not made}.
    """
    from hedge.net.uplink import Uplink
    from hedge.store import Store

    args["device"] = args.get("device", "bed-3")
    store = Store(args["dir"])
    store.open()
    key = unhexlify(args["key"]) if args.get("key") else None
    waits = {"ack_timeout_ms": args.get("ack_timeout_ms", 2000)}
    waits["retry_min_ms"] = args.get("retry_min_ms", 500)
    node = Uplink(_link(args), store, args["device"], key, **waits)
    task = asyncio.create_task(node.run())
    say("ready", boot=store.boot)
    holds = args.get("holds", {})
    for i in range(args["records"]):
        if str(i) in holds:
            await _until(lambda: _exists(holds[str(i)]))  # noqa: B023  it ends in this turn
        store.append(i % 3, b"%s record %d of the node" % (args["device"].encode(), i))
        node.wake()
        await asyncio.sleep_ms(args.get("pace_ms", 1))
    say("filled")
    start_ms = time.ticks_ms()
    while store.pending() and time.ticks_diff(time.ticks_ms(), start_ms) < _LIMIT_MS:
        await asyncio.sleep_ms(20)
    task.cancel()
    await asyncio.sleep_ms(50)
    stats = node.stats()
    pending = store.pending()
    store.close()
    say("result", pending=pending, stats=stats)


async def contract(args):
    """The Link contract, see the pytest file: each step says what it saw."""
    link = _link(args)
    say("connected", kept=await link.connect(), bytes_sent=link.bytes_sent)
    await link.send(b"frame one")
    await link.send(memoryview(b"frame two"))
    first = await asyncio.wait_for_ms(link.recv(), _LIMIT_MS)
    second = await asyncio.wait_for_ms(link.recv(), _LIMIT_MS)
    sent = link.bytes_sent
    await link.close()
    await link.close()
    say("closed")
    await _until(lambda: _exists(args["go"]))  # a new session may overtake the old one's bytes
    after = await _fails(link.send(b"late")), await _fails(link.recv())
    kept = await link.connect()
    await link.send(b"frame three")
    third = await asyncio.wait_for_ms(link.recv(), _LIMIT_MS)
    more = link.bytes_sent
    if args.get("repeat_after_ms"):  # CoAP's 2 s would make this 45 s
        link._client.endpoint._ack_timeout_ms = args["repeat_after_ms"]
    say("ready", bytes_sent=more)  # the broker is killed now
    lost = await _fails(
        asyncio.wait_for_ms(_last_acks(link, args.get("lost_at_frame")), _LIMIT_MS)
    )
    await link.close()
    acks = [first.decode(), second.decode(), third.decode()]
    say("result", acks=acks, sent=sent, more=more, after=after, kept=kept, lost=lost)


async def _last_acks(link, asking):
    """asking: the link has no sessions, who is gone shows at the next frame."""
    if not asking:
        await link.recv()
    while asking:
        await link.send(b"frame four")
        await link.recv()
        await asyncio.sleep_ms(50)


async def _fails(awaitable):
    try:
        await awaitable
    except (LinkError, OSError) as e:
        return type(e).__name__
    return None


def umqtt(args):
    """Code as written for umqtt.simple, on ours or on the real one."""
    if args["client"] == "hedge":
        from hedge.net.umqtt import MQTTClient, MQTTException
    else:
        from umqtt.simple import MQTTClient, MQTTException
    got = []
    account = args.get("user"), args.get("password")
    client = MQTTClient("bed-3", args["host"], args["port"], *account)
    client.set_callback(lambda topic, msg: got.append((bytes(topic), bytes(msg))))
    client.set_last_will(b"u/status", b"gone", True, 1)
    try:
        present = client.connect()
    except MQTTException as e:
        say("result", refused=e.args[0])
        return
    client.subscribe(b"u/+", 1)
    client.publish(b"u/one", b"qos 0")
    client.publish(b"u/two", b"qos 1", False, 1)
    client.publish("u/three", "text", qos=1)
    for _ in range(10):
        client.publish(b"v/other", bytes(300), qos=1)
    client.ping()
    while len(got) < 3:
        client.wait_msg()
    time.sleep_ms(50)
    nothing = client.check_msg(), client.check_msg()
    client.disconnect()
    got = sorted((t.decode(), m.decode()) for t, m in got)
    say("result", present=bool(present), got=got, nothing=list(nothing))


SCENARIOS = {
    "connect": connect,
    "contract": contract,
    "echo": echo,
    "resume": resume,
    "rogue": rogue,
    "silence": silence,
    "umqtt": umqtt,
    "uplink": uplink,
    "will": will,
}


def main(name, args):
    log.level = log.WARN + 1 if args.get("quiet", True) else log.DEBUG
    scenario = SCENARIOS[name]
    if name == "umqtt":
        scenario(args)
    else:
        asyncio.run(scenario(args))


main(sys.argv[1], json.loads(os.getenv("SCENARIO")))
