"""A node with sockets and a radio: MQTT by real time, LoRaWAN on the simulated air at its pace.

Environment SCENARIO, JSON: cfg of a link of kind failover, device, dir, records, pace_ms, start_s,
holds: {number of a record: name of the file in dir without which it is not made}.
Reports JSON lines and its log.
"""

import asyncio
import json
import os
import sys

from hedge.core import clock, log
from hedge.net.uplink import uplink_maker
from hedge.store import Store
from hedgerow.emulate.lora.device import AirClock, Pipe, SimModem

_SLICE_MS = 200  # virtual; what a socket wakes may wait so long for its own sleep to be told
_POLL_MS = 20


class OpenPipe(Pipe):
    """Waits for the air without keeping the sockets waiting."""

    def __init__(self, source, sink):
        Pipe.__init__(self, source, sink)
        self._lines = asyncio.StreamReader(source)

    async def passed(self, due_ms):
        """Virtual milliseconds once the air goes on."""
        self.tell("W", due_ms)
        line = (await self._lines.readline()).split()
        if not line:
            raise EOFError("the air is gone")
        if len(line) > 1:
            self.on_event([word.decode() for word in line[1:]])
        return int(line[0])


class PacedClock(AirClock):
    """Asks the air for a slice of time at most."""

    async def run(self):
        while True:
            await self._let_run()
            due_ms = self._now_ms + _SLICE_MS
            if self._sleepers:
                due_ms = min(due_ms, self._sleepers[-1][0])
            self._move_to(await self._air.passed(due_ms))


async def file_is_there(path):
    while True:
        try:
            os.stat(path)
            return
        except OSError:
            await asyncio.sleep_ms(_POLL_MS)


async def main(args):
    log.level = log.DEBUG
    air = OpenPipe(sys.stdin, sys.stdout)
    source = PacedClock(air, args["start_s"])
    clock.use(source)
    tasks = [asyncio.create_task(source.run())]
    store = Store(args["dir"] + "/log")
    store.open()
    for link in args["cfg"]["links"]:
        if link["kind"] == "lorawan":
            link |= {"modem": SimModem(air), "state": args["dir"] + "/lorawan.kv"}
    uplink = uplink_maker(args["cfg"], store, args["device"], None)(b"\xa0", None, None)
    tasks.append(asyncio.create_task(uplink.run()))
    for i in range(args["records"]):
        if str(i) in args["holds"]:
            await file_is_there(args["dir"] + "/" + args["holds"][str(i)])
        store.append(1, b"record %d" % i)
        uplink.wake()
        await asyncio.sleep_ms(args["pace_ms"])
    while store.pending():
        await asyncio.sleep_ms(_POLL_MS)
    told = {"event": "done", "stats": uplink.stats(), "switches": uplink._link.switches}
    air.tell("P", json.dumps(told))
    while True:
        await asyncio.sleep_ms(3600000)


asyncio.run(main(json.loads(os.getenv("SCENARIO"))))
