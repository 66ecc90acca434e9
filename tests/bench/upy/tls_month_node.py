"""A month of hours: each a TLS session to the broker, four records, their acks. Frozen hedge.

    micropython -X heapsize=64wk tls_month_node.py args.json log_dir

args.json: {"port", "ca", "hours"}. Prints {"hour", "used"} after each hour, collected, and at the
end {"pending", "stats"}.
"""

import asyncio
import gc
import json
import sys

from hedge.core import log
from hedge.net.link import make_link
from hedge.net.uplink import Uplink
from hedge.store import Store

_RECORDS = 4
_LOG_BYTES, _FILLER_BYTES = 256 * 1024, 180
_LIMIT_MS = 20000


def _fill(store):
    """Records that are acknowledged stay until the log is full, each segment with a place in the
    index: without this, that would be what grows."""
    written = 0
    while written < _LOG_BYTES:
        store.ack(store.boot, 1, store.append(1, bytes(_FILLER_BYTES)))
        written += _FILLER_BYTES


async def _hour(uplink, store, hour):
    for i in range(_RECORDS):
        store.append(1, b"hour %d record %d" % (hour, i))
    task = asyncio.create_task(uplink.run())
    waited_ms = 0
    while store.pending() and waited_ms < _LIMIT_MS:
        await asyncio.sleep_ms(5)
        waited_ms += 5
    task.cancel()
    await asyncio.sleep_ms(20)  # its end: the link says goodbye


async def main(args, folder):
    log.level = log.WARN
    store = Store(folder, max_bytes=_LOG_BYTES)
    store.open()
    _fill(store)
    cfg = {"kind": "mqtt", "host": "127.0.0.1", "port": args["port"], "tls": True}
    cfg["ca"], cfg["server_hostname"] = args["ca"], "broker.test"
    uplink = Uplink(make_link(cfg, "bed-3", b"\xa1dnameebed-3"), store, "bed-3")
    for hour in range(args["hours"]):
        await _hour(uplink, store, hour)
        gc.collect()
        print(json.dumps({"hour": hour, "used": gc.mem_alloc()}))
    print(json.dumps({"pending": store.pending(), "stats": uplink.stats()}))


with open(sys.argv[1]) as file:
    asyncio.run(main(json.load(file), sys.argv[2]))
