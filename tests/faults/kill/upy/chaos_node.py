"""A node that is killed again and again, with a ledger of its own beside the store.

Records go on until the file `enough` exists, never more than `room` ahead of the gateway; then the
process ends once the gateway has all. The ledger has a file a life, and in it 9 bytes for
each record whose append returned: boot (u32), stream (u8), seq (u32). Payload: the life and the
place in its file, see _payload; tests/faults/kill/ledger.py reads both.
"""

import asyncio
import json
import os
import struct
import sys

from hedge.core import clock, log
from hedge.net.link import make_link
from hedge.net.uplink import Uplink
from hedge.store import Store
from hedge.wire import cbor, senml

_ENTRY = "<IBI"
_LIFE = 1 << 24  # more records than a life has
_BURST = 20
_NAME_S = 1790000000


def _payload(life, place):
    return senml.encode(_NAME_S, [("n", None, life * _LIFE + place)])


class Ledger:
    def __init__(self, folder):
        self.life = len(os.listdir(folder))
        self._place = 0
        # Unbuffered in this port: what was written outlives the process.
        path = "%s/life-%d" % (folder, self.life)  # noqa: UP031
        self._file = open(path, "wb")  # noqa: SIM115  as long as the process

    def add_to(self, store):
        stream = 0 if self._place % 16 == 0 else 1
        seq = store.append(stream, _payload(self.life, self._place))
        self._file.write(struct.pack(_ENTRY, store.boot, stream, seq))
        self._place += 1


def _exists(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def _on_air(args):
    """The node's time and radio are those of a simulated air."""
    from hedgerow.emulate.lora.device import AirClock, Pipe, SimModem

    air = Pipe(sys.stdin, sys.stdout)
    source = AirClock(air, args["start_s"])
    clock.use(source)
    args["cfg"].update(modem=SimModem(air), state=args["store"] + "/lorawan.kv")
    return asyncio.create_task(source.run())


def _uplink(args, store):
    link = _link(args)
    pace = {"ack_timeout_ms": 3000, "retry_max_ms": 2000}
    if args["cfg"]["kind"] == "lorawan":
        pace = {"ack_timeout_ms": link.ack_timeout_ms, "retry_max_ms": 2, "retry_min_ms": 1}
        pace.update(window=link.window, max_frame_bytes=link.max_frame_bytes)
    return Uplink(link, store, args["device"], **pace)


def _link(args):
    link = make_link(args["cfg"], args["device"], cbor.encode({"name": args["device"]}))
    if args["cfg"]["kind"] == "coap":
        # The simulated line is fast: with RFC 7252's 2 s a third of loss would take days.
        timing = {"ack_timeout_ms": 150, "max_retransmit": 4, "limit_ms": 8000}
        link._timing.update(timing)
    return link


async def _work(args, store, ledger, uplink):
    while not _exists(args["enough"]):
        if store.pending() < args["room"]:
            for _ in range(_BURST):
                ledger.add_to(store)
            uplink.wake()
        await clock.sleep_ms(args["pace_ms"])
    while store.pending():
        await clock.sleep_ms(5 * args["pace_ms"])


async def main(args):
    log.level = log.WARN
    air = _on_air(args) if args["cfg"]["kind"] == "lorawan" else None
    store = Store(args["store"], max_bytes=8000000, segment_bytes=65536)
    store.open()
    ledger = Ledger(args["ledger"])
    uplink = _uplink(args, store)
    task = asyncio.create_task(uplink.run())
    await _work(args, store, ledger, uplink)
    task.cancel()
    if air:
        air.cancel()
    lost = {"dropped": sum(store.dropped.values()), "refused": store.refused}
    print(json.dumps(dict(lost, event="result", stats=uplink.stats())))


asyncio.run(main(json.loads(os.getenv("SCENARIO"))))
