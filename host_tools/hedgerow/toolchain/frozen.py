"""The Unix port with modules frozen into it, as into a board's firmware: their code takes no heap.

    frozen_micropython()                          # firmware/manifest.py: hedge and asyncio
    frozen_micropython(manifest, (folder, file))  # another manifest, and what it freezes besides

Cached under build/micropython/ by a hash of all sources; a change of them costs three seconds.
The program is not called micropython, so that nobody finds it who looks for a plain one.
"""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from hedgerow import paths
from hedgerow.errors import ToolchainError
from hedgerow.toolchain.build_unix import build_frozen
from hedgerow.toolchain.sources import VERSION

_KEPT = 4  # builds of other sources that stay, newest first


def frozen_micropython(manifest: Path | None = None, sources: Sequence[Path] = ()) -> Path:
    """Path of the program, built if need be. Raises ToolchainError naming what is missing.

    sources: folders and files that manifest freezes besides firmware/ and its own folder.
    """
    if not paths.in_clone():
        raise ToolchainError("freezing needs the firmware's sources: run it in a git clone")
    manifest = manifest or paths.firmware_dir() / "manifest.py"
    roots = (paths.firmware_dir(), manifest.parent, *sources)
    cache = paths.build_dir() / "micropython"
    result = cache / f"{VERSION}-hedge-{_hash(manifest, roots)}" / "micropython-hedge"
    if not result.is_file():
        build_frozen(cache, manifest, result)
        _forget_old(cache, result.parent)
    return result


def _hash(manifest: Path, roots: Sequence[Path]) -> str:
    digest = hashlib.sha256(str(manifest).encode())
    for path in sorted(set(_files(roots))):
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _files(roots: Sequence[Path]) -> Iterator[Path]:
    for root in roots:
        yield from root.rglob("*.py") if root.is_dir() else (root,)


def _forget_old(cache: Path, new: Path) -> None:
    others = [path for path in cache.glob(f"{VERSION}-hedge-*") if path != new]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
