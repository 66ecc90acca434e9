"""On the board: the workload of powercut.py in a part of rp2.Flash, and the start after a cut.

Each function prints for store_pico.py: lines of JSON.
"""

import gc
import json

import machine
import powercut
import rp2

from hedge.core import log
from hedge.store import KV, Store
from hedge.store.region import Region

log.level = log.WARN + 1
_CYCLES = 0x40068000  # of the emulator


class Counted:
    """rp2.Flash, and how many operations it has done."""

    def __init__(self, flash):
        self.flash = flash
        self.journal = []
        self.readblocks = flash.readblocks

    def writeblocks(self, block, buf, offset):
        self.journal.append(None)
        self.flash.writeblocks(block, buf, offset)

    def ioctl(self, op, arg):
        if op == 6:
            self.journal.append(None)
        return self.flash.ioctl(op, arg)


class Medium(powercut.RegionMedium):
    """All of the flash it is given, whatever the link."""

    @staticmethod
    def start(flash, poor_link):
        region = Region(flash)
        return Store(region), KV("kv", volume=region)


def run(start, size, seed, steps, starts):
    """The workload alone; returns its powercut.History."""
    flash = Counted(rp2.Flash(start=start, len=size))
    history = powercut.History()
    workload = powercut.Workload(Medium, seed)
    workload.payload_bits = 7
    for _ in range(starts):
        workload.run(flash, history, steps)
    return history


def tell(start, size, seed, steps, starts):
    """The workload, and what it did."""
    history = run(start, size, seed, steps, starts)
    for begin, end, key, payload in history.appends:
        print(json.dumps(["append", begin, end, key, payload.hex()]))
    for begin, mark, upto in history.acks:
        print(json.dumps(["ack", begin, mark, upto]))
    for begin, end, values in history.values[1:]:
        print(json.dumps(["values", begin, end, values["count"], len(values["fill"])]))


def recover(start, size):
    """The start after a cut, what it found and how long it took; whether life goes on."""
    gc.collect()
    flash = rp2.Flash(start=start, len=size)
    began = machine.mem32[_CYCLES]
    store, kv = Medium.start(flash, False)
    store.open()
    cycles = (machine.mem32[_CYCLES] - began) & 0x3FFFFFFF
    found = powercut.look(store, kv)
    for key, payload in found.pop("got").items():
        print(*key, payload.hex())
    if found["values"]:
        found["values"]["fill"] = len(found["values"]["fill"])
    found["dropped"] = list(found["dropped"].items())
    print(json.dumps([found, cycles]))
    _go_on(flash, store)


def _go_on(flash, store):
    """AssertionError unless an append is the first of this start, and there in the next one."""
    assert store.append(0, b"after") == 1
    store.close()
    again, _ = Medium.start(flash, False)
    again.open()
    assert again.boot == store.boot + 1
    reader = again.reader()
    batch = reader.next(200)
    while batch.boot != store.boot:
        batch = reader.next(200)
    assert (batch.stream, batch.seq) == (0, 1)
    assert [bytes(payload) for payload in batch.records] == [b"after"]
