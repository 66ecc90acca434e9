"""A reader of the log written from firmware/hedge/store/SPEC.md alone; imports nothing of hedge.

log = read_region(image, sector_bytes=4096)      # bytes of the flash
log = read_folder(path)
log.records[boot, stream, number] -> payload
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Key = tuple[int, int, int]  # boot, stream, number
_HEADER_BYTES = 32
_JOURNAL = 15
_FILE = re.compile(r"([0-9a-f])-([0-9a-f]{8})-([0-9a-f]{8})\.(log|old)")


@dataclass
class Log:
    """What lies there. acked() applies the marks of `state`."""

    records: dict[Key, bytes] = field(default_factory=dict)
    values: dict[str, bytes] = field(default_factory=dict)
    state: dict[int, Any] = field(default_factory=dict)
    boot: int = 0

    def is_acked(self, key: Key) -> bool:
        boot, stream, number = key
        for of, floor_boot, floor_number, above in self.state.get(1, ()):
            if of == stream:
                done = (boot, number) <= (floor_boot, floor_number)
                return done or number <= above.get(boot, 0)
        return False


def _crc(data: bytes, start: int = 0) -> int:
    return zlib.crc32(data, start)


def _items(data: bytes, stream: int, boot: int, first: int) -> Iterator[tuple[int, int, bytes]]:
    """(boot, number, payload) of the sound records."""
    seed = _crc(struct.pack("<BII", stream, boot, first))
    run, number, at, sound = seed, first, _HEADER_BYTES, _HEADER_BYTES
    while at + 7 <= len(data):
        length, low = data[at], data[at + 1]
        (told,) = struct.unpack_from("<I", data, at + 2)
        payload = data[at + 6 : at + 6 + (length or 4)]
        if length == 0 and len(payload) == 4:
            (marked,) = struct.unpack("<I", payload)
            right = told == _crc(struct.pack("<IB", marked, 0), seed)
            if right and marked > boot and low == marked % 256:
                boot, number, run = marked, 1, _crc(payload, seed)
                at = sound = at + 10
                continue
        if 1 <= length <= 192 and len(payload) == length:
            for candidate in range(number, number + (at - sound) // 7 + 1):
                head = struct.pack("<IB", candidate, length)
                if candidate % 256 == low and told == _crc(payload, _crc(head, run)):
                    yield boot, candidate, payload
                    number = candidate + 1
                    at = sound = at + 6 + length
                    break
            else:
                at += 1
            continue
        at += 1


def _header(data: bytes) -> tuple[int, int, int] | None:
    """(stream, boot, first)."""
    if len(data) < _HEADER_BYTES or struct.unpack_from("<I", data, 28)[0] != _crc(data[:28]):
        return None
    magic, version, stream, size, boot, first = struct.unpack_from("<4sBBHII", data)
    return (stream, boot, first) if (magic, version, size) == (b"HLOG", 2, 32) else None


def read_region(image: bytes, sector_bytes: int) -> Log:
    log = Log()
    found = []
    for at in range(0, len(image) // sector_bytes * sector_bytes, sector_bytes):
        sector = image[at : at + sector_bytes]
        head = _header(sector)
        if head:
            found.append((head, sector))
    found.sort()
    for (stream, boot, first), sector in found:
        if stream == _JOURNAL:
            _journal(log.values, _items(sector, stream, boot, first))
    log.state = cbor(log.values["state"]) if "state" in log.values else {}
    log.boot = struct.unpack("<I", log.values[".boot"])[0] if ".boot" in log.values else 0
    for head, sector in found:
        if head[0] != _JOURNAL:
            _take(log, head, sector)
    return log


def _journal(values: dict[str, bytes], items: Iterator[tuple[int, int, bytes]]) -> None:
    run: tuple[str, int, int] | None = None  # name, next index, next number
    parts: list[bytes] = []
    for _, number, piece in items:
        name = piece[1 : 1 + piece[0]].decode("ascii")
        index = piece[1 + piece[0]]
        if index & 0x7F == 0:
            run, parts = (name, 0, number), []
        if run != (name, index & 0x7F, number):
            run = None
            continue
        parts.append(piece[2 + piece[0] :])
        run = (name, run[1] + 1, number + 1)
        if index & 0x80:
            values[name] = b"".join(parts)
            run = None


def read_folder(folder: Path) -> Log:
    log = Log()
    if (folder / "state").exists():
        log.state = read_map(folder / "state")
    for path in sorted(folder.iterdir()):
        named = _FILE.fullmatch(path.name)
        if named:
            stream, boot, first = (int(part, 16) for part in named.groups()[:3])
            _take(log, (stream, boot, first), path.read_bytes())
        elif path.name.startswith("boot-"):
            log.boot = max(log.boot, int(path.name[5:], 16))
    return log


def read_map(path: Path) -> Any:
    data = path.read_bytes()
    magic, size, told = struct.unpack_from("<4sII", data)
    body = data[12:]
    assert (magic, size, told) == (b"HKV1", len(body), _crc(body))
    return cbor(body)


def _take(log: Log, head: tuple[int, int, int], data: bytes) -> None:
    stream, boot, first = head
    if log.state.get(5) == f"{stream:x}-{boot:08x}-{first:08x}":
        return
    for of, number, payload in _items(data, stream, boot, first):
        assert (of, stream, number) not in log.records, "one key, two records"
        log.records[of, stream, number] = payload


def cbor(data: bytes) -> Any:
    """RFC 8949: ints, strings, lists, maps and floats of definite length."""
    value, end = _cbor(data, 0)
    assert end == len(data)
    return value


def _cbor(data: bytes, at: int) -> tuple[Any, int]:
    major, more = data[at] >> 5, data[at] & 31
    at += 1
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(more, 0)
    number = int.from_bytes(data[at : at + size], "big") if size else more
    if major == 7:
        simple = {20: False, 21: True, 22: None}
        if more in simple:
            return simple[more], at
        form = {25: ">e", 26: ">f", 27: ">d"}[more]
        return struct.unpack_from(form, data, at)[0], at + size
    at += size
    if major < 2:
        return (number if major == 0 else -1 - number), at
    if major < 4:
        part = data[at : at + number]
        return (part if major == 2 else part.decode()), at + number
    items = []
    for _ in range(number * (1 if major == 4 else 2)):
        item, at = _cbor(data, at)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2], strict=True))), at
