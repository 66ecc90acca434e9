"""Compilers and programs for other processors: are they there, and what to install if not."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hedgerow.errors import ToolchainError

# Debian package -> program it brings.
ARM = {
    "gcc-arm-none-eabi": "arm-none-eabi-gcc",
    "cmake": "cmake",
    "g++": "g++",  # cmake looks for it
    "make": "make",
}
RISCV = {"gcc-riscv64-unknown-elf": "riscv64-unknown-elf-gcc", "make": "make"}
NODE = {"nodejs": "node", "npm": "npm"}
QEMU_ARM = {"qemu-system-arm": "qemu-system-arm"}
QEMU_RISCV = {"qemu-system-misc": "qemu-system-riscv32"}

# Debian package -> compiler and a file of its library that the compiler must find.
ARM_LIBRARIES = {
    "libnewlib-arm-none-eabi": ("arm-none-eabi-gcc", "nosys.specs"),
    "libstdc++-arm-none-eabi-newlib": ("arm-none-eabi-gcc", "libstdc++.a"),
}
RISCV_LIBRARIES = {
    "picolibc-riscv64-unknown-elf": ("riscv64-unknown-elf-gcc", "picolibc.specs"),
}


def missing(
    programs: Mapping[str, str], libraries: Mapping[str, tuple[str, str]] | None = None
) -> list[str]:
    """Debian packages of what is not there."""
    lacking = [package for package, name in programs.items() if not shutil.which(name)]
    for package, (compiler, name) in (libraries or {}).items():
        if not shutil.which(compiler) or not _finds(compiler, name):
            lacking.append(package)
    return lacking


def need(purpose: str, packages: Sequence[str]) -> None:
    """Raises ToolchainError naming the packages, if there are any."""
    if packages:
        names = " ".join(packages)
        raise ToolchainError(f"cannot {purpose}, missing: {names}: `apt-get install {names}`")


def run(command: Sequence[str | Path], purpose: str, log: Path) -> None:
    """Run a compiler, its output in log. Raises ToolchainError with the first lines said."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    log.write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        said = "\n  ".join(done.stdout.strip().splitlines()[-5:])
        raise ToolchainError(f"cannot {purpose}, see {log}\n  {said}")


def _finds(compiler: str, name: str) -> bool:
    command = [compiler, f"-print-file-name={name}"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return found != name and Path(found).is_file()
