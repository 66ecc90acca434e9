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


TARGETS: dict[str, Callable[[], Board]] = {
    "pico": _pico,
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
