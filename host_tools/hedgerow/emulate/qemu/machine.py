"""A board of QEMU as a machine of console.serve: it runs by itself, and stops at a prompt."""

import signal
import time

from hedgerow.emulate.pipe_line import PipeLine
from hedgerow.emulate.qemu.board import QemuBoard

_WRITE_S = 5.0
_QUIET_S = 0.3  # after which a prompt counts as waiting for input
_FRIENDLY = b"\n>>> "
_PROMPTS = (_FRIENDLY, b"\n>", b"\x04>")  # the others are of the raw REPL
_TAIL_BYTES = 8
_SOFT_RESET = b"MPY: soft reboot\r\n"


def open_qemu_machine(name: str) -> "QemuMachine":
    """name: of toolchain.qemu.BOARDS. Its file system is in memory: gone with the machine."""
    return QemuMachine(QemuBoard(name))


class QemuMachine:
    """Takes the board, which has booted, out of its raw REPL.

    At a prompt QEMU would poll its serial line at full speed; so it is stopped there. At the first
    prompt after a soft reset the file system is mounted again, as a board with a disk does it.
    """

    def __init__(self, board: QemuBoard) -> None:
        self._board = board
        self._line: PipeLine = board.line
        self._tail = b"\n" + board.leave_raw_repl()[-_TAIL_BYTES:]
        self._heard_s = time.monotonic()
        self._recent = b""  # the end of what was passed on
        self._held: bytes | None = None  # output from a soft reset on, until the first prompt

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
        return self._past_reset(written), self._rest()

    def _past_reset(self, written: bytes) -> bytes:
        """What may be passed on of what the board wrote."""
        if self._held is None and _SOFT_RESET not in self._recent + written:
            self._recent = (self._recent + written)[-len(_SOFT_RESET) :]
            return written
        self._held = (self._held or b"") + written
        if not self._held.endswith(_PROMPTS):
            return b""
        self._mount_again(in_raw_repl=not self._held.endswith(_FRIENDLY))
        written, self._held, self._recent = self._held, None, b""
        return written

    def _mount_again(self, *, in_raw_repl: bool) -> None:
        if not in_raw_repl:
            self._board.enter_raw_repl()
        self._board.mount_again()
        if not in_raw_repl:
            self._board.leave_raw_repl()

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
