"""Boards to test on: each is built the first time; what a machine lacks is named by the skip."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pico_port import pico_port

from hedgerow import paths
from hedgerow.emulate.targets import TARGETS, open_target
from hedgerow.toolchain import cross
from hedgerow.toolchain.sources import Tree

_ARM = cross.missing({**cross.ARM_BARE, "qemu-system-arm": "qemu-system-arm"})
_ARM += cross.missing({}, cross.ARM_BARE_LIBRARIES)
_MISSING = {
    "unix": [],
    "pico": cross.missing({**cross.NODE, **cross.ARM_PICO}, cross.ARM_PICO_LIBRARIES),
    "qemu-m3": _ARM,
    "qemu-m4": _ARM,
    "qemu-m7": _ARM,
    "qemu-rv32": cross.missing(
        {**cross.RISCV, "qemu-system-misc": "qemu-system-riscv32"}, cross.RISCV_LIBRARIES
    ),
}
_COMPILERS = {"x64": "gcc", "rv32imc": "riscv64-unknown-elf-gcc"}  # others: arm-none-eabi-gcc


@pytest.fixture(scope="session")
def need_target():
    """need_target("pico") skips, naming the Debian packages that are missing."""

    def need(name):
        if _MISSING[name]:
            pytest.skip(f"{name}: not installed: {' '.join(_MISSING[name])} (Debian packages)")

    return need


@pytest.fixture(scope="module")
def pico(need_target, tmp_path_factory):
    """The emulated Pico behind a pty, one boot a test file: a PicoPort."""
    need_target("pico")
    with pico_port(tmp_path_factory.mktemp("port")) as port:
        yield port


@pytest.fixture(scope="module", params=list(TARGETS))
def board(request, need_target):
    """Each target in turn, one boot a test file."""
    need_target(request.param)
    with open_target(request.param) as board:
        yield board


@pytest.fixture(scope="session")
def native_sums(tmp_path_factory):
    """native_sums("armv6m"): bytes of sums.mpy, the module in native/."""
    pytest.importorskip("elftools", reason="pyelftools is not installed (Python package)")
    pytest.importorskip("ar", reason="ar is not installed (Python package)")

    def build(arch):
        need_compiler(arch)
        folder = tmp_path_factory.mktemp(arch) / "native"
        shutil.copytree(Path(__file__).parent / "native", folder)
        tree = Tree(paths.build_dir() / "micropython")
        command = ["make", f"-C{folder}", f"ARCH={arch}", f"MPY_DIR={tree.src}"]
        command += [f"PYTHON={sys.executable}", f"MPY_CROSS={tree.mpy_cross}"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return (folder / "sums.mpy").read_bytes()

    return build


def need_compiler(arch):
    program = _COMPILERS.get(arch, "arm-none-eabi-gcc")
    if cross.missing({"compiler": program}):
        pytest.skip(f"{program} is not installed")
