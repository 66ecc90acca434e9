"""The emulated Raspberry Pi Pico's parts: firmware, boot ROM image, emulator.

ensure_pico()    finds them in the build cache, else builds (a minute, once) and fetches
"""

import dataclasses
from pathlib import Path

from hedgerow import paths
from hedgerow.toolchain import cross
from hedgerow.toolchain.npm import ensure_rp2040js


@dataclasses.dataclass(frozen=True)
class Pico:
    """firmware: .bin for address 0x10000000; uf2: the same to copy onto a real board."""

    firmware: Path
    uf2: Path
    boot_rom: Path
    rp2040js: Path


def ensure_pico(*, force: bool = False) -> Pico:
    """Paths of all parts. Raises ToolchainError naming what to install."""
    from hedgerow.toolchain.build_pico import build_firmware, build_rom

    cross.need("run the emulated Pico", cross.missing(cross.NODE))
    cache = paths.build_dir() / "micropython"
    firmware = build_firmware(cache, force=force)
    rom = build_rom(cache, paths.emulate_dir().parent / "pico" / "rom")
    rp2040js = ensure_rp2040js(paths.build_dir() / "npm")
    return Pico(firmware, firmware.with_suffix(".uf2"), rom, rp2040js)
