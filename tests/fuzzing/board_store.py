"""Each reader of the log: no crash, no hang, no record that nobody wrote."""

import io
import random
import struct
from binascii import crc32

import mutate
import store_folder
from ram_flash import RamFlash
from trial import Reader

from hedge.core.errors import StoreError
from hedge.store import KV, Store
from hedge.store import segment as seg
from hedge.store.kv import read_map
from hedge.store.region import Region

_BLOCKS, _BLOCK_BYTES, _PAGE_BYTES = 12, 512, 64
_MOST_READS = 5000  # of a 6 KB region: more is a hang in the making
_FIELDS = (0, 1, 2, 9, 2**32 - 1)


def _header():
    """A header that checks, of another place and time: what to splice in."""
    fields = [_FIELDS[random.getrandbits(8) % 5] for _ in range(5)]
    kinds = (0, 1, 15)[random.getrandbits(8) % 3]
    head = struct.pack("<4sBBHIIIII", b"HLOG", 2, kinds, 32, *fields)
    return head + struct.pack("<I", crc32(head))


def _same_size(data, size):
    """Flash has the size it has."""
    return data[:size] + b"\xff" * (size - len(data))


def _with_header(data):
    at = random.getrandbits(16) % (len(data) + 1)
    return data[:at] + _header() + data[at + 32 :]


def _segment():
    segment = seg.Segment(1, 3, 5)
    data, written = seg.header(segment), set()
    for boot, first, last in ((3, 5, 9), (4, 1, 3), (9, 1, 8)):
        data += seg.mark(segment, boot) if boot != 3 else b""
        for seq in range(first, last + 1):
            payload = b"%d/%d" % (boot, seq) * (seq % 4 + 1)
            data += seg.record(segment, boot, seq, payload)
            written.add((boot, seq, payload))
    return segment, data, written


class _CountedReads:
    """A file that counts read(); MicroPython's BytesIO has no subclasses."""

    def __init__(self, data):
        self._file = io.BytesIO(data)
        self.reads = 0

    def read(self, *size):
        self.reads += 1
        return self._file.read(*size)

    def seek(self, *place):
        return self._file.seek(*place)


def _scan():
    segment, whole, written = _segment()

    def read(data):
        file = _CountedReads(data)
        scan = seg.Scan(file, segment)
        got = []
        payload = scan.next()
        while payload is not None:
            got.append((scan.boot, scan.seq, bytes(payload)))
            payload = scan.next()
        assert got == sorted(set(got)), "twice, or out of order"
        assert not set(got) - written
        assert file.reads < 4 * (len(data) + len(whole))
        return None if len(got) == len(written) else "some lost"

    return Reader(read, [whole], seal=_with_header)


def _head():
    whole = _segment()[1][: seg.HEADER_BYTES]

    def read(data):
        found = seg.parse_header(_same_size(data, seg.HEADER_BYTES))
        if found is None:
            return "no header"
        assert found[0].boot and found[0].first
        return None

    return Reader(read, [whole, _header()], seal=lambda data: _header())


def _map():
    folder = store_folder.fresh("fuzz")
    path = folder + "/fuzz.kv"
    kv = KV(path)
    for key, value in (("a", [1, None, 2.5, {"x": b"y" * 40}]), ("b" * 20, -(2**40))):
        kv.set(key, value)
    kv.save()
    whole = store_folder.contents(path)

    def sealed(data):
        """Past the CRC: the body itself is nonsense."""
        body = data[12:]
        return struct.pack("<4sII", b"HKV1", len(body), crc32(body)) + body

    def read(data):
        with open(path, "wb") as file:
            file.write(data)
        assert isinstance(read_map(path), dict)

    close = lambda: store_folder.clear(folder)  # noqa: E731
    return Reader(read, [whole], (StoreError,), seal=sealed, close=close)


class _CountedFlash(RamFlash):
    """Counts reads."""

    reads = 0

    def readblocks(self, block, buf, offset=0):
        self.reads += 1
        RamFlash.readblocks(self, block, buf, offset)


def _filled(flash):
    """Three starts' records; {(boot, stream, seq): payload}."""
    written = {}
    for start in range(3):
        region = Region(flash, _PAGE_BYTES)
        store, kv = Store(region), KV("kv", volume=region)
        store.open()
        for i in range(25):
            payload = b"%d/%d" % (start, i) * (i % 5 + 1)
            written[store.boot, i % 3, store.append(i % 3, payload)] = payload
        kv.set("start", start)
        kv.save()
        store.ack(store.boot, 0, 4)
    return written


def _region():
    flash = RamFlash(_BLOCKS, _BLOCK_BYTES)
    written = _filled(flash)
    whole = b"".join(flash.blocks)

    def read(data):
        image = _same_size(data, len(whole))
        flash = _CountedFlash(
            [image[at : at + _BLOCK_BYTES] for at in range(0, len(image), _BLOCK_BYTES)]
        )
        for _ in range(2):
            region = Region(flash, _PAGE_BYTES)
            store, kv = Store(region), KV("kv", volume=region)
            store.open()
            _read_all(store, written)
            assert kv.get("start") in (None, 0, 1, 2)
            try:
                store.append(0, b"goes on")
            except StoreError:
                return "full"
        assert flash.reads < _MOST_READS
        return None

    return Reader(read, [whole], (StoreError,), seal=_with_header, deaf=True)


def _read_all(store, written):
    store.forget_acks()
    reader, seen = store.reader(), set()
    batch = reader.next(200)
    while batch:
        for i, payload in enumerate(batch.records):
            key = (batch.boot, batch.stream, batch.seq + i)
            assert key not in seen, "read twice"
            assert payload in (written.get(key, payload), b"goes on")
            seen.add(key)
        batch = reader.next(200)


def _folder():
    """Two files of a log of files are mutants; the seed only says that there is one."""

    def read(data):
        path = store_folder.fresh("fuzz")
        store, written = Store(path, 4096, 512), {}
        store.open()
        for i in range(30):
            written[store.boot, i % 2, store.append(i % 2, b"%d" % i * 4)] = b"%d" % i * 4
        store.close()
        names = store_folder.names(path, "")
        for _ in range(2):
            name = path + "/" + names[random.getrandbits(8) % len(names)]
            found = store_folder.contents(name)
            if found:
                with open(name, "wb") as file:
                    file.write(mutate.mutated([found, data]))
        again = Store(path, 4096, 512)
        again.open()
        assert again.boot > store.boot
        _read_all(again, written)
        assert again.append(0, b"goes on") == 1
        again.close()
        store_folder.clear(path)

    return Reader(read, [_segment()[1]], deaf=True)


READERS = {
    "store segment": _scan,
    "store header": _head,
    "store map": _map,
    "store region": _region,
    "store folder": _folder,
}
