"""MicroPython's .bin for the ESP32 family: boot loader, partition table and app in one file.

The file's first byte goes to the chip's boot offset (0x1000 or 0), the partition table to 0x8000.
Source: Espressif, "Firmware Image Format" (esptool documentation), "Partition Tables" (ESP-IDF),
esp_app_desc.h; MicroPython 1.25 ports/esp32/makeimg.py.
"""

import hashlib
import struct
from dataclasses import dataclass
from functools import reduce
from operator import xor
from pathlib import Path

from hedgerow.device.chips import by_esp_id
from hedgerow.device.images import Image
from hedgerow.errors import DeviceError

ESP_MAGIC = b"\xe9"
_HEADER_BYTES = 24
_CHECKSUM_SEED = 0xEF
_HASH_BYTES = 32
_APP_DESCRIPTION = struct.pack("<I", 0xABCD5432)  # first bytes of an app's first segment
_TABLE_ADDRESS = 0x8000
_TABLE_BYTES = 0xC00
_ENTRY = struct.Struct("<HBBII16sI")
_ENTRY_MAGIC = 0x50AA
_TYPE_APP = 0
_MAX_SEGMENTS = 16


@dataclass(frozen=True)
class _Part:
    """A boot loader or app image within the file."""

    esp_id: int
    flash_bytes: int
    is_app: bool


def parse_esp(path: Path, data: bytes) -> Image:
    """The image in a .bin. Raises DeviceError if it is cut short, damaged or not whole."""
    boot = _part(path, data, 0, "boot loader")
    chip = by_esp_id(boot.esp_id)
    if chip is None or chip.boot_offset is None:
        raise DeviceError(f"{path}: for an ESP chip with id {boot.esp_id}, which is not supported")
    if boot.is_app:
        raise DeviceError(
            f"{path}: an app alone, without boot loader and partition table "
            "(an update over the air): take the .bin of the whole firmware"
        )
    apps, table_end = _partitions(path, data, _TABLE_ADDRESS - chip.boot_offset)
    for address in apps:
        app = _part(path, data, address - chip.boot_offset, f"app at {address:#x}")
        if app.esp_id != boot.esp_id:
            other = by_esp_id(app.esp_id)
            name = other.name if other else f"chip id {app.esp_id}"
            raise DeviceError(f"{path}: boot loader for {chip.name}, app for {name}: get it again")
    needed = max(boot.flash_bytes, table_end, chip.boot_offset + len(data))
    return Image(path, "esp", chip, ((chip.boot_offset, data),), needed)


def _part(path: Path, data: bytes, at: int, what: str) -> _Part:
    """Walk one image's segments up to its checksum and hash."""
    if data[at : at + 1] != ESP_MAGIC:
        raise _cut(path, data, at, what)
    if len(data) < at + _HEADER_BYTES:
        raise _cut(path, data, at + _HEADER_BYTES, what)
    segments, size_code = data[at + 1], data[at + 3] >> 4
    (esp_id,) = struct.unpack_from("<H", data, at + 12)
    if not 0 < segments <= _MAX_SEGMENTS:
        raise DeviceError(f"{path}: {what} of {segments} segments is damaged: get it again")
    end = at + _HEADER_BYTES
    total = _CHECKSUM_SEED
    for _ in range(segments):
        end, total = _segment(path, data, end, total, what)
    checksum_at = end | 15  # the last byte of the 16 that hold the segments' end
    hashed = data[at + 23] == 1
    last = checksum_at + 1 + (_HASH_BYTES if hashed else 0)
    if len(data) < last:
        raise _cut(path, data, last, what)
    if data[checksum_at] != total:
        raise DeviceError(f"{path}: {what} has a wrong checksum: it is damaged, get it again")
    if hashed and hashlib.sha256(data[at : checksum_at + 1]).digest() != data[last - 32 : last]:
        raise DeviceError(f"{path}: {what} has a wrong SHA-256: it is damaged, get it again")
    is_app = data[at + 32 : at + 36] == _APP_DESCRIPTION
    return _Part(esp_id, 1 << (20 + size_code), is_app)


def _segment(path: Path, data: bytes, at: int, total: int, what: str) -> tuple[int, int]:
    """End of the segment at `at`, and the checksum so far."""
    if len(data) < at + 8:
        raise _cut(path, data, at + 8, what)
    (size,) = struct.unpack_from("<I", data, at + 4)
    end = at + 8 + size
    if len(data) < end:
        raise _cut(path, data, end, what)
    return end, reduce(xor, data[at + 8 : end], total)


def _cut(path: Path, data: bytes, needed: int, what: str) -> DeviceError:
    if len(data) < needed:
        fault = f"{len(data)} bytes, its {what} reaches to {needed} at least"
        return DeviceError(f"{path}: {fault}: it is cut short, get it again")
    return DeviceError(f"{path}: no {what} where one should begin: it is damaged, get it again")


def _partitions(path: Path, data: bytes, at: int) -> tuple[list[int], int]:
    """Addresses of the app partitions that the file fills, and where the last partition ends."""
    if len(data) < at + _ENTRY.size:
        raise _cut(path, data, at + _ENTRY.size, "partition table")
    apps, end = [], 0
    for entry in range(at, min(at + _TABLE_BYTES, len(data) - _ENTRY.size), _ENTRY.size):
        magic, kind, _, start, size, _, _ = _ENTRY.unpack_from(data, entry)
        if magic != _ENTRY_MAGIC:
            break
        end = max(end, start + size)
        if kind == _TYPE_APP:
            apps.append(start)
    if not apps:
        where = f"no app in a partition table at byte {at}"
        raise DeviceError(f"{path}: {where}: take the .bin of the whole firmware")
    return apps[:1], end  # further apps are slots for updates, blank in a new firmware
