"""A board of QEMU as a machine of console.serve: it runs by itself, and stops at a prompt."""

import signal
import time

from hedgerow.emulate.pipe_line import PipeLine
from hedgerow.emulate.qemu.board import QemuBoard

_WRITE_S = 5.0
_QUIET_S = 0.3  # after which a prompt counts as waiting for input
_PROMPTS = (b"\n>>> ", b"\n>", b"\x04>")  # friendly and raw REPL
_TAIL_BYTES = 8


def open_qemu_machine(name: str) -> "QemuMachine":
    """name: of toolchain.qemu.BOARDS. Its file system is in memory: gone with the machine."""
    return QemuMachine(QemuBoard(name))


class QemuMachine:
    """Takes the board, which has booted, out of its raw REPL.

    At a prompt QEMU would poll its serial line at full speed; so it is stopped there.
    """

    def __init__(self, board: QemuBoard) -> None:
        self._board = board
        self._line: PipeLine = board.line
        self._tail = b"\n" + board.leave_raw_repl()[-_TAIL_BYTES:]
        self._heard_s = time.monotonic()

    def filenos(self) -> list[int]:
        return [self._line.fileno()]

    def step(self, received: bytes) -> tuple[bytes, float | None]:
        """As Machine.step()."""
        if received:
            self._line.signal(signal.SIGCONT)
            self._line.write(received, _WRITE_S)
            self._tail = b""
        written = self._line.read_now()
        if written:
            self._tail = (self._tail + written)[-_TAIL_BYTES:]
            self._heard_s = time.monotonic()
        return written, self._rest()

    def _rest(self) -> float | None:
        if not self._tail.endswith(_PROMPTS):
            return None
        left_s = self._heard_s + _QUIET_S - time.monotonic()
        if left_s > 0:
            return left_s
        self._line.signal(signal.SIGSTOP)
        return None

    def close(self) -> None:
        self._board.close()
