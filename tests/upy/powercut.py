"""Cut the power of the store at every flash operation, clean and torn, and look what is left.

    micropython tests/upy/powercut.py SEED...     long form: every cut of one workload per seed,
                                                  and a second cut in the start that follows

A workload runs once on a RAM flash that keeps a journal of its operations. Every prefix of the
journal is a flash as a cut would have left it; "torn" adds the first half of the next operation.
Each gets a device of its own: files that the collector closes late write to the old one.
"""

import os
import random
import sys

from hedge.core import log
from hedge.core.errors import StoreError
from hedge.store import Store

BLOCK_BYTES = 512
_ERASED = b"\xff" * BLOCK_BYTES
MOUNT = "/powercut"


class RamFlash:
    """NOR flash behind MicroPython's block device protocol; see readblocks() of `vfs`.

    Its blocks are immutable, so a copy of the whole costs one list.
    """

    def __init__(self, blocks):
        self.blocks = list(blocks)
        self.journal = None  # list of (block, offset, bytes) while recording

    def readblocks(self, block, buf, offset=0):
        buf[:] = self.blocks[block][offset : offset + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        self.put(block, offset, bytes(buf))

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.blocks)
        if op == 5:
            return BLOCK_BYTES
        if op == 6:
            self.put(arg, 0, _ERASED)
        return 0

    def put(self, block, offset, data):
        """Write data inside one block, as littlefs does."""
        if self.journal is not None:
            self.journal.append((block, offset, data))
        whole = bytearray(self.blocks[block])
        whole[offset : offset + len(data)] = data
        assert len(whole) == BLOCK_BYTES
        self.blocks[block] = bytes(whole)


def mounted(flash):
    """Mount the flash; returns the file system."""
    vfs = os.VfsLfs2(flash, readsize=32, progsize=32, lookahead=32)
    os.mount(vfs, MOUNT)
    return vfs


def formatted(blocks):
    """A flash with an empty littlefs."""
    flash = RamFlash([_ERASED] * blocks)
    os.VfsLfs2.mkfs(flash, readsize=32, progsize=32, lookahead=32)
    return flash


class History:
    """What was asked of the store and when: places in the journal before and after each call."""

    def __init__(self):
        self.appends = []  # (start, end or None, key, payload)
        self.acks = []  # (start, (boot, stream), upto)

    def known_at(self, cut):
        """(returned {key: payload}, attempted {key: payload}, acked {(boot, stream): upto})."""
        returned, attempted, acked = {}, {}, {}
        for start, end, key, payload in self.appends:
            if start <= cut:
                attempted[key] = payload
                if end is not None and end <= cut:
                    returned[key] = payload
        for start, mark, upto in self.acks:
            if start <= cut:
                acked[mark] = max(acked.get(mark, 0), upto)
        return returned, attempted, acked


class Workload:
    """Appends, reads and acknowledges by the dice, as a node with a poor link does."""

    def __init__(self, seed):
        self.dice = random
        self.dice.seed(seed)
        poor_link = seed & 1  # odd seeds: little is acknowledged, much is dropped
        self.max_bytes = 1024 if poor_link else 6144
        self.segment_bytes = 256 if poor_link else 512
        self.appends_of_16 = 14 if poor_link else 10

    def opened(self):
        store = Store(MOUNT + "/log", self.max_bytes, self.segment_bytes, flush=True)
        store.open()
        return store

    def run(self, flash, history, steps):
        """Open the store and take so many steps, noting them in history."""
        store = self.opened()
        reader = store.reader()
        for _ in range(steps):
            what = self.dice.getrandbits(4)
            if what < self.appends_of_16:
                self._append(flash, history, store)
            elif what < 15:
                self._read_and_ack(flash, history, store, reader)
            else:
                reader.rewind()
        if self.dice.getrandbits(1):
            store.close()

    def _append(self, flash, history, store):
        stream = self.dice.getrandbits(3) % 3
        payload = bytes([self.dice.getrandbits(8) for _ in range(self.dice.getrandbits(5) + 8)])
        start = len(flash.journal)
        key = (store.boot, stream, store._next_seq.get(stream, 1))
        try:
            seq = store.append(stream, payload)
        except StoreError:
            history.appends.append((start, None, key, payload))
            return
        assert seq == key[2]
        history.appends.append((start, len(flash.journal), key, payload))

    def _read_and_ack(self, flash, history, store, reader):
        batch = reader.next(120)
        if batch:
            last = batch.seq + len(batch.records) - 1
            history.acks.append((len(flash.journal), (batch.boot, batch.stream), last))
            store.ack(batch.boot, batch.stream, last)


