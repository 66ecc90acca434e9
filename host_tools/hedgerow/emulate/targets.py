"""Open a board to run programs on, emulated or a process of this machine.

with open_target("pico") as board:
    board.put("kernels.mpy", mpy)
    address = board.blob(model)
    print(board.exec("import kernels; print(kernels.run(%d))" % address))
"""

from collections.abc import Callable

from hedgerow.emulate.board import Board
from hedgerow.errors import UsageError


def _pico() -> Board:
    from hedgerow.emulate.pico.board import PicoBoard

    return PicoBoard()


def _unix() -> Board:
    from hedgerow.emulate.unix_board import UnixBoard

    return UnixBoard()


def _qemu(name: str) -> Callable[[], Board]:
    def opened() -> Board:
        from hedgerow.emulate.qemu.board import QemuBoard

        return QemuBoard(name)

    return opened


TARGETS: dict[str, Callable[[], Board]] = {
    "unix": _unix,
    "pico": _pico,
    "qemu-m3": _qemu("m3"),
    "qemu-m4": _qemu("m4"),
    "qemu-m7": _qemu("m7"),
    "qemu-rv32": _qemu("rv32"),
}


def open_target(name: str) -> Board:
    """A booted board, at the raw REPL; a context manager.

    Builds what it needs the first time (a minute). Raises UsageError for an unknown name,
    ToolchainError naming what is missing, DeviceError if it does not start.
    """
    opener = TARGETS.get(name)
    if opener is None:
        raise UsageError(f"no target {name!r}: there are {', '.join(TARGETS)}")
    return opener()
