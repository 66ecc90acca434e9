"""LLVM 22 with its Xtensa target, for the kernels of an ESP32: Debian's other compilers have none.

    build/llvm/
      apt/ downloads/          apt's private state; packages of Debian sid, 90 MB
      22/bin/clang llc llvm-mc scripts, here only when complete
      22/usr/                  unpacked, 370 MB, with a C library's headers

Packages of sid need a newer C library than a stable Debian has, so each program is started by the
loader and with the libraries beside it.
"""

import shutil
import subprocess
from pathlib import Path

from hedgerow import paths
from hedgerow.errors import ToolchainError
from hedgerow.toolchain.apt import Archive, Package
from hedgerow.toolchain.sources import unpack_package
from hedgerow.toolchain.steps import Step

_SUITE = "sid"
_LLVM = ("clang-22", "libclang-common-22-dev", "libclang-cpp22", "libllvm22", "llvm-22")
# Any version that sid has: only LLVM's own decides what the kernels become.
_LIBRARIES = (
    *("libbsd0", "libc6", "libedit2", "libffi8", "libgcc-s1", "libmd0", "libstdc++6"),
    *("libtinfo6", "libxml2-16", "libz3-4", "libzstd1", "zlib1g"),
)
_PACKAGES = (
    *(Package(name, "1:22.1.8-3", or_prefix="1:22.") for name in _LLVM),
    *(Package(name, "", or_prefix="") for name in _LIBRARIES),
    Package("picolibc-xtensa-lx106-elf", "1.8.12-1", or_prefix=""),
)
_HEADERS = "usr/lib/xtensa-lx106-elf/include"
_SCRIPT = """#!/bin/sh
top=$(dirname "$0")/..
exec "$top/{loader}" --library-path "$top/{libraries}" "$top/usr/lib/llvm-22/bin/{name}"{more} "$@"
"""
_CLANG_MORE = (
    ' -resource-dir "$top/usr/lib/llvm-22/lib/clang/22" -nostdlibinc -isystem "$top/' + _HEADERS
) + '"'
_PROGRAMS = {"clang": _CLANG_MORE, "llc": "", "llvm-mc": ""}


def folder() -> Path:
    """Of the programs clang, llc and llvm-mc, once llvm_steps() are done."""
    return paths.build_dir() / "llvm" / "22" / "bin"


def version() -> str | None:
    """First line of `clang --version`; None if it is not here."""
    if not folder().is_dir():
        return None
    done = subprocess.run([folder() / "clang", "--version"], capture_output=True, text=True)
    return done.stdout.partition("\n")[0]


def llvm_steps() -> list[Step]:
    """Fetch, unpack: a minute, once."""
    cache = paths.build_dir() / "llvm"
    complete = cache / "downloads" / "complete"
    is_here = folder().is_dir
    return [
        Step("fetch llvm", 30, lambda: is_here() or complete.is_file(), lambda _: _fetch(cache)),
        Step("unpack llvm", 15, is_here, lambda _: _unpack(cache)),
    ]


def _fetch(cache: Path) -> None:
    downloads = cache / "downloads"
    shutil.rmtree(downloads, ignore_errors=True)  # parts of another day do not fit together
    archive = Archive(cache / "apt", _SUITE)
    archive.update(packages=True)
    for package in _PACKAGES:
        archive.fetch_package(package, downloads)
    (downloads / "complete").touch()


def _unpack(cache: Path) -> None:
    part = cache / "22.part"
    shutil.rmtree(part, ignore_errors=True)
    for package in _PACKAGES:
        unpack_package(package, cache / "downloads", part, cache / "downloads" / "complete")
    _write_scripts(part)
    part.rename(cache / "22")


def _write_scripts(top: Path) -> None:
    loaders = sorted(top.glob("usr/lib/*/ld-linux*.so.*"))
    if not loaders:
        raise ToolchainError(f"{top} has no loader of programs: its libc6 is not for Linux")
    loader = loaders[0].relative_to(top)
    (top / "bin").mkdir()
    for name, more in _PROGRAMS.items():
        script = top / "bin" / name
        text = _SCRIPT.format(loader=loader, libraries=loader.parent, name=name, more=more)
        script.write_text(text, encoding="utf-8")
        script.chmod(0o755)
