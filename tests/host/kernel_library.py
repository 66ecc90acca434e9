"""The native kernels as a shared library on the host: firmware/kernels, `make host`.

lib = Library(build(folder))
out = lib.infer(hgm, x, level=AVX2)
"""

import ctypes
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np

from hedgerow import paths

SCALAR, SSE41, AVX2, VNNI = range(1, 5)  # enum hg_level of arch/x64/levels.h
LEVELS = {"scalar": SCALAR, "sse41": SSE41, "avx2": AVX2, "vnni": VNNI}

_HEADER = struct.Struct("<4sHHIIIHHIIfIIfbbBBII")


def build(folder: Path, *flags: str, arch: str = "x64") -> Path:
    """Compile a copy of the sources in folder; flags as SANITIZE=1. The shared library's path."""
    shutil.copytree(paths.firmware_dir() / "kernels", folder, dirs_exist_ok=True)
    command = ["make", "-s", "-C", str(folder), "host", f"ARCH={arch}", *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "libhedge_infer.so"


class Library:
    """Runs whole files; what it gives to the kernels is exactly as large as the format says."""

    def __init__(self, path: Path) -> None:
        self._lib = ctypes.CDLL(str(path))
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        self._malloc, self._free = libc.malloc, libc.free

    @property
    def level(self) -> int:
        """What this processor can do."""
        return int(self._lib.hg_level()) if hasattr(self._lib, "hg_level") else SCALAR

    def infer(self, hgm: bytes, x: np.ndarray, level: int, rows: int = 0) -> np.ndarray:
        """Output bytes as int8. rows: output rows a call, 0: all in one call."""
        fields = _HEADER.unpack_from(hgm)
        first, arena_bytes, count, resets = fields[2], *fields[5:8]
        data, arena = self._take(len(hgm)), self._take(arena_bytes)
        try:
            ctypes.memmove(data, hgm, len(hgm))
            ctypes.memset(arena, 0x55, arena_bytes)
            first = self._run(data, arena, [first, 0, resets, 0], level)
            ctypes.memmove(arena.value + fields[8], x.tobytes(), fields[9])
            self._run(data, arena, [first, 0, count, rows], level)
            output = ctypes.string_at(arena.value + fields[11], fields[12])
        finally:
            self._free(data)
            self._free(arena)
        return np.frombuffer(output, dtype=np.int8)

    def _take(self, size: int) -> ctypes.c_void_p:
        return ctypes.c_void_p(self._malloc(ctypes.c_size_t(size)))

    def _run(
        self, data: ctypes.c_void_p, arena: ctypes.c_void_p, state: list[int], level: int
    ) -> int:
        """Until all records are done; returns where the next record starts."""
        cursor = (ctypes.c_int32 * 4)(*state)
        while cursor[2]:
            if hasattr(self._lib, "hg_run_level"):
                missing = self._lib.hg_run_level(data, arena, cursor, level)
            else:
                missing = self._lib.hg_run(data, arena, cursor)
            assert missing == 0, f"opcode {missing} is not in the library"
        return int(cursor[0])
