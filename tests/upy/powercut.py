"""Cut the power of the store at every flash operation, clean and torn, and look what is left.

    micropython tests/upy/powercut.py files|region FIRST STEP SEED...

Every STEP-th cut, from FIRST on, of one workload per seed, and second cuts in the starts that
follow. A workload runs once on a RAM flash that keeps a journal of its operations. Every prefix
of the journal is a flash as a cut would have left it; "torn" adds a part of the next operation.
Each gets a device of its own: files that the collector closes late write to the old one.
`region` runs under CPython, too.
"""

import os
import random
import sys

from ram_flash import RamFlash

from hedge.core import log
from hedge.core.errors import StoreError
from hedge.store import KV, Store
from hedge.store.region import Region

MOUNT = "/powercut"
_TEARS = 3  # clean, half of the operation, some of its bits


class FilesMedium:
    """The log as files of a littlefs in the flash."""

    name = "files"

    @staticmethod
    def blank(blocks=48):
        """A flash with an empty littlefs."""
        flash = RamFlash(blocks)
        os.VfsLfs2.mkfs(flash, readsize=32, progsize=32, lookahead=32)
        return flash

    @staticmethod
    def start(flash, poor_link):
        """(Store, KV) as a start finds them, the store not open yet."""
        mounted(flash)
        most, segment = (1024, 256) if poor_link else (6144, 512)
        return Store(MOUNT + "/log", most, segment, flush=True), KV(MOUNT + "/kv", True)

    @staticmethod
    def stop():
        os.umount(MOUNT)


class RegionMedium:
    """The log as the flash itself."""

    name = "region"
    page_bytes = 64
    poor_blocks = 7

    @staticmethod
    def blank():
        return RamFlash(24)

    @classmethod
    def start(cls, flash, poor_link):
        if poor_link:
            flash = _Part(flash, cls.poor_blocks)
        region = Region(flash, cls.page_bytes)
        region.ahead_after_bytes = 0  # else no start of a workload erased ahead
        return Store(region), KV("kv", volume=region)

    @staticmethod
    def stop():
        pass


MEDIA = {"files": FilesMedium, "region": RegionMedium}


class _Part:
    """The first blocks of a flash."""

    def __init__(self, flash, blocks):
        self.readblocks = flash.readblocks
        self.writeblocks = flash.writeblocks
        self._ioctl = flash.ioctl
        self._blocks = blocks

    def ioctl(self, op, arg):
        return self._blocks if op == 4 else self._ioctl(op, arg)


def mounted(flash):
    """Mount the flash; returns the file system."""
    vfs = os.VfsLfs2(flash, readsize=32, progsize=32, lookahead=32)
    os.mount(vfs, MOUNT)
    return vfs


def saved_at(saves, cut):
    """Of rows (start, end, what) in their order: what was saved last, and what was begun since."""
    allowed = []
    for start, end, what in saves:
        if end <= cut:
            allowed = [what]
        elif start <= cut:
            allowed.append(what)
    return allowed


class History:
    """What was asked of the store and when: places in the journal before and after each call."""

    def __init__(self):
        self.appends = []  # (start, end or None, key, payload)
        self.acks = []  # (start, (boot, stream), upto)
        self.values = [(-1, -1, {})]  # (start, end, what the KV holds)

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

    def values_at(self, cut):
        """What the KV may hold: the last saved, and those being saved."""
        return saved_at(self.values, cut)

    def until(self, cut):
        """The same as of a time before a second journal starts."""
        other = History()
        returned, attempted, acked = self.known_at(cut)
        for key in attempted:
            other.appends.append((-1, -1 if key in returned else None, key, attempted[key]))
        other.acks = [(-1, mark, acked[mark]) for mark in acked]
        values = self.values_at(cut)
        other.values = [(-1, -1, values[0])] + [(-1, 1 << 30, more) for more in values[1:]]
        return other


class Workload:
    """Appends, reads, acknowledges and saves by the dice, as a node with a poor link does."""

    def __init__(self, medium, seed):
        self.medium = medium
        random.seed(seed)
        self.poor_link = seed & 1  # odd seeds: little is acknowledged, much is dropped
        self.appends_of_16 = 13 if self.poor_link else 9
        self.payload_bits = 5  # records of 8 bytes and up to 2 to this more

    def run(self, flash, history, steps):
        """Open the store and take so many steps, noting them in history."""
        store, kv = self.medium.start(flash, self.poor_link)
        store.open()
        reader = store.reader()
        for _ in range(steps):
            what = random.getrandbits(4)
            if what < self.appends_of_16:
                _append(flash, history, store, self.payload_bits)
                if what & 1:
                    store.prepare()  # an idle moment
            elif what < 14:
                _read_and_ack(flash, history, store, reader)
            elif what == 14:
                _save(flash, history, kv)
            elif random.getrandbits(1):
                reader.rewind()
            elif not random.getrandbits(2):
                store.forget_acks()
                reader.rewind()
        if random.getrandbits(1):
            store.close()


def _append(flash, history, store, payload_bits):
    stream = random.getrandbits(3) % 3
    size = random.getrandbits(payload_bits) + 8
    payload = bytes([random.getrandbits(8) for _ in range(size)])
    start = len(flash.journal)
    key = (store.boot, stream, store.last_seq(stream) + 1)
    try:
        seq = store.append(stream, payload)
    except StoreError:
        history.appends.append((start, None, key, payload))
        return
    assert seq == key[2]
    history.appends.append((start, len(flash.journal), key, payload))


