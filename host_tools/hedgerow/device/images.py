"""Firmware files: which kind, for which chip, whole or cut short.

    image = read_image(Path("firmware.uf2"))
    image.chip.mcu, image.parts     # "rp2040", ((0x10000000, b"..."),)

Nothing is written anywhere before this has passed.
"""

from dataclasses import dataclass
from pathlib import Path

from hedgerow.device.chips import Chip
from hedgerow.errors import DeviceError


@dataclass(frozen=True)
class Image:
    """A whole firmware file. kind: "esp" or "uf2".

    parts: (address, bytes) that go into the flash, ascending; an ESP image's count from the
    flash's first byte, a UF2's are those of the chip's memory map. flash_bytes: size that the
    image says the flash must have at least.
    """

    path: Path
    kind: str
    chip: Chip
    parts: tuple[tuple[int, bytes], ...]
    flash_bytes: int

    @property
    def size_bytes(self) -> int:
        return sum(len(data) for _, data in self.parts)


# Beginnings of files that are often taken for firmware, and what to do instead.
_NOT_FIRMWARE = (
    (b"\x7fELF", "an ELF file from a build: take the .bin or .uf2 beside it"),
    (b":10", "an Intel hex file: take the .bin or .uf2 of the same build"),
    (b":02", "an Intel hex file: take the .bin or .uf2 of the same build"),
    (b"PK\x03\x04", "a zip archive: unpack it and take the .bin or .uf2 in it"),
    (b"\x1f\x8b", "a gzip archive: unpack it and take the .bin or .uf2 in it"),
    (b"<", "a web page: the download went wrong, get it again"),
    (b"M\x06", "a compiled .mpy module: it is deployed to a board that has firmware"),
)


def read_image(path: Path) -> Image:
    """The firmware in a file. Raises DeviceError naming the file, the fault and the cure."""
    from hedgerow.device.esp_image import ESP_MAGIC, parse_esp
    from hedgerow.device.uf2 import UF2_MAGIC, parse_uf2

    data = _read(path)
    if data.startswith(UF2_MAGIC):
        return parse_uf2(path, data)
    if data[:1] == ESP_MAGIC:
        return parse_esp(path, data)
    raise DeviceError(f"{path}: not firmware: {_guess(data)}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeviceError(f"{path}: {error.strerror}: give a .uf2 or .bin file") from error


def _guess(data: bytes) -> str:
    if not data:
        return "the file is empty: get it again"
    for magic, what in _NOT_FIRMWARE:
        if data.startswith(magic):
            return what
    if not data.strip(b"\xff") or not data.strip(b"\x00"):
        return "nothing but blank bytes: get it again"
    return "it begins like neither UF2 nor an ESP image: expected a .uf2 (RP2) or .bin (ESP32)"
