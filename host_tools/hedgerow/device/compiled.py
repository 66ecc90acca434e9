"""Sources compiled for a board, each once: a cache in the build folder, by content."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hedgerow import paths
from hedgerow.errors import DeviceError, ToolchainError
from hedgerow.toolchain.mpy import NATIVE_ARCHS, compile_mpy

MPY_VERSION = 6  # of mpy-cross 1.23 and later


def arch_of(mpy: int) -> str | None:
    """Name for -march of what a board loads (its sys.implementation._mpy); None: send sources.

    Raises DeviceError for an architecture that is not known.
    """
    if mpy & 0xFF != MPY_VERSION:
        return None
    number = mpy >> 10 & 0x3F
    if number >= len(NATIVE_ARCHS):
        raise DeviceError(f"the board loads .mpy of an unknown architecture ({number})")
    return None if number == 0 else NATIVE_ARCHS[number]


def compiled(files: Mapping[str, Path], arch: str | None) -> dict[str, bytes]:
    """Path on the board -> bytes: .py become .mpy, where the board loads them.

    Raises DeviceError for a file that cannot be read, with mpy-cross's words if it is its fault.
    """
    found = {}
    for name, path in files.items():
        try:
            if arch is None or path.suffix != ".py":
                found[name] = path.read_bytes()
            else:
                found[name.removesuffix(".py") + ".mpy"] = _mpy(path, name, arch)
        except OSError as error:
            raise DeviceError(f"{path}: cannot be read: {error.strerror}") from error
    return found


def _mpy(source: Path, name: str, arch: str) -> bytes:
    key = hashlib.sha256(name.encode() + b"\0" + source.read_bytes()).hexdigest()[:24]
    cached = paths.build_dir() / "mpy" / arch / f"{key}.mpy"
    if not cached.is_file():
        cached.parent.mkdir(parents=True, exist_ok=True)
        _compile_to(cached, source, name, arch)
    return cached.read_bytes()


def _compile_to(cached: Path, source: Path, name: str, arch: str) -> None:
    handle, part = tempfile.mkstemp(dir=cached.parent, suffix=".part")
    os.close(handle)
    try:
        compile_mpy(source, Path(part), arch=arch, name=name)
        os.replace(part, cached)
    except ToolchainError:
        os.unlink(part)
        raise
