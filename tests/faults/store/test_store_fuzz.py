"""Mutated bytes before each reader of the log: no crash, no hang, no record that nobody wrote.

2,000 mutations in `make test`, 10^6 in `make soak`; HEDGE_FUZZ sets another number for the latter.
"""

import contextlib
import io
import os
import random
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

_TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_TESTS / "unit")]

from ram_flash import RamFlash  # noqa: E402

from hedge.core import log as hedge_log  # noqa: E402
from hedge.core.errors import StoreError  # noqa: E402
from hedge.store import KV, Store  # noqa: E402
from hedge.store import segment as seg  # noqa: E402
from hedge.store.kv import read_map  # noqa: E402
from hedge.store.region import Region  # noqa: E402

_SOAK = int(os.environ.get("HEDGE_FUZZ", "1000000"))
_BLOCKS, _BLOCK_BYTES, _PAGE_BYTES = 12, 512, 64
_MOST_READS = 5000  # of a 6 KB region: more is a hang in the making


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(hedge_log, "level", hedge_log.WARN + 1)


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Bits, bytes, runs, swaps and lengths changed; sometimes with a CRC that fits again."""
    out = bytearray(data)
    for _ in range(dice.randrange(1, 5)):
        at, kind = dice.randrange(len(out)), dice.randrange(6)
        if kind == 0:
            out[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            out[at] = dice.choice((0, 1, 7, 15, 127, 192, 193, 255))
        elif kind == 2:
            out[at : at + dice.randrange(40)] = dice.randbytes(dice.randrange(40))
        elif kind == 3:
            start = dice.randrange(len(out))
            out[at : at + 30] = out[start : start + 30]
        elif kind == 4:
            out = out[:at] + bytes((0, 255)[dice.randrange(2)] for _ in range(len(out) - at))
        elif at + 32 <= len(out):  # a header that checks, of another place and time
            fields = [dice.choice((0, 1, 2, 9, 2**32 - 1)) for _ in range(5)]
            head = struct.pack("<4sBBH5I", b"HLOG", 2, dice.choice((0, 1, 15)), 32, *fields)
            out[at : at + 32] = head + struct.pack("<I", zlib.crc32(head))
        if not out:
            out = bytearray(1)
    return bytes(out[: len(data)].ljust(len(data), b"\xff"))


def _segment() -> tuple[seg.Segment, bytes, set[tuple[int, int, bytes]]]:
    segment = seg.Segment(1, 3, 5)
    data, written = seg.header(segment), set()
    for boot, first, last in ((3, 5, 9), (4, 1, 3), (9, 1, 8)):
        data += seg.mark(segment, boot) if boot != 3 else b""
        for seq in range(first, last + 1):
            payload = b"%d/%d" % (boot, seq) * (seq % 4 + 1)
            data += seg.record(segment, boot, seq, payload)
            written.add((boot, seq, payload))
    return segment, data, written


class CountedReads(io.BytesIO):
    """A file that counts read()."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


def fuzz_scan(dice: random.Random, _: Path) -> None:
    segment, data, written = _segment()
    file = CountedReads(mutated(data, dice))
    scan = seg.Scan(file, segment)
    got = []
    while (payload := scan.next()) is not None:
        got.append((scan.boot, scan.seq, payload))
    assert got == sorted(set(got)), "twice, or out of order"
    assert set(got) <= written
    assert file.reads < 4 * len(data)


def fuzz_header(dice: random.Random, _: Path) -> None:
    _, data, _ = _segment()
    found = seg.parse_header(mutated(data[: seg.HEADER_BYTES], dice))
    assert found is None or (found[0].boot and found[0].first)


