"""MicroPython's source tree from Debian's packages, and mpy-cross built in it.

    build/micropython/
      lock                  one builder at a time
      apt/ downloads/       apt's private state; packages
      1.25.0/src/           unpacked, with mbedTLS in lib/mbedtls
      1.25.0/mpy-cross      here only when complete
      1.25.0/make-*.log

Every step leaves a result that appears by rename, so a build that was cut off goes on at the
first step whose result is missing. Debian's own patches are not needed.
"""

import dataclasses
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from hedgerow.errors import ToolchainError
from hedgerow.toolchain import compiler
from hedgerow.toolchain.apt import Archive, Package, Source
from hedgerow.toolchain.progress import Progress
from hedgerow.toolchain.steps import Step

VERSION = "1.25.0"
_SUITE = "trixie"
_MICROPYTHON = Source("micropython", "1.25.0+ds-1", or_prefix="1.25.0+ds")
_MBEDTLS = Source("mbedtls", "3.6.6-0.1~deb13u1", or_prefix="3.6.")
# Debian's tarball has no submodules; the frozen modules of the stock manifest are one of them.
_MANIFEST = 'include("$(MPY_DIR)/extmod/asyncio")\n'
_MPY_CROSS_LINES = 156  # that make prints, counted in a build from nothing


@dataclasses.dataclass(frozen=True)
class Library:
    """What a board needs besides. subfolder: of the package; into: places under src/."""

    package: Source | Package
    subfolder: str
    into: tuple[str, ...]


class Tree:
    """The tree in cache/1.25.0, and where a build puts its results."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.folder = cache / VERSION
        self.src = self.folder / "src"
        self.mpy_cross = self.folder / "mpy-cross"
        self._downloads = cache / "downloads"

    def steps(self) -> list[Step]:
        """Fetch, unpack, mpy-cross: what every port starts from."""
        has_src = self.src.is_dir
        complete = self._downloads / "complete"
        return [
            Step("fetch", 8, lambda: has_src() or complete.is_file(), lambda _: self._fetch()),
            Step("unpack", 4, has_src, lambda _: self._unpack()),
            Step("mpy-cross", 8, self.mpy_cross.is_file, self._make_mpy_cross),
        ]

    def library_steps(self, name: str, libraries: Sequence[Library]) -> list[Step]:
        """Fetch the libraries of a port and put them under src/. name: of the whole of them."""
        complete = self._downloads / f"complete-{name}"

        def is_unpacked() -> bool:
            return all((self.src / place).is_dir() for each in libraries for place in each.into)

        def unpack(_: Progress) -> None:
            for library in libraries:
                self._place(library, complete)

        return [
            Step(
                f"fetch {name}",
                8,
                lambda: is_unpacked() or complete.is_file(),
                lambda _: self._fetch_all([each.package for each in libraries], complete),
            ),
            Step(f"unpack {name}", 2, is_unpacked, unpack),
        ]

    def make(self, bar: Progress, name: str, options: list[str], lines: int) -> None:
        """Run make with our Python on all cores. lines: that it prints in a whole build."""
        log = self.folder / f"make-{name.replace(' ', '-')}.log"
        common = [
            f"-j{os.cpu_count() or 1}",
            f"PYTHON={sys.executable}",
            "CFLAGS_EXTRA=-Wno-error",
        ]
        compiler.make([*options, *common], log, lambda count: bar.fraction(count / lines))

    def _fetch(self) -> None:
        self._fetch_all([_MICROPYTHON, _MBEDTLS], self._downloads / "complete")

    def _fetch_all(self, packages: Sequence[Source | Package], complete: Path) -> None:
        archive = Archive(self.cache / "apt", _SUITE)
        archive.update(packages=any(isinstance(each, Package) for each in packages))
        for package in packages:
            if isinstance(package, Package):
                archive.fetch_package(package, self._downloads)
            else:
                archive.fetch(package, self._downloads)
        complete.touch()

    def _unpack(self) -> None:
        """Build the tree beside src, then rename it: a half-unpacked tree is never used."""
        part = self.src.with_name("src.part")
        complete = self._downloads / "complete"
        shutil.rmtree(part, ignore_errors=True)
        _untar(_MICROPYTHON, self._downloads, part, complete)
        shutil.rmtree(part / "lib" / "mbedtls", ignore_errors=True)
        _untar(_MBEDTLS, self._downloads, part / "lib" / "mbedtls", complete)
        lib = part / "lib" / "micropython-lib"
        lib.mkdir(parents=True, exist_ok=True)
        (lib / "README.md").touch()  # the build only checks that it exists
        (part / "manifest.py").write_text(_MANIFEST, encoding="utf-8")
        part.rename(self.src)

    def _place(self, library: Library, complete: Path) -> None:
        beside = self.folder / "library.part"
        shutil.rmtree(beside, ignore_errors=True)
        if isinstance(library.package, Package):
            unpack_package(library.package, self._downloads, beside, complete)
        else:
            _untar(library.package, self._downloads, beside, complete)
        for place in library.into:
            part = self.folder / "place.part"
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(beside / library.subfolder, part, symlinks=True)
            shutil.rmtree(self.src / place, ignore_errors=True)  # the tarball's empty folder
            (self.src / place).parent.mkdir(parents=True, exist_ok=True)
            part.rename(self.src / place)
        shutil.rmtree(beside)

    def _make_mpy_cross(self, bar: Progress) -> None:
        self.make(bar, "mpy-cross", [f"-C{self.src / 'mpy-cross'}"], _MPY_CROSS_LINES)
        publish(self.src / "mpy-cross" / "build" / "mpy-cross", self.mpy_cross)


def publish(program: Path, to: Path) -> None:
    """Copy a result to its place, where it appears whole."""
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(to.name + ".part")
    shutil.copy2(program, part)
    part.rename(to)


def _untar(source: Source, downloads: Path, into: Path, complete: Path) -> None:
    """Unpack an upstream tarball without its top folder. complete: marks the download."""
    tarballs = source.upstream_tarballs(downloads)
    if not tarballs:
        complete.unlink(missing_ok=True)
        raise ToolchainError(f"{downloads} has no tarball of {source.name}: run it again")
    beside = into.with_name(into.name + ".tar")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with tarfile.open(tarballs[-1]) as tar:
            # Python before 3.11.4 has no filters; apt has checked the tarball's signature.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            tar.extractall(beside)
    except (tarfile.TarError, EOFError) as error:
        complete.unlink(missing_ok=True)
        raise ToolchainError(f"{tarballs[-1]} is damaged ({error}): run it again") from error
    (top,) = beside.iterdir()
    into.parent.mkdir(parents=True, exist_ok=True)
    top.rename(into)
    beside.rmdir()


def unpack_package(package: Package, downloads: Path, into: Path, complete: Path) -> None:
    """Unpack a binary package over what is in `into`. complete: marks the download.

    Raises ToolchainError, and the mark goes, if the file is missing or damaged.
    """
    files = package.files(downloads)
    command = ["dpkg-deb", "-x", str(files[-1]) if files else package.name, str(into)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        complete.unlink(missing_ok=True)
        raise ToolchainError(
            f"cannot unpack {package.name} ({done.stderr.strip()[:200]}): run it again"
        )
