"""The store at work on a raw flash region: what bench/store.py measures, on any board.

run(device, now, wrap, records) -> dict of figures; now() counts time, modulo wrap if not 0.
"""

import gc

from hedge.core import log
from hedge.store import KV, Store
from hedge.store.region import Region

log.level = log.WARN + 1
_RECORD = bytes(32)


class Counted:
    """A block device that counts erases and the time spent in programs."""

    def __init__(self, device):
        self._device = device
        self.readblocks = device.readblocks
        self.erases = 0
        self.programs = 0

    def writeblocks(self, block, buf, offset):
        self.programs += 1
        self._device.writeblocks(block, buf, offset)

    def ioctl(self, op, arg):
        if op == 6:
            self.erases += 1
        return self._device.ioctl(op, arg)


def opened(device):
    store = Store(Region(device))
    store.open()
    return store


def used():
    gc.collect()
    return gc.mem_alloc()


def fill(device):
    """Append until the oldest records are given up."""
    store = opened(device)
    while not store.dropped:
        store.append(1, _RECORD)


def run(device, now, wrap, records):
    """Figures of a full region, see fill(): opened anew, and worked with."""
    device = Counted(device)
    before = used()
    store, open_time = timed(lambda: opened(device), now, wrap)
    found = {"open": open_time, "ram": used() - before, "held": store.pending()}
    found["append"] = append_time(store, now, wrap)
    found.update(wear(device, store, records))
    return found


def timed(work, now, wrap):
    """(result, time) of a call."""
    gc.collect()
    begin = now()
    result = work()
    took = now() - begin
    return result, took % wrap if wrap else took


def append_time(store, now, wrap):
    """Median of 101 appends, none of which begins a sector more often than usual."""
    times = [timed(lambda: store.append(1, _RECORD), now, wrap)[1] for _ in range(101)]
    return sorted(times)[50]


def wear(device, store, records):
    """Erases and programs of so many records, acknowledged by 8, state saved at times."""
    reader = store.reader()
    kv = KV("node", volume=store.volume)
    erases, programs = device.erases, device.programs
    for i in range(records):
        store.append(1, _RECORD)
        store.prepare()
        if i % 8 == 7:
            batch = reader.next(200)
            store.ack(batch.boot, batch.stream, batch.seq + len(batch.records) - 1)
        if i % 100 == 99:
            kv.set("i", i)
            kv.set("rules", bytes(300))
            kv.save()
    return {
        "erases_64": 64 * (device.erases - erases) / records,
        "programs": (device.programs - programs) / records,
    }