def record(seed, steps=40, starts=3, blocks=48):
    """(blocks before, journal, History) of a workload with several starts."""
    workload = Workload(seed)
    flash = formatted(blocks)
    before = list(flash.blocks)
    history = History()
    flash.journal = []
    for _ in range(starts):
        mounted(flash)
        workload.run(flash, history, steps)
        os.umount(MOUNT)
    return before, flash.journal, history


def check(seed, flash, history, cut):
    """Start a store on what a cut left; raises AssertionError if a promise is broken."""
    mounted(flash)
    try:
        store = Workload(seed).opened()
        returned, attempted, acked = history.known_at(cut)
        got = _read_all(store)
        for key in got:
            assert attempted.get(key) == got[key], "never written like this: %r" % (key,)
        _check_missing(store, got, returned, attempted, acked)
        assert store.corrupt == 0 and not store.state_lost
        assert store.append(0, b"after") == 1
        store.close()
        again = Workload(seed).opened()
        assert again.boot == store.boot + 1
        assert _read_all(again)[(store.boot, 0, 1)] == b"after"
    finally:
        os.umount(MOUNT)


def _check_missing(store, got, returned, attempted, acked):
    lost = {0: 0, 1: 0, 2: 0}  # neither in the log nor acknowledged: must be counted as dropped
    gone = {0: 0, 1: 0, 2: 0}  # not in the log: no more can have been dropped
    for key in attempted:
        boot, stream, seq = key
        assert boot < store.boot, "boot %d given out again" % boot
        if key not in got:
            gone[stream] += 1
            lost[stream] += key in returned and seq > acked.get((boot, stream), 0)
    for stream in lost:
        dropped = store.dropped.get(stream, 0)
        assert lost[stream] <= dropped, "lost %d of stream %d" % (lost[stream], stream)
        assert dropped <= gone[stream], "%d dropped of %d gone" % (dropped, gone[stream])


def _read_all(store):
    got = {}
    reader = store.reader()
    while True:
        batch = reader.next(200)
        if batch is None:
            return got
        for i, payload in enumerate(batch.records):
            key = (batch.boot, batch.stream, batch.seq + i)
            assert key not in got, "read twice: %r" % (key,)
            got[key] = payload


def cuts(before, journal, first=0, step=1):
    """Yields (cut, torn, RamFlash) for every step-th place in the journal, clean and torn."""
    flash = RamFlash(before)
    for cut in range(len(journal) + 1):
        wanted = cut >= first and (cut - first) % step == 0
        if wanted:
            yield cut, False, RamFlash(flash.blocks)
        if cut < len(journal):
            block, offset, data = journal[cut]
            if wanted:
                torn = RamFlash(flash.blocks)
                torn.put(block, offset, data[: len(data) // 2])
                yield cut, True, torn
            flash.put(block, offset, data)


def check_all(seed, step=1, first=0, **size):
    """Number of cuts checked of one workload. An AssertionError names seed and cut."""
    before, journal, history = record(seed, **size)
    count = 0
    for cut, torn, flash in cuts(before, journal, first, step):
        try:
            check(seed, flash, history, cut)
        except Exception as fault:
            print("seed %d, cut %d of %d, torn %s" % (seed, cut, len(journal), torn))
            raise fault
        count += 1
    return count


def check_second_cuts(seed, step=97, second_step=7):
    """Cut, start again, cut that start and what follows too; returns the number of second cuts."""
    before, journal, history = record(seed)
    count = 0
    for cut, torn, flash in cuts(before, journal, seed % step, step):
        first = list(flash.blocks)
        both = _history_until(history, cut)
        flash.journal = []
        mounted(flash)
        Workload(seed + 2 * cut).run(flash, both, 12)
        os.umount(MOUNT)
        for second, second_torn, again in cuts(
            first, flash.journal, cut % second_step, second_step
        ):
            try:
                check(seed, again, both, second)
            except Exception as fault:
                print("seed %d, cuts %d %s, %d %s" % (seed, cut, torn, second, second_torn))
                raise fault
            count += 1
    return count


def _history_until(history, cut):
    """The same as of a time before the second journal starts."""
    until = History()
    returned, attempted, acked = history.known_at(cut)
    for key in attempted:
        until.appends.append((-1, -1 if key in returned else None, key, attempted[key]))
    until.acks = [(-1, mark, acked[mark]) for mark in acked]
    return until


def main(seeds):
    log.level = log.WARN + 1
    total = 0
    for seed in seeds:
        total += check_all(seed) + check_second_cuts(seed)
    print("power cuts checked: %d" % total)


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]])
