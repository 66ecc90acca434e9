"""Find MicroPython's Unix port."""

import os
import shutil
from pathlib import Path

from hedgerow import paths
from hedgerow.errors import ToolchainError


def find_micropython() -> Path:
    """$MICROPYTHON, then the build cache, then PATH. Raises ToolchainError if there is none."""
    named = os.environ.get("MICROPYTHON")
    if named:
        return Path(named)
    cached = sorted((paths.build_dir() / "micropython").glob("*/micropython"))
    if cached:
        return cached[-1]
    on_path = shutil.which("micropython")
    if on_path:
        return Path(on_path)
    raise ToolchainError("no MicroPython found; run `hedgerow toolchain unix`")
