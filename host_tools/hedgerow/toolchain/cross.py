"""Compilers and programs for other processors: are they there, and what to install if not."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hedgerow.errors import ToolchainError

# Debian package -> program it brings.
ARM_BARE = {"gcc-arm-none-eabi": "arm-none-eabi-gcc", "make": "make"}
ARM_PICO = {**ARM_BARE, "cmake": "cmake", "g++": "g++"}  # cmake looks for g++
RISCV = {"gcc-riscv64-unknown-elf": "riscv64-unknown-elf-gcc", "make": "make"}
NODE = {"nodejs": "node", "npm": "npm"}
QEMU = {"qemu-system-arm": "qemu-system-arm", "qemu-system-misc": "qemu-system-riscv32"}

# Debian package -> compiler, and a file of the package that it must find.
ARM_BARE_LIBRARIES = {"libnewlib-arm-none-eabi": ("arm-none-eabi-gcc", "nosys.specs")}
ARM_PICO_LIBRARIES = {
    **ARM_BARE_LIBRARIES,
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
