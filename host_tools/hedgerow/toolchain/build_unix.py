"""Build MicroPython's Unix port and mpy-cross from Debian's source packages.

    build/micropython/
      lock                  one builder at a time
      apt/ downloads/       apt's private state; source packages
      1.25.0/src/           unpacked, with mbedTLS in lib/mbedtls
      1.25.0/micropython    the results: here only when complete
      1.25.0/mpy-cross
      1.25.0/make-*.log
      1.25.0-hedge-<hash>/micropython-hedge    with hedge frozen in: frozen.py

Every step leaves a result that appears by rename, so a build that was cut off goes on at the
first step whose result is missing. Debian's own patches are not needed.
"""

import contextlib
import fcntl
import os
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from hedgerow.errors import ToolchainError
from hedgerow.toolchain import compiler
from hedgerow.toolchain.apt import Archive, Source, missing_tools
from hedgerow.toolchain.progress import Progress

VERSION = "1.25.0"
_SUITE = "trixie"
_MICROPYTHON = Source("micropython", "1.25.0+ds-1", or_prefix="1.25.0+ds")
_MBEDTLS = Source("mbedtls", "3.6.6-0.1~deb13u1", or_prefix="3.6.")
# Debian's tarball has no submodules; the frozen modules of the stock manifest are one of them.
_MANIFEST = 'include("$(MPY_DIR)/extmod/asyncio")\n'

# Steps, with what they took in seconds on 2 cores: the weights of the progress bar.
_WEIGHTS = {"fetch": 8, "unpack": 4, "mpy-cross": 8, "unix port": 18}
# Lines that make prints, counted in a build from nothing.
_MAKE_LINES = {"mpy-cross": 156, "unix port": 341}


def build(cache: Path, *, force: bool = False) -> tuple[Path, Path]:
    """Paths of micropython and mpy-cross, built as far as needed. force: from the sources on.

    Blocks for half a minute, or while another process builds. Raises ToolchainError.
    """
    folder = cache / VERSION
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "lock"):
            if force:
                _discard(folder)
            _run_steps(cache, folder, folder / "micropython", _make_unix)
    except OSError as error:
        raise _cannot_write(cache, error) from error
    return folder / "micropython", folder / "mpy-cross"


def build_frozen(cache: Path, manifest: Path, result: Path) -> None:
    """Make `result`, a Unix port with the modules of manifest frozen in, if it is not there.

    40 s the first time; its object files are kept apart from those of build(), so later ones take
    three. Raises ToolchainError.
    """

    def make(folder: Path, bar: Progress) -> None:
        _make_frozen(folder, bar, manifest, result)

    folder = cache / VERSION
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "lock"):
            _run_steps(cache, folder, result, make)
    except OSError as error:
        raise _cannot_write(cache, error) from error


def _cannot_write(cache: Path, error: OSError) -> ToolchainError:
    return ToolchainError(
        f"cannot build MicroPython in {cache}: {error}: make the folder writable with 1 GB "
        "free, or set MICROPYTHON=/path/to/micropython (1.25 or newer)"
    )


