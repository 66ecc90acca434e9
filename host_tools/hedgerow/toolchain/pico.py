"""The emulated Raspberry Pi Pico's parts: firmware, boot ROM image, emulator.

ensure_pico()    finds them in the build cache, else builds (a minute, once) and fetches
"""

import dataclasses
from pathlib import Path

from hedgerow import paths
from hedgerow.errors import UsageError
from hedgerow.toolchain import cross
from hedgerow.toolchain.npm import ensure_rp2040js

REGION_KB = range(32, 1025, 4)  # 8 sectors at least; the rest of the 1408 is for files


@dataclasses.dataclass(frozen=True)
class Pico:
    """firmware: .bin for address 0x10000000; uf2: the same to copy onto a real board."""

    firmware: Path
    uf2: Path
    boot_rom: Path
    rp2040js: Path


def ensure_pico(*, force: bool = False, region_kb: int = 0) -> Pico:
    """Paths of all parts. region_kb: of raw flash that its file system leaves alone, 0 for none.

    Raises ToolchainError naming what to install, UsageError if no region is that large.
    """
    from hedgerow.toolchain.build_pico import build_firmware, build_rom

    if region_kb and region_kb not in REGION_KB:
        sizes = f"{REGION_KB[0]} to {REGION_KB[-1]} KB, a multiple of {REGION_KB.step}"
        raise UsageError(f"a region of {region_kb} KB: give {sizes}")
    cross.need("run the emulated Pico", cross.missing(cross.NODE))
    cache = paths.build_dir() / "micropython"
    firmware = build_firmware(cache, force=force, region_kb=region_kb)
    rom = build_rom(cache, paths.emulate_dir().parent / "pico" / "rom")
    rp2040js = ensure_rp2040js(paths.build_dir() / "npm")
    return Pico(firmware, firmware.with_suffix(".uf2"), rom, rp2040js)
