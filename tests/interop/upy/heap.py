"""Client, uplink and store at work; tells what the heap held after each step.

Started by boot_rom.py, from ROMFS. Prints one JSON line, bytes after a garbage collection.
"""

import asyncio
import gc
import json


def _used():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


class ListStore:
    """What the uplink needs of a store, in memory: to measure the uplink without the log."""

    boot = 1
    generation = None

    def __init__(self):
        self._rows = []  # (stream, seq, payload)
        self._last = {}
        self._at = 0

    def append(self, stream, payload):
        self._last[stream] = self.last_seq(stream) + 1
        self._rows.append((stream, self._last[stream], payload))

    def last_seq(self, stream):
        return self._last.get(stream, 0)

    def pending(self):
        return len(self._rows)

    def acked_upto(self, boot, stream):
        return 0

    def set_generation(self, generation):
        self.generation = generation

    def ack(self, boot, stream, upto):
        gone = [r for r in self._rows if r[0] == stream and r[1] <= upto]
        self._at -= len([r for r in gone if r in self._rows[: self._at]])
        self._rows = [r for r in self._rows if r not in gone]

    def reader(self):
        return self

    def rewind(self):
        self._at = 0

    def next(self, max_bytes):
        if self._at == len(self._rows):
            return None
        self.stream, self.seq, payload = self._rows[self._at]
        self.records = [payload]
        self.oldest = min([r[1] for r in self._rows if r[0] == self.stream])
        self._at += 1
        return self

    def close(self):
        pass


def _open_store(args):
    if args["store"] == "list":
        return ListStore()
    from hedge.store.log import Store

    store = Store(args["dir"])
    store.open()
    return store


async def _run(args, seen):
    from hedge.net.link import make_link
    from hedge.net.uplink import Uplink

    seen["imported"] = _used()
    store = _open_store(args)
    seen["store open"] = _used()
    uplink = Uplink(make_link(args), store, args["device"], ack_timeout_ms=args["ack_timeout_ms"])
    seen["built"] = _used()
    task = asyncio.create_task(uplink.run())
    for i in range(args["records"]):
        while store.pending() > args["most_pending"]:
            await asyncio.sleep_ms(5)
        store.append(i % 3, b"%s record %d of the node" % (args["device"].encode(), i))
        uplink.wake()
        await asyncio.sleep_ms(1)
    while store.pending():
        await asyncio.sleep_ms(5)
        seen["running"] = max(seen.get("running", 0), _used())
    seen["sessions"] = uplink.sessions
    task.cancel()
    await asyncio.sleep_ms(50)
    store.close()


def main(args):
    seen = {"event": "result"}
    seen["started"] = _used()
    asyncio.run(_run(args, seen))
    seen["heap"] = gc.mem_alloc() + gc.mem_free()
    print(json.dumps(seen))
