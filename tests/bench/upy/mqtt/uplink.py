"""Records from a node to the gateway's commit as fast as it goes; started by ../../uplink.py.

    SCENARIO='{"client": "hedge", ...}' micropython uplink.py

client: hedge (the whole uplink: a store filled before, cfg of make_link), mqtt_async (a fork of
mqtt_as), umqtt (micropython-lib's umqtt.simple). The last two have no store: they publish frames
that were made before, at QoS 1, one after the other, each once the gateway's ack of the one before
has come. Prints one JSON line: frames and seconds of the best quarter, bytes of heap of the
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
_QUARTERS = 4


def _used_bytes():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def _say(records, times_us, held_bytes, **more):
    """times_us: begin, and when each quarter was done."""
    spans = [time.ticks_diff(times_us[i + 1], times_us[i]) for i in range(_QUARTERS)]
    more |= {"per_s": records / _QUARTERS * 1e6 / min(spans), "held_bytes": held_bytes}
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
    begun = up.acked
    times_us = [time.ticks_us()]
    for quarter in range(1, _QUARTERS + 1):
        wanted = begun + (args["records"] - begun) * quarter // _QUARTERS
        while up.acked < wanted:
            await asyncio.sleep_ms(1)
        times_us.append(time.ticks_us())
    held_bytes = _used_bytes() - before
    _say(args["records"] - begun, times_us, held_bytes, bytes_sent=up.stats()["bytes_sent"])
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
    step = (len(frames) - 1) // _QUARTERS
    times_us = [time.ticks_us()]
    for i in range(1, step * _QUARTERS + 1):
        await send(frames[i])
        if i % step == 0:
            times_us.append(time.ticks_us())
    records = step * _QUARTERS * args["records_a_frame"]
    _say(records, times_us, _used_bytes() - before)


_CLIENTS = {"hedge": hedge, "mqtt_async": mqtt_async, "umqtt": umqtt}
_args = json.loads(os.getenv("SCENARIO"))
asyncio.run(_CLIENTS[_args["client"]](_args))
