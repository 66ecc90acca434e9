"""The C compiler and make: are they there, and run them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from hedgerow.errors import ToolchainError

# Program that must be on PATH -> Debian package.
_PROGRAMS = {"gcc": "gcc", "make": "make", "pkg-config": "pkg-config"}
_TRIAL = "#include <ffi.h>\nint main(void) { return ffi_type_void.size == 0; }\n"
# Variables of a make that called us would change what the inner make does.
_MAKE_VARIABLES = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "GNUMAKEFLAGS")


def missing() -> list[str]:
    """Debian packages that a build needs and the machine lacks; libffi is tried by compiling."""
    lacking = [package for name, package in _PROGRAMS.items() if not shutil.which(name)]
    if not shutil.which("pkg-config") or not _has_libffi():
        lacking.append("libffi-dev")
    elif "gcc" not in lacking and not _compiles():
        lacking.append("libc6-dev")
    return lacking


def check(also: list[str]) -> None:
    """Raises ToolchainError naming every missing package at once. also: found by others."""
    lacking = missing() + also
    if lacking:
        raise ToolchainError(
            f"cannot build MicroPython, missing: {' '.join(lacking)}; "
            "install with `apt-get install gcc make pkg-config libc6-dev libffi-dev`, "
            "or set MICROPYTHON=/path/to/micropython (1.25 or newer)"
        )


def make(arguments: list[str], log: Path, on_lines: Callable[[int], None]) -> None:
    """Run make; on_lines gets the number of lines it has printed. Raises ToolchainError."""
    env = {key: value for key, value in os.environ.items() if key not in _MAKE_VARIABLES}
    env["LC_ALL"] = "C"
    # The source lies inside our clone: git would describe that, not MicroPython.
    env["GIT_DIR"] = str(log.with_name("no-git"))
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            ["make", *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            _follow(process, out, on_lines)
        finally:
            if process.poll() is None:  # interrupted: stop make before the lock is freed
                process.terminate()
                process.wait()
    if process.returncode:
        raise ToolchainError(_failure(log))


def _follow(process: subprocess.Popen[str], out: TextIO, on_lines: Callable[[int], None]) -> None:
    assert process.stdout is not None
    for count, line in enumerate(process.stdout, start=1):
        out.write(line)
        on_lines(count)
    process.wait()


def _failure(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if "error" in line.lower()] or lines
    said = "\n  ".join(errors[:5])
    return (
        f"make failed, see {log}; if the compiler is at fault, "
        f"set MICROPYTHON=/path/to/micropython (1.25 or newer)\n  {said}"
    )


def _has_libffi() -> bool:
    return (
        subprocess.run(["pkg-config", "--exists", "libffi"], capture_output=True).returncode == 0
    )


def _compiles() -> bool:
    """Compile and link a program with the C library and libffi."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "trial.c")
        source.write_text(_TRIAL, encoding="utf-8")
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "libffi"], capture_output=True, text=True
        ).stdout.split()
        command = ["gcc", str(source), "-o", str(source.with_suffix("")), *flags]
        return subprocess.run(command, capture_output=True).returncode == 0
