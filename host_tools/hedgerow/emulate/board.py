"""What every inference target offers: files, blobs in memory, programs, a cycle counter."""

import abc
from pathlib import Path
from typing import Self

from hedgerow.emulate.raw_repl import Link, RawRepl
from hedgerow.errors import DeviceError

_BOOT_TIMEOUT_S = 60.0
ALIGNMENT_BYTES = 64  # of blobs


class Board(abc.ABC):
    """A running board. Use it as a context manager: leaving it ends the emulator.

    native_arch: of .mpy files with machine code. cycles_expr: MicroPython expression, its value
    counts cycles_unit ("cycle", "instruction" or "ns") and starts again at 0 after cycles_wrap;
    the modules that it names are imported. Two readings in a row differ by the cost of a reading:
    subtract it.
    """

    name: str
    native_arch: str
    cycles_expr: str
    cycles_unit: str
    cycles_wrap: int

    @abc.abstractmethod
    def put(self, path: str, data: bytes) -> None:
        """Write a file, its folders too. Modules are imported from the top and from lib/.

        path: relative to the top, as "lib/kernels.mpy".
        """

    @abc.abstractmethod
    def blob(self, data: bytes) -> int:
        """Put bytes into the board's memory, outside its heap; their address, 64-byte aligned.

        For uctypes.bytearray_at(address, len(data)), at any time; they stay until the end.
        """

    @abc.abstractmethod
    def exec(self, source: str, timeout_s: float = 60.0) -> str:
        """Run source text; names stay defined for the next call. What it printed.

        Raises DeviceError with the traceback if it raises, or after timeout_s of real time.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """End the emulator. Harmless if it has ended."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Region:
    """Memory that blobs are laid out in, one after the other."""

    def __init__(self, start: int, end: int) -> None:
        self._next = start
        self._end = end

    def take(self, n_bytes: int) -> int:
        """Address of the next free place. Raises DeviceError if the region is full."""
        address = self._next
        after = address + (n_bytes + ALIGNMENT_BYTES - 1) // ALIGNMENT_BYTES * ALIGNMENT_BYTES
        if after > self._end:
            raise DeviceError(
                f"{n_bytes} bytes do not fit in the board's memory for blobs, "
                f"{self._end - address} bytes are free"
            )
        self._next = after
        return address

    def at_next(self, n_bytes: int) -> int:
        """As take(), for data that may be overwritten by the next."""
        address = self.take(n_bytes)
        self._next = address
        return address


class ReplBoard(Board):
    """A board behind a raw REPL."""

    def __init__(self, link: Link) -> None:
        self._repl = RawRepl(link, self.name)

    def start(self, source: str) -> None:
        """Enter the raw REPL and run source, which imports what cycles_expr names."""
        self.enter_raw_repl()
        self._repl.run(source, _BOOT_TIMEOUT_S)

    def enter_raw_repl(self) -> None:
        """Stop what runs; exec() works from then on."""
        self._repl.enter(_BOOT_TIMEOUT_S)

    def exec(self, source: str, timeout_s: float = 60.0) -> str:
        return self._repl.run(source, timeout_s)


class EmulatedBoard(ReplBoard):
    """A board whose memory the host can write; blobs lie in region."""

    def __init__(self, link: Link, region: Region) -> None:
        super().__init__(link)
        self._region = region

    @abc.abstractmethod
    def poke(self, address: int, data: bytes) -> None:
        """Write into the board's memory while its program waits."""

    def put(self, path: str, data: bytes) -> None:
        address = self._region.at_next(len(data))
        self.poke(address, data)
        helper = on_board_source("put_staged")
        call = f"put_staged({path!r}, {address}, {len(data)})\ndel put_staged\n"
        self.exec(helper + call)

    def blob(self, data: bytes) -> int:
        address = self._region.take(len(data))
        self.poke(address, data)
        return address


def on_board_source(name: str) -> str:
    """Source text of a file of emulate/on_board."""
    path = Path(__file__).parent / "on_board" / f"{name}.py"
    return path.read_text(encoding="utf-8")
