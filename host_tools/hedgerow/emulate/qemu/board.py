"""A board of QEMU as a board: serial line on pipes, its memory a file that we map."""

import contextlib
import mmap
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hedgerow.emulate.board import EmulatedBoard, Region, on_board_source
from hedgerow.emulate.pipe_line import PipeLine
from hedgerow.toolchain.qemu import Qemu, ensure_qemu

_BOOT_TIMEOUT_S = 60.0
_PROMPT = b">>> "
_DISK_BYTES = 2 * 1024 * 1024  # of the free memory's end: the file system
_INSTRUCTION_NS_BITS = 8  # modules/ticks/ticks.c counts on it


class QemuBoard(EmulatedBoard):
    """name: a key of toolchain.qemu.BOARDS. While no program runs the emulator stands still.

    Raises ToolchainError if a part is missing, DeviceError if it does not start.
    """

    cycles_expr = "time.ticks_cpu()"
    cycles_unit = "instruction"
    cycles_wrap = 2**30

    def __init__(self, name: str) -> None:
        parts = ensure_qemu(name)
        self.name = f"qemu-{name}"
        self.native_arch = parts.board.native_arch
        start, end = parts.board.free
        self._ram_start = parts.board.ram_start
        with contextlib.ExitStack() as cleanup:
            folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="hedgerow-qemu-"))
            ram = Path(folder, "ram")
            self._ram = cleanup.enter_context(_mapped(ram, parts.board.ram_bytes))
            self.line = cleanup.enter_context(PipeLine(self.name, _command(parts, ram)))
            super().__init__(self, Region(start, end - _DISK_BYTES))
            self.talk(b"", _PROMPT, _BOOT_TIMEOUT_S)
            self._disk_start = end - _DISK_BYTES
            self.start(_mount(self._disk_start, fresh=True) + "import time\n")
            self._cleanup = cleanup.pop_all()

    def talk(self, send: bytes, until: bytes, timeout_s: float) -> bytes:
        """Link of the raw REPL."""
        self.line.signal(signal.SIGCONT)
        try:
            return self.line.talk(send, until, timeout_s)
        finally:
            self.line.signal(
                signal.SIGSTOP
            )  # at a prompt it would poll its serial line at full speed

    def poke(self, address: int, data: bytes) -> None:
        offset = address - self._ram_start
        self._ram[offset : offset + len(data)] = data

    def mount_again(self) -> None:
        """At the raw REPL after a soft reset, which takes the file system away: its files stay."""
        self.exec(_mount(self._disk_start, fresh=False))

    def leave_raw_repl(self) -> bytes:
        """To the friendly REPL, for people and mpremote; its banner and prompt."""
        return self.talk(b"\x02", _PROMPT, _BOOT_TIMEOUT_S)

    def close(self) -> None:
        self._cleanup.close()


def _mount(address: int, *, fresh: bool) -> str:
    helper = on_board_source("memory_disk")
    call = f"mount_memory({address}, {_DISK_BYTES}, {fresh})"
    return f"{helper}\n{call}\ndel MemoryDisk, mount_memory\n"


def _command(parts: Qemu, ram: Path) -> list[str | Path]:
    board = parts.board
    size = board.ram_bytes
    memory = f"memory-backend-file,id=ram,size={size},share=on,mem-path={ram}"
    return [
        *(parts.program, "-machine", f"{board.machine},memory-backend=ram"),
        *("-object", memory, "-m", f"{size // 1024 // 1024}M", *board.options),
        *("-icount", f"shift={_INSTRUCTION_NS_BITS}", "-semihosting", "-nodefaults"),
        *("-display", "none", "-chardev", "stdio,id=serial,signal=off"),
        *("-serial", "chardev:serial", "-kernel", parts.image),
    ]


@contextlib.contextmanager
def _mapped(path: Path, n_bytes: int) -> Iterator[mmap.mmap]:
    with path.open("w+b") as file:
        file.truncate(n_bytes)
        with mmap.mmap(file.fileno(), n_bytes) as mapped:
            yield mapped
