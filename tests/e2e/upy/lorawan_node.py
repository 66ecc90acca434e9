"""A node on the simulated air: real store, uplink, link and MAC; only radio and clock are not.

Environment SCENARIO, JSON: dir, records, every_s, kind of activation, ... Reports JSON lines.
"""

import asyncio
import json
import os
import sys

from lorawan_records import make_records

from hedge.core import clock, log
from hedge.net.lorawan_link import make
from hedge.net.uplink import Uplink
from hedge.store import Store
from hedgerow.emulate.lora.device import AirClock, Pipe, SimModem

_CHECK_MS = 5000


async def main(args):
    log.level = log.WARN
    air = Pipe(sys.stdin, sys.stdout)
    source = AirClock(air, args["start_s"])
    clock.use(source)
    tasks = [asyncio.create_task(source.run())]
    store = Store(args["dir"] + "/log")
    store.open()
    settings = dict(args["uplink"], modem=SimModem(air), state=args["dir"] + "/lorawan.kv")
    link = make(settings, args["device"], b"")
    received = []
    if args.get("bulk"):
        from hedge.net.lorawan.bulk import Receiver

        receiver = Receiver(args["dir"] + "/bulk", link.post, lambda *told: received.append(told))
        link.on_downlink, link.expects = receiver.take, receiver.is_open
    uplink = Uplink(
        link,
        store,
        args["device"],
        key=args["key"].encode() if args.get("key") else None,
        window=link.window,
        ack_timeout_ms=link.ack_timeout_ms,
        max_frame_bytes=link.max_frame_bytes,
        retry_min_ms=1,
        retry_max_ms=2,
    )
    tasks.append(asyncio.create_task(uplink.run()))
    await clock.sleep_ms(args.get("wait_s", 0) * 1000)
    await make_records(store, uplink, args)
    air.tell("P", json.dumps({"event": "made"}))
    while store.pending() or (args.get("bulk") and not received):
        await clock.sleep_ms(_CHECK_MS)
    mac = link.mac
    result = {
        "event": "done",
        "boot": store.boot,
        "at_ms": source.now_ms(),
        "uplinks": mac.uplinks,
        "joins": mac.joins,
        "repeats": link.repeats,
        "parts": link.parts_sent,
        "resyncs": link.resyncs,
        "refused": mac.refused,
        "rate": mac.session.rate,
        "bytes": mac.bytes_sent,
        "airtime_ms": mac.airtime_ms,
        "outages": uplink.outages,
        "bad_acks": uplink.bad_acks,
        "bulk": received,
    }
    air.tell("P", json.dumps(result))
    while True:
        await clock.sleep_ms(3600000)


asyncio.run(main(json.loads(os.getenv("SCENARIO"))))
