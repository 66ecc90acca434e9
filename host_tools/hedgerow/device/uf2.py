"""UF2 files: 512-byte blocks, each with an address, a number and the chip's family id.

Source: the UF2 specification (github.com/microsoft/uf2), boot/uf2.h of pico-sdk 2.1.1.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hedgerow.device.chips import UF2_ABSOLUTE, by_family, family_name
from hedgerow.device.images import Image
from hedgerow.errors import DeviceError

UF2_MAGIC = struct.pack("<II", 0x0A324655, 0x9E5D5157)
_END_MAGIC = 0x0AB16F30
_BLOCK_BYTES = 512
_MAX_PAYLOAD_BYTES = 476
_NOT_MAIN_FLASH = 0x1
_FAMILY_PRESENT = 0x2000
FLASH_BASE, FLASH_END = 0x10000000, 0x11000000  # XIP window of RP2040, and first of RP2350


@dataclass(frozen=True)
class Block:
    """One block; number counts from 0 to count - 1 within its family."""

    address: int
    number: int
    count: int
    family: int
    payload: bytes


def parse_uf2(path: Path, data: bytes) -> Image:
    """The image in a UF2 file. Raises DeviceError if it is cut short, damaged, or of no known
    chip."""
    blocks = [block for block in _blocks(path, data) if block.family != UF2_ABSOLUTE]
    families = sorted({block.family for block in blocks})
    if len(families) != 1:
        names = ", ".join(f"{family:#010x} ({family_name(family)})" for family in families)
        raise DeviceError(f"{path}: blocks of {names or 'no family'}: expected those of one chip")
    chip = by_family(families[0])
    if chip is None:
        what = f"family {families[0]:#010x} ({family_name(families[0])})"
        raise DeviceError(f"{path}: {what}: expected a UF2 for RP2040 or RP2350")
    _check_whole(path, blocks)
    parts = tuple(_joined(path, sorted(blocks, key=lambda block: block.address)))
    for address, piece in parts:
        if not FLASH_BASE <= address <= FLASH_END - len(piece):
            raise DeviceError(f"{path}: goes to {address:#x}, which is not flash: a RAM image?")
    return Image(path, "uf2", chip, parts, parts[-1][0] + len(parts[-1][1]) - FLASH_BASE)


def _blocks(path: Path, data: bytes) -> Iterator[Block]:
    if len(data) % _BLOCK_BYTES:
        raise DeviceError(
            f"{path}: {len(data)} bytes are no whole number of 512-byte blocks: "
            "it is cut short, get it again"
        )
    for at in range(0, len(data), _BLOCK_BYTES):
        head = struct.unpack_from("<IIIIIIII", data, at)
        (end,) = struct.unpack_from("<I", data, at + _BLOCK_BYTES - 4)
        magic_0, magic_1, flags, address, size, number, count, family = head
        good = struct.pack("<II", magic_0, magic_1) == UF2_MAGIC and end == _END_MAGIC
        if not good or not 0 < size <= _MAX_PAYLOAD_BYTES or number >= count:
            raise DeviceError(f"{path}: block {at // _BLOCK_BYTES} is damaged: get it again")
        if not flags & _NOT_MAIN_FLASH:
            known = family if flags & _FAMILY_PRESENT else 0
            yield Block(address, number, count, known, data[at + 32 : at + 32 + size])


def _check_whole(path: Path, blocks: list[Block]) -> None:
    count = blocks[0].count
    present = {block.number for block in blocks}
    if len(present) < count or any(block.count != count for block in blocks):
        missing = next((n for n in range(count) if n not in present), count)
        raise DeviceError(
            f"{path}: {len(present)} of {count} blocks, block {missing} is missing: "
            "it is cut short, get it again"
        )


def _joined(path: Path, blocks: list[Block]) -> Iterator[tuple[int, bytes]]:
    """Neighbours in one piece. blocks: by ascending address."""
    start = end = blocks[0].address
    pieces: list[bytes] = []
    for block in blocks:
        if block.address < end:
            raise DeviceError(f"{path}: two blocks go to {block.address:#x}: get it again")
        if block.address > end:
            yield start, b"".join(pieces)
            start, pieces = block.address, []
        pieces.append(block.payload)
        end = block.address + len(block.payload)
    yield start, b"".join(pieces)
