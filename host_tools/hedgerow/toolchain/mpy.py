"""Compiles device source to .mpy with mpy-cross, viper functions for one architecture."""

import subprocess
from pathlib import Path

from hedgerow.errors import ToolchainError
from hedgerow.toolchain.unix import find_mpy_cross

# By MP_NATIVE_ARCH_* of py/persistentcode.h, which sys.implementation._mpy carries from bit 10 on.
NATIVE_ARCHS = (
    *("none", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc", "rv64imc"),
)


def compile_mpy(source: Path, target: Path, *, arch: str, name: str | None = None) -> None:
    """Write target. arch: as mpy-cross -march names it, e.g. "armv6m", "xtensawin".

    name: what tracebacks call the source; default: its path here.

    Raises ToolchainError: no mpy-cross (and how to get it), or what it says of the source.
    """
    command = [find_mpy_cross(), f"-march={arch}", "-s", name or source, "-o", target, source]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise ToolchainError(f"mpy-cross cannot compile {source}: {done.stderr.strip()}")