def fuzz_map(dice: random.Random, folder: Path) -> None:
    path = folder / "fuzz.kv"
    if not hasattr(fuzz_map, "data"):
        kv = KV(str(path))
        for key, value in (("a", [1, None, 2.5, {"x": b"y" * 40}]), ("b" * 20, -(2**40))):
            kv.set(key, value)
        kv.save()
        fuzz_map.data = path.read_bytes()
    data = mutated(fuzz_map.data, dice)
    if dice.randrange(2):  # past the CRC: the body itself is nonsense
        data = struct.pack("<4sII", b"HKV1", len(data) - 12, zlib.crc32(data[12:])) + data[12:]
    path.write_bytes(data)
    with contextlib.suppress(StoreError):
        assert isinstance(read_map(str(path)), dict)


class CountedFlash(RamFlash):
    """Counts reads."""

    reads = 0

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        self.reads += 1
        super().readblocks(block, buf, offset)


def _region() -> tuple[list[bytes], dict[tuple[int, int, int], bytes]]:
    flash, written = RamFlash(_BLOCKS, _BLOCK_BYTES), {}
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
    return flash.blocks, written


_REGION = _region()


def fuzz_region(dice: random.Random, _: Path) -> None:
    blocks, written = _REGION
    image = mutated(b"".join(blocks), dice)
    parts = [image[at : at + _BLOCK_BYTES] for at in range(0, len(image), _BLOCK_BYTES)]
    flash = CountedFlash(parts)
    for _ in range(2):
        try:
            region = Region(flash, _PAGE_BYTES)
            store, kv = Store(region), KV("kv", volume=region)
            store.open()
        except StoreError:
            return  # one clear error, and the flash as it was
        _read(store, written)
        assert kv.get("start") in (None, 0, 1, 2)
        with contextlib.suppress(StoreError):
            store.append(0, b"goes on")
    assert flash.reads < _MOST_READS


def _read(store: Store, written: dict[tuple[int, int, int], bytes]) -> None:
    store.forget_acks()
    reader, seen = store.reader(), set()
    while batch := reader.next(200):
        for i, payload in enumerate(batch.records):
            key = (batch.boot, batch.stream, batch.seq + i)
            assert key not in seen, "read twice"
            assert written.get(key, payload) == payload or payload == b"goes on"
            seen.add(key)


def fuzz_folder(dice: random.Random, folder: Path) -> None:
    path = folder / f"log{dice.randrange(10**9)}"
    store, written = Store(str(path), 4096, 512), {}
    store.open()
    for i in range(30):
        written[store.boot, i % 2, store.append(i % 2, b"%d" % i * 4)] = b"%d" % i * 4
    store.close()
    names = sorted(path.iterdir())
    for victim in dice.sample(names, 2):
        if data := victim.read_bytes():
            victim.write_bytes(mutated(data, dice))
    again = Store(str(path), 4096, 512)
    again.open()
    assert again.boot > store.boot
    _read(again, written)
    assert again.append(0, b"goes on") == 1
    for victim in path.iterdir():
        victim.unlink()
    path.rmdir()


# How many of 1,000 mutations go to each; the last two start whole stores.
FUZZERS: dict[Callable[[random.Random, Path], None], int] = {
    fuzz_scan: 450,
    fuzz_header: 200,
    fuzz_map: 250,
    fuzz_region: 80,
    fuzz_folder: 20,
}


def _run(fuzzer: Callable[[random.Random, Path], None], count: int, folder: Path) -> None:
    for number in range(count):
        try:
            fuzzer(random.Random(number), folder)
        except Exception as error:
            raise AssertionError(f"{fuzzer.__name__} with seed {number}: {error!r}") from error


@pytest.mark.parametrize("fuzzer", FUZZERS, ids=lambda fuzzer: fuzzer.__name__)
def test_some(fuzzer, tmp_path):
    _run(fuzzer, 2 * FUZZERS[fuzzer], tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("fuzzer", FUZZERS, ids=lambda fuzzer: fuzzer.__name__)
def test_a_million(fuzzer, tmp_path):
    _run(fuzzer, _SOAK // 1000 * FUZZERS[fuzzer], tmp_path)
