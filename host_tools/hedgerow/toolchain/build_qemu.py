"""Build MicroPython for boards of QEMU, with the board folders of emulate/qemu.

build/micropython/1.25.0/qemu-<hash>/MPS2_AN385.elf    the hash is that of our board files
"""

import hashlib
import shutil
from pathlib import Path

from hedgerow.toolchain import compiler, cross
from hedgerow.toolchain.apt import missing_tools
from hedgerow.toolchain.progress import Progress
from hedgerow.toolchain.sources import VERSION, Tree, publish
from hedgerow.toolchain.steps import Step, building_in, run_steps

_MAKE_LINES = 286  # that make prints, counted in a build from nothing
_RISCV_BOARDS = ("VIRT_RV32",)


def build_board(cache: Path, ours: Path, board: str, *, force: bool = False) -> Path:
    """Path of the .elf image of a folder of `ours`/boards, built if need be.

    Blocks for 15 s. Raises ToolchainError naming every missing Debian package.
    """
    tree = Tree(cache)
    folder = tree.folder / f"qemu-{_hash(ours)}"
    result = folder / f"{board}.elf"

    def make(bar: Progress) -> None:
        _make(tree, ours, board, result, bar)

    with building_in(cache):
        if force:
            result.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        steps = [*tree.steps(), Step("firmware", 15, result.is_file, make)]
        run_steps(f"MicroPython {VERSION} for {board}", steps, lambda: _check(tree, board))
    return result


def _hash(ours: Path) -> str:
    digest = hashlib.sha256()
    for top in ("boards", "modules"):
        for path in sorted((ours / top).rglob("*.*")):
            digest.update(str(path.relative_to(ours)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _check(tree: Tree, board: str) -> None:
    host = compiler.missing() + missing_tools() if not tree.mpy_cross.is_file() else []
    if board in _RISCV_BOARDS:
        lacking = cross.missing(cross.RISCV, cross.RISCV_LIBRARIES)
    else:
        lacking = cross.missing(cross.ARM_BARE, cross.ARM_BARE_LIBRARIES)
    cross.need(f"build MicroPython for {board}", list(dict.fromkeys(host + lacking)))


def _make(tree: Tree, ours: Path, board: str, result: Path, bar: Progress) -> None:
    build = result.with_suffix(".build")
    shutil.rmtree(build, ignore_errors=True)  # make looks at the age of files only
    options = [
        f"-C{tree.src / 'ports' / 'qemu'}",
        f"BOARD={board}",
        f"BOARD_DIR={ours / 'boards' / board}",
        f"BUILD={build}",
        f"USER_C_MODULES={ours / 'modules'}",
        f"FROZEN_MANIFEST={tree.src / 'manifest.py'}",
        f"MICROPY_MPYCROSS={tree.mpy_cross}",
    ]
    tree.make(bar, f"qemu-{board}", options, _MAKE_LINES)
    publish(build / "firmware.elf", result)
    shutil.rmtree(build)
