"""The kernels of firmware/kernels as native .mpy: prebuilt ones, else compiled here.

    native_module("armv6m")    Path of the .mpy; quick where a prebuilt one fits the sources
    build_prebuilt()           compile all anew into firmware/kernels/prebuilt

build/natmod/1.25.0-<hash of the sources>/hedge_infer_armv6m.mpy    compiled ones
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hedgerow import paths
from hedgerow.errors import ToolchainError
from hedgerow.toolchain import compiler, cross, llvm
from hedgerow.toolchain.apt import missing_tools
from hedgerow.toolchain.progress import Progress
from hedgerow.toolchain.sources import VERSION, Tree, publish
from hedgerow.toolchain.steps import Step, building_in, run_steps

_LLVM = "clang"  # not the one on PATH: toolchain/llvm.py fetches it
# Architecture as MicroPython names it -> (compiler, Debian package).
_ARM = ("arm-none-eabi-gcc", "gcc-arm-none-eabi")
_COMPILERS = {
    "x64": ("gcc", "gcc"),
    "armv6m": _ARM,
    "armv7m": _ARM,
    "armv7emsp": _ARM,
    "rv32imc": ("riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf"),
    "xtensawin": (_LLVM, ""),
}
# A processor that loads the module of a lesser one (py/persistentcode.h MPY_FEATURE_ARCH_TEST).
_LOADS = {"armv7em": "armv7m", "armv7emdp": "armv7emsp"}
# Those that the project compiles and ships.
PREBUILT = ("x64", "armv6m", "armv7m", "armv7emsp", "rv32imc", "xtensawin")
ARCHES = (*_COMPILERS, *_LOADS)
_PREBUILT_INDEX = "prebuilt.json"  # {"sources": hash, "compilers": {program: first line}}
_NOT_SOURCES = ("README.md", "prebuilt")
_MAKE_LINES = 60  # of the largest


def native_module(arch: str, *, small: bool = False, force: bool = False) -> Path:
    """Path of the .mpy of an architecture. small: the ops of MLPerf Tiny only; force: compile.

    Blocks for some seconds if it must compile. Raises ToolchainError: no such architecture, or
    what to install.
    """
    arch = _LOADS.get(arch, arch)
    if arch not in _COMPILERS:
        raise ToolchainError(f"no kernels for {arch!r}; there are {', '.join(ARCHES)}")
    name = _file_name(arch, small)
    prebuilt = paths.kernels_dir() / "prebuilt" / name
    if not force and prebuilt.is_file() and prebuilt_index()["sources"] == source_hash():
        return prebuilt
    folder = paths.build_dir() / "natmod" / f"{VERSION}-{source_hash()}"
    result = folder / name
    if force:
        result.unlink(missing_ok=True)
    if not result.is_file():
        _build(arch, small, result)
    return result


def build_prebuilt() -> list[Path]:
    """Compile all that travel with the project; their paths. Raises ToolchainError."""
    folder = paths.kernels_dir() / "prebuilt"
    folder.mkdir(exist_ok=True)
    results = []
    for arch in PREBUILT:
        for small in (False, True):
            result = folder / _file_name(arch, small)
            publish(native_module(arch, small=small, force=True), result)
            results.append(result)
    index = {"sources": source_hash(), "compilers": compilers()}
    text = json.dumps(index, indent=2) + "\n"
    (folder / _PREBUILT_INDEX).write_text(text, encoding="utf-8")
    return results


def prebuilt_index() -> dict[str, object]:
    """What the prebuilt modules were made of and by."""
    path = paths.kernels_dir() / "prebuilt" / _PREBUILT_INDEX
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {"sources": None, "compilers": {}}


def compiler_of(arch: str) -> str:
    """Name of the program that compiles for an architecture."""
    return _COMPILERS[arch][0]


def compilers() -> dict[str, str]:
    """Version lines of the compilers that are here; other versions make other bytes."""
    programs = {program for program, _ in _COMPILERS.values()} - {_LLVM}
    found = {program: _version(program) for program in programs if shutil.which(program)}
    if llvm_version := llvm.version():
        found[_LLVM] = llvm_version
    return dict(sorted(found.items()))


def source_hash() -> str:
    """Of what the modules are made of."""
    digest = hashlib.sha256(VERSION.encode())
    for path in _sources():
        name = str(path.relative_to(paths.kernels_dir()))
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _sources() -> Iterator[Path]:
    top = paths.kernels_dir()
    for path in sorted(top.rglob("*")):
        if path.is_file() and path.relative_to(top).parts[0] not in _NOT_SOURCES:
            yield path


def _file_name(arch: str, small: bool) -> str:
    return f"hedge_infer_{arch}{'_small' if small else ''}.mpy"


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True)
    return done.stdout.splitlines()[0] if done.stdout else ""


def _build(arch: str, small: bool, result: Path) -> None:
    cache = paths.build_dir() / "micropython"
    tree = Tree(cache)

    def make(bar: Progress) -> None:
        _make(tree, arch, small, result, bar)

    with building_in(cache):
        result.parent.mkdir(parents=True, exist_ok=True)
        tree.folder.mkdir(parents=True, exist_ok=True)
        steps = [*tree.steps(), *(llvm.llvm_steps() if arch == "xtensawin" else [])]
        steps.append(Step("kernels", 6, result.is_file, make))
        run_steps(f"kernels for {arch}", steps, lambda: _check(tree, arch))


def _check(tree: Tree, arch: str) -> None:
    program, package = _COMPILERS[arch]
    host = compiler.missing() + missing_tools() if not tree.mpy_cross.is_file() else []
    host += missing_tools() if program == _LLVM else []
    needed = {package: program, "make": "make"} if package else {"make": "make"}
    lacking = cross.missing(needed)
    cross.need(f"compile kernels for {arch}", list(dict.fromkeys(host + lacking)))
    modules = [name for name in ("elftools", "ar") if not importlib.util.find_spec(name)]
    if modules:
        raise ToolchainError(
            f"cannot link kernels for {arch}, Python modules are missing: {', '.join(modules)}: "
            "`pip install hedgerow[native]`"
        )


def _make(tree: Tree, arch: str, small: bool, result: Path, bar: Progress) -> None:
    """In a copy of the sources: make leaves files beside them, and paths would get into them."""
    work = result.with_suffix(".build")
    shutil.rmtree(work, ignore_errors=True)
    for path in _sources():
        target = work / path.relative_to(paths.kernels_dir())
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    options = [f"-C{work}", f"ARCH={arch}", f"MPY_DIR={tree.src}", f"PYTHON={sys.executable}"]
    options += [f"-j{os.cpu_count() or 1}", *(["SMALL=1"] if small else [])]
    options += [f"LLVM={llvm.folder()}/"] if arch == "xtensawin" else []
    log = result.with_suffix(".log")
    compiler.make(options, log, lambda lines: bar.fraction(lines / _MAKE_LINES))
    publish(work / "hedge_infer.mpy", result)
    shutil.rmtree(work)
