"""What is frozen into the Pico's firmware: a MicroPython manifest.

With a region, MicroPython's own _boot.py gives way to that of firmware/boot/rp2.
"""

import hashlib
from pathlib import Path

from hedgerow import paths

# The stock manifest asks for modules of micropython-lib, which Debian's tarball lacks; of these a
# node needs onewire, for which there is ours (of emulate/).
_ASYNCIO = 'include("$(MPY_DIR)/extmod/asyncio")\n'
_STOCK = 'freeze("$(PORT_DIR)/modules")\n' + _ASYNCIO
_OWN_BOOT = 'freeze("$(PORT_DIR)/modules", "rp2.py")\n' + _ASYNCIO
_ONEWIRE = ("on_board/onewire.py", "unix/onewire_bus.py")
_BOOT = ("_boot.py", "hedge_region.py")
_REGION_BYTES = "_region_bytes.py"


def firmware_hash() -> str:
    """Of what every firmware has, wherever it lies: clones may share a cache."""
    return _hash(_STOCK, _onewire())


def region_hash() -> str:
    """Of what a firmware with a region has besides."""
    return _hash(_OWN_BOOT, _boot())


def write_manifest(path: Path, region_kb: int, folder: Path) -> None:
    """region_kb: 0 for none. folder: gets the module that says how large the region is."""
    modules = _onewire()
    if region_kb:
        told = folder / _REGION_BYTES
        told.write_text(f"REGION_BYTES = {region_kb * 1024}\n", encoding="utf-8")
        modules += [*_boot(), told]
    lines = [f"module({file.name!r}, base_path={str(file.parent)!r})\n" for file in modules]
    text = (_OWN_BOOT if region_kb else _STOCK) + "".join(lines)
    path.write_text(text, encoding="utf-8")


def _onewire() -> list[Path]:
    return [paths.emulate_dir().parent / name for name in _ONEWIRE]


def _boot() -> list[Path]:
    return [paths.boot_dir() / "rp2" / name for name in _BOOT]


def _hash(text: str, modules: list[Path]) -> str:
    parts = [text.encode(), *(module.read_bytes() for module in modules)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
