"""QEMU and MicroPython images for its boards, found in the build cache or built.

BOARDS["m4"] is what QEMU is told of a board; ensure_qemu("m4") its parts.
"""

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

from hedgerow import paths
from hedgerow.errors import UsageError
from hedgerow.toolchain import cross


@dataclasses.dataclass(frozen=True)
class QemuBoard:
    """One machine of QEMU. ram_bytes from ram_start: memory that the host shares with it.

    free: the part of it that the image does not use. options: of QEMU.
    """

    folder: str
    program: str
    machine: str
    native_arch: str
    ram_start: int
    ram_bytes: int
    free: tuple[int, int]
    options: tuple[str, ...] = ()


def _mps2(folder: str, machine: str, native_arch: str, psram: int) -> QemuBoard:
    size = 16 * 1024 * 1024  # the image lies in other memory, all of this is free
    return QemuBoard(
        folder, "qemu-system-arm", machine, native_arch, psram, size, (psram, psram + size)
    )


BOARDS: Mapping[str, QemuBoard] = {
    "m3": _mps2("MPS2_AN385", "mps2-an385", "armv7m", 0x21000000),
    "m4": _mps2("MPS2_AN386", "mps2-an386", "armv7emsp", 0x21000000),
    # The image takes armv7emdp too, but nothing in a module of ours needs double precision.
    "m7": _mps2("MPS2_AN500", "mps2-an500", "armv7emsp", 0x60000000),
    "rv32": QemuBoard(
        "VIRT_RV32",
        "qemu-system-riscv32",
        "virt",
        "rv32imc",
        0x80000000,
        64 * 1024 * 1024,
        (0x81000000, 0x84000000),
        ("-bios", "none"),
    ),
}


@dataclasses.dataclass(frozen=True)
class Qemu:
    """program: of QEMU; image: .elf for its -kernel."""

    program: Path
    image: Path
    board: QemuBoard


def ensure_qemu(name: str, *, force: bool = False) -> Qemu:
    """Parts of a board of BOARDS. Raises ToolchainError naming what to install."""
    from hedgerow.toolchain.build_qemu import build_board

    board = BOARDS.get(name)
    if board is None:
        raise UsageError(f"no QEMU board {name!r}: there are {', '.join(BOARDS)}")
    wanted = {package: name for package, name in cross.QEMU.items() if name == board.program}
    cross.need(f"run the QEMU board {name}", cross.missing(wanted))
    ours = paths.emulate_dir().parent / "qemu"
    image = build_board(paths.build_dir() / "micropython", ours, board.folder, force=force)
    return Qemu(Path(shutil.which(board.program) or board.program), image, board)
