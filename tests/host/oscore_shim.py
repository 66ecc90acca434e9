"""MicroPython's `cryptolib` and `micropython` for tests that run OSCORE under CPython."""

import sys
from pathlib import Path

_SHIM = str(Path(__file__).parent.parent / "shim" / "cpython")
if _SHIM not in sys.path:
    sys.path.append(_SHIM)

import micropython  # noqa: E402, F401  adds the MicroPython names of time and asyncio