def _read_and_ack(flash, history, store, reader):
    batch = reader.next(120)
    if batch:
        last = batch.seq + len(batch.records) - 1
        history.acks.append((len(flash.journal), (batch.boot, batch.stream), last))
        store.ack(batch.boot, batch.stream, last)


def _save(flash, history, kv):
    kv.set("count", random.getrandbits(30))
    kv.set("fill", bytes(random.getrandbits(7)))
    start = len(flash.journal)
    kv.save()
    values = {"count": kv.get("count"), "fill": kv.get("fill")}
    history.values.append((start, len(flash.journal), values))


def record(medium, seed, steps=40, starts=3):
    """(flash before, journal, History) of a workload with several starts."""
    workload = Workload(medium, seed)
    flash = medium.blank()
    before = flash.copy()
    history = History()
    flash.journal = []
    for _ in range(starts):
        workload.run(flash, history, steps)
        medium.stop()
    return before, flash.journal, history


def check(medium, seed, flash, history, cut):
    """Start a store on what a cut left; AssertionError if a promise is broken. What it found."""
    poor_link = seed & 1
    store, kv = medium.start(flash, poor_link)
    try:
        store.open()
        found = look(store, kv)
        judge(found, history, cut)
        _check_next_start(medium, flash, poor_link, store)
        return found
    finally:
        medium.stop()


def look(store, kv):
    """What a start sees, as a dict: got {key: payload}, boot, dropped, whole, values."""
    return {
        "got": _read_all(store),
        "boot": store.boot,
        "dropped": dict(store.dropped),
        "whole": store.corrupt == 0 and not store.state_lost and not kv.damaged,
        "values": {key: kv.get(key) for key in ("count", "fill") if kv.get(key) is not None},
    }


def judge(found, history, cut):
    """AssertionError if what was found after a cut is not what history allows."""
    returned, attempted, acked = history.known_at(cut)
    got = found["got"]
    for key in got:
        assert attempted.get(key) == got[key], "never written like this: %r" % (key,)
    lost = {0: 0, 1: 0, 2: 0}  # neither in the log nor acknowledged: must be counted as dropped
    gone = {0: 0, 1: 0, 2: 0}  # not in the log: no more can have been dropped
    for key in attempted:
        boot, stream, seq = key
        assert boot < found["boot"], "boot %d given out again" % boot
        if key not in got:
            gone[stream] += 1
            lost[stream] += key in returned and seq > acked.get((boot, stream), 0)
    for stream in lost:
        dropped = found["dropped"].get(stream, 0)
        assert lost[stream] <= dropped, "lost %d of stream %d" % (lost[stream], stream)
        assert dropped <= gone[stream], "%d dropped of %d gone" % (dropped, gone[stream])
    assert found["whole"], "damage where there is none"
    assert found["values"] in history.values_at(cut), found["values"]


def _check_next_start(medium, flash, poor_link, store):
    assert store.append(0, b"after") == 1
    store.close()
    medium.stop()
    again, _ = medium.start(flash, poor_link)
    again.open()
    assert again.boot == store.boot + 1
    again.forget_acks()
    assert _read_all(again)[(store.boot, 0, 1)] == b"after"


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
    """Yields (cut, tear, RamFlash) for every step-th place in the journal, clean and torn."""
    flash = before.copy()
    for cut in range(len(journal) + 1):
        if cut >= first and (cut - first) % step == 0:
            yield cut, 0, flash.copy()
            if cut < len(journal):
                for tear in range(1, _TEARS):
                    torn = flash.copy()
                    noise = bytes([(cut * 89 + i * 151 + 77) & 0xFF for i in range(37)])
                    torn.tear(*journal[cut], noise=noise if tear == 2 else None)
                    yield cut, tear, torn
        if cut < len(journal):
            flash.do(*journal[cut])


def check_all(medium, seed, step=1, first=0, **size):
    """Number of cuts checked of one workload. An AssertionError names seed and cut."""
    before, journal, history = record(medium, seed, **size)
    count = 0
    for cut, tear, flash in cuts(before, journal, first, step):
        try:
            check(medium, seed, flash, history, cut)
        except Exception as fault:
            said = "%s, seed %d, cut %d of %d, tear %d"
            print(said % (medium.name, seed, cut, len(journal), tear))
            raise fault
        count += 1
    return count


def check_second_cuts(medium, seed, step=97, second_step=7):
    """Cut, start again, cut that start and what follows too; returns the number of second cuts."""
    before, journal, history = record(medium, seed)
    count = 0
    for cut, tear, flash in cuts(before, journal, seed % step, step):
        first = flash.copy()
        both = history.until(cut)
        flash.journal = []
        Workload(medium, seed + 2 * cut).run(flash, both, 12)
        medium.stop()
        for second, second_tear, again in cuts(
            first, flash.journal, cut % second_step, second_step
        ):
            try:
                check(medium, seed, again, both, second)
            except Exception as fault:
                said = "%s, seed %d, cuts %d/%d, %d/%d"
                print(said % (medium.name, seed, cut, tear, second, second_tear))
                raise fault
            count += 1
    return count


def main(name, first, step, seeds):
    log.level = log.WARN + 1
    total = 0
    for seed in seeds:
        total += check_all(MEDIA[name], seed, step, first)
        total += check_second_cuts(MEDIA[name], seed)
    print("power cuts checked: %d" % total)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [int(seed) for seed in sys.argv[4:]])