def _run_steps(
    cache: Path, folder: Path, result: Path, make: Callable[[Path, Progress], None]
) -> None:
    """Run the steps whose result is missing; make() is the last and gives `result`."""
    src = folder / "src"
    done_when = {
        "fetch": lambda: src.is_dir() or _fetched(cache),
        "unpack": src.is_dir,
        "mpy-cross": (folder / "mpy-cross").is_file,
        "unix port": result.is_file,
    }
    steps: dict[str, Callable[[Progress], None]] = {
        "fetch": lambda _: _fetch(cache),
        "unpack": lambda _: _unpack(cache / "downloads", src),
        "mpy-cross": lambda bar: _make_mpy_cross(folder, bar),
        "unix port": lambda bar: make(folder, bar),
    }
    if all(is_done() for is_done in done_when.values()):
        return
    compiler.check(missing_tools() if not done_when["fetch"]() else [])
    with Progress(f"MicroPython {VERSION}", _WEIGHTS) as bar:
        for name, step in steps.items():
            with bar.step(name):
                if not done_when[name]():
                    step(bar)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder / "src", ignore_errors=True)
    for name in ("micropython", "mpy-cross"):
        (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file; the kernel frees it when the process dies."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another process that builds MicroPython", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetched(cache: Path) -> bool:
    return (cache / "downloads" / "complete").is_file()


def _fetch(cache: Path) -> None:
    archive = Archive(cache / "apt", _SUITE)
    archive.update()
    for source in (_MICROPYTHON, _MBEDTLS):
        archive.fetch(source, cache / "downloads")
    (cache / "downloads" / "complete").touch()


def _unpack(downloads: Path, src: Path) -> None:
    """Build the source tree beside src, then rename it: a half-unpacked tree is never used."""
    part = src.with_name("src.part")
    shutil.rmtree(part, ignore_errors=True)
    _untar(_MICROPYTHON, downloads, part)
    shutil.rmtree(part / "lib" / "mbedtls", ignore_errors=True)
    _untar(_MBEDTLS, downloads, part / "lib" / "mbedtls")
    lib = part / "lib" / "micropython-lib"
    lib.mkdir(parents=True, exist_ok=True)
    (lib / "README.md").touch()  # the build only checks that it exists
    (part / "manifest.py").write_text(_MANIFEST, encoding="utf-8")
    part.rename(src)


def _untar(source: Source, downloads: Path, into: Path) -> None:
    """Unpack an upstream tarball without its top folder."""
    tarballs = source.upstream_tarballs(downloads)
    if not tarballs:
        (downloads / "complete").unlink(missing_ok=True)
        raise ToolchainError(f"{downloads} has no tarball of {source.name}: run it again")
    beside = into.with_name(into.name + ".tar")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with tarfile.open(tarballs[-1]) as tar:
            # Python before 3.11.4 has no filters; apt has checked the tarball's signature.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            tar.extractall(beside)
    except (tarfile.TarError, EOFError) as error:
        (downloads / "complete").unlink(missing_ok=True)
        raise ToolchainError(f"{tarballs[-1]} is damaged ({error}): run it again") from error
    (top,) = beside.iterdir()
    into.parent.mkdir(parents=True, exist_ok=True)
    top.rename(into)
    beside.rmdir()


def _make_mpy_cross(folder: Path, bar: Progress) -> None:
    src = folder / "src"
    _make(folder, bar, "mpy-cross", [f"-C{src / 'mpy-cross'}"])
    _publish(src / "mpy-cross" / "build" / "mpy-cross", folder / "mpy-cross")


def _make_unix(folder: Path, bar: Progress) -> None:
    src = folder / "src"
    options = [f"FROZEN_MANIFEST={src / 'manifest.py'}", "MICROPY_PY_BTREE=0"]
    _make(folder, bar, "unix port", [f"-C{src / 'ports' / 'unix'}", *options])
    _publish(src / "ports" / "unix" / "build-standard" / "micropython", folder / "micropython")


def _make_frozen(folder: Path, bar: Progress, manifest: Path, result: Path) -> None:
    port = folder / "src" / "ports" / "unix"
    options = [f"-C{port}", "BUILD=build-frozen", f"FROZEN_MANIFEST={manifest}"]
    # viper code needs to know the processor; mpy-cross is the one that build() made.
    options += ["MICROPY_PY_BTREE=0", "MPY_CROSS_FLAGS=-march=host"]
    options += [f"MICROPY_MPYCROSS={folder / 'mpy-cross'}"]
    # makemanifest.py looks at the age of modules only: it would overlook another manifest.
    (port / "build-frozen" / "frozen_content.c").unlink(missing_ok=True)
    _make(folder, bar, "unix port", options)
    result.parent.mkdir(exist_ok=True)
    _publish(port / "build-frozen" / "micropython", result)


def _make(folder: Path, bar: Progress, name: str, options: list[str]) -> None:
    log = folder / f"make-{name.replace(' ', '-')}.log"
    expected = _MAKE_LINES[name]
    common = [f"-j{os.cpu_count() or 1}", f"PYTHON={sys.executable}", "CFLAGS_EXTRA=-Wno-error"]
    compiler.make([*options, *common], log, lambda lines: bar.fraction(lines / expected))


def _publish(program: Path, to: Path) -> None:
    part = to.with_name(to.name + ".part")
    shutil.copy2(program, part)
    part.rename(to)
