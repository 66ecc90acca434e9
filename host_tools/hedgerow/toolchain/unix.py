"""Find MicroPython's Unix port and its compiler mpy-cross; build them only if asked to.

    find_micropython()    quick; $MICROPYTHON, then PATH, then the cache; never builds
    find_mpy_cross()      quick; $MPY_CROSS, beside the found micropython, PATH, the cache
    ensure_micropython()  find, else build

A named or found program is run once (2 ms) to read its version: hedge needs 1.25 or newer.
"""

import dataclasses
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from hedgerow import paths
from hedgerow.errors import ToolchainError

MIN_VERSION = (1, 25)
_MPY_VERSION = 6  # the .mpy format that 1.25 loads; mpy-cross must emit it
_PROBE = "import sys, asyncio; print(sys.implementation.name, *sys.implementation.version[:3])"
_PROBE_TIMEOUT_S = 30
_CURE = (
    "run `hedgerow toolchain unix` to build it, "
    "or set MICROPYTHON=/path/to/micropython (1.25 or newer)"
)


@dataclasses.dataclass(frozen=True)
class Unix:
    """A usable Unix port. origin: "$MICROPYTHON", "PATH", "cache" or "built"."""

    micropython: Path
    mpy_cross: Path | None
    version: str
    origin: str


class _Unusable(Exception):
    """Why a candidate is not taken, as the end of a sentence."""


def find_micropython() -> Path:
    """Path of the Unix port. Raises ToolchainError if there is none or $MICROPYTHON is no good."""
    return find_unix().micropython


def find_unix(cache: Path | None = None) -> Unix:
    """As find_micropython(), with version and origin. cache: default build/micropython."""
    named = os.environ.get("MICROPYTHON")
    if named:
        return _named(Path(named))
    rejected = []
    for path, origin in _candidates(cache):
        try:
            return Unix(path, _mpy_cross_for(path, cache), _version(path), origin)
        except _Unusable as reason:
            rejected.append(f"{path} {reason}")
    seen = f" ({'; '.join(rejected)})" if rejected else ""
    raise ToolchainError(f"no MicroPython 1.25 or newer found{seen}: {_CURE}")


def find_mpy_cross(cache: Path | None = None) -> Path:
    """Path of mpy-cross. Raises ToolchainError if there is none that emits .mpy version 6."""
    named = os.environ.get("MPY_CROSS")
    if named:
        if not _emits_mpy(Path(named)):
            raise ToolchainError(f"MPY_CROSS={named} is not an mpy-cross for .mpy version 6")
        return Path(named)
    found = _mpy_cross_for(find_unix(cache).micropython, cache)
    if found is None:
        raise ToolchainError(
            "no mpy-cross found: run `hedgerow toolchain unix --force` to build it, "
            "or set MPY_CROSS=/path/to/mpy-cross"
        )
    return found


def ensure_micropython(cache: Path | None = None, *, force: bool = False) -> Unix:
    """Find the Unix port, else build it (half a minute, once); force builds it in any case.

    Raises ToolchainError naming what to install or set. A bad $MICROPYTHON is an error, not a
    reason to build.
    """
    from hedgerow.toolchain.build_unix import build

    cache = cache or _cache_dir()
    if not force:
        try:
            return find_unix(cache)
        except ToolchainError:
            if os.environ.get("MICROPYTHON"):
                raise
    micropython, mpy_cross = build(cache, force=force)
    return Unix(micropython, mpy_cross, _version(micropython), "built")


def _cache_dir() -> Path:
    return paths.build_dir() / "micropython"


def _named(path: Path) -> Unix:
    try:
        return Unix(path, _mpy_cross_for(path, None), _version(path), "$MICROPYTHON")
    except _Unusable as reason:
        raise ToolchainError(
            f"MICROPYTHON={path} {reason}: set it to a Unix port of 1.25 or newer, or unset it"
        ) from reason


def _candidates(cache: Path | None) -> Iterator[tuple[Path, str]]:
    on_path = shutil.which("micropython")
    if on_path:
        yield Path(on_path), "PATH"
    built = (cache or _cache_dir()).glob("*/micropython")
    for path in sorted(built, key=_folder_version, reverse=True):
        yield path, "cache"


def _folder_version(program: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", program.parent.name)]


def _version(path: Path) -> str:
    """Run it and read "1.25.0". Raises _Unusable."""
    if not path.is_file():
        raise _Unusable("is not a file")
    env = {key: value for key, value in os.environ.items() if key != "MICROPYPATH"}
    try:
        done = subprocess.run(
            [path, "-c", _PROBE], env=env, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S
        )
    except (OSError, UnicodeDecodeError) as error:
        raise _Unusable(f"does not run ({error})") from error
    except subprocess.TimeoutExpired as error:
        raise _Unusable(f"gave no answer within {_PROBE_TIMEOUT_S} s") from error
    words = done.stdout.split()
    if done.returncode or not words:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise _Unusable(f"does not run our probe ({' '.join(last) or done.returncode})")
    return _checked_version(words)


def _checked_version(words: list[str]) -> str:
    if words[0] != "micropython" or not all(word.isdigit() for word in words[1:]):
        raise _Unusable(f"is not MicroPython ({' '.join(words)[:40]})")
    if tuple(int(word) for word in words[1:]) < MIN_VERSION:
        raise _Unusable(f"is version {'.'.join(words[1:])}, older than 1.25")
    return ".".join(words[1:])


def _mpy_cross_for(micropython: Path, cache: Path | None) -> Path | None:
    """An mpy-cross that fits: $MPY_CROSS, beside it, on PATH, in the cache."""
    named = os.environ.get("MPY_CROSS")
    on_path = shutil.which("mpy-cross")
    choices = [Path(named)] if named else []
    choices.append(micropython.resolve().parent / "mpy-cross")
    choices += [Path(on_path)] if on_path else []
    choices += sorted((cache or _cache_dir()).glob("*/mpy-cross"), reverse=True)
    return next((path for path in choices if _emits_mpy(path)), None)


def _emits_mpy(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return False  # not a program of this machine: the next choice is tried
    return f"mpy v{_MPY_VERSION}." in done.stdout
