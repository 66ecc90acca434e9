"""Records from a node to the gateway's commit as fast as it goes; started by ../../uplink.py.

    SCENARIO='{"client": "hedge", ...}' micropython uplink.py

client: hedge (the whole uplink: a store filled before, cfg of make_link), mqtt_async (a fork of
mqtt_as), umqtt (micropython-lib's umqtt.simple). The last two have no store: they publish frames
that were made before, at QoS 1, one after the other, each once the gateway's ack of the one before
has come. Prints one JSON line: records a second from the first ack on, bytes of heap of the
connected client, ours with its store; the modules' code does not count.
"""

import asyncio
import gc
import json
import os
import sys
import time
from binascii import unhexlify

_DEVICE = "bed-3"
_UP, _ACK = "hedge/bed-3/up", b"hedge/bed-3/ack"
_LIMIT_MS = 30000


def _used_bytes():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def _say(records, took_us, held_bytes, **more):
    more |= {"per_s": records * 1e6 / took_us, "held_bytes": held_bytes}
    print(json.dumps(more))


async def hedge(args):
    from hedge.net.uplink import uplink_maker
    from hedge.store import Store

    __import__(f"hedge.net.{args['cfg']['kind']}_link")
    before = _used_bytes()
    store = Store(args["dir"], 64 * 1024)
    store.open()
    record = unhexlify(args["record"])
    for _ in range(args["records"]):
        store.append(1, record)
    up = uplink_maker(args["cfg"], store, _DEVICE, None)(b"\xa0", None, None)
    task = asyncio.create_task(up.run())
    while not up.acked:
        await asyncio.sleep_ms(1)
    begun, begun_us = up.acked, time.ticks_us()
    while up.acked < args["records"]:
        await asyncio.sleep_ms(1)
    took_us = time.ticks_diff(time.ticks_us(), begun_us)
    held_bytes = _used_bytes() - before
    _say(args["records"] - begun, took_us, held_bytes, bytes_sent=up.stats()["bytes_sent"])
    task.cancel()


async def mqtt_async(args):
    sys.modules["uasyncio"] = asyncio  # its name in MicroPython 1.12 to 1.20
    import mqtt_async

    frames = _frames(args)
    before = _used_bytes()
    acked = asyncio.Event()
    config = mqtt_async.MQTTConfig()
    config.server, config.port, config.client_id = "127.0.0.1", args["port"], _DEVICE
    config.subs_cb = lambda *message: acked.set()
    client = mqtt_async.MQTTClient(config)
    # It takes apart what getaddrinfo returns, which is opaque on the Unix port.
    client._dns_lookup = lambda: None
    client._addr = ("127.0.0.1", args["port"])
    await client.connect()
    await client.subscribe(_ACK, 1)

    async def send(frame):
        acked.clear()
        await client.publish(_UP, frame, qos=1)
        await asyncio.wait_for_ms(acked.wait(), _LIMIT_MS)

    await _send_all(args, frames, send, before)
    await client.disconnect()


async def umqtt(args):
    from umqtt.simple import MQTTClient

    frames = _frames(args)
    before = _used_bytes()
    acks = []
    client = MQTTClient(_DEVICE, "127.0.0.1", args["port"], keepalive=60)
    client.set_callback(lambda topic, message: acks.append(1))
    client.connect()
    client.subscribe(_ACK, 1)

    async def send(frame):
        client.publish(_UP, frame, False, 1)
        while not acks:
            client.wait_msg()
        acks.clear()

    await _send_all(args, frames, send, before)
    client.disconnect()


def _frames(args):
    """They stay on the heap while it is measured, and so do not count."""
    return [unhexlify(text) for text in args.pop("frames")]


async def _send_all(args, frames, send, before):
    await send(frames[0])
    begun_us = time.ticks_us()
    for frame in frames[1:]:
        await send(frame)
    took_us = time.ticks_diff(time.ticks_us(), begun_us)
    _say((len(frames) - 1) * args["records_a_frame"], took_us, _used_bytes() - before)


_CLIENTS = {"hedge": hedge, "mqtt_async": mqtt_async, "umqtt": umqtt}
_args = json.loads(os.getenv("SCENARIO"))
asyncio.run(_CLIENTS[_args["client"]](_args))
