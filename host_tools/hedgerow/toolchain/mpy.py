"""Compiles device source to .mpy with mpy-cross, viper functions for one architecture."""

import subprocess
from pathlib import Path

from hedgerow.errors import ToolchainError
from hedgerow.toolchain.unix import find_mpy_cross


def compile_mpy(source: Path, target: Path, *, arch: str) -> None:
    """Write target. arch: as mpy-cross -march names it, e.g. "armv6m", "xtensawin".

    Raises ToolchainError: no mpy-cross (and how to get it), or what it says of the source.
    """
    command = [find_mpy_cross(), f"-march={arch}", "-o", target, source]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise ToolchainError(f"mpy-cross cannot compile {source}: {done.stderr.strip()}")
