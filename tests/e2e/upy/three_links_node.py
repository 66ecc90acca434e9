"""The node of lorawan_node.py over a link that has sockets; the same records, made at once.

Environment SCENARIO, JSON: cfg of make_link, device, dir, key, and what make_records takes.
"""

import asyncio
import json
import os
from binascii import unhexlify

from lorawan_records import make_records

from hedge.core import log
from hedge.net.uplink import uplink_maker
from hedge.store import Store

_LIMIT_MS = 60000
_POLL_MS = 20


async def main(args):
    log.level = log.WARN
    store = Store(args["dir"] + "/log")
    store.open()
    key = unhexlify(args["key"]) if args["key"] else None
    make = uplink_maker(args["cfg"], store, args["device"], key)
    uplink = make(b"\xa0", None, None)
    task = asyncio.create_task(uplink.run())
    await make_records(store, uplink, args)
    for _ in range(_LIMIT_MS // _POLL_MS):
        if not store.pending():
            break
        await asyncio.sleep_ms(_POLL_MS)
    print(json.dumps({"event": "result", "pending": store.pending(), "stats": uplink.stats()}))
    task.cancel()


asyncio.run(main(json.loads(os.getenv("SCENARIO"))))
