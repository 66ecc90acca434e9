"""MicroPython's prompt: wait for it, read who answers, compare the flash with what was written."""

import hashlib
import re
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hedgerow.device.images import Image
from hedgerow.device.serial_line import SerialLine
from hedgerow.emulate.raw_repl import Link, RawRepl
from hedgerow.errors import DeviceError

_INTERRUPT = b"\r\x03\x03"
_FRIENDLY = b"\x02"  # Ctrl-B: prints the banner anew
_BANNER_END = b"for more information.\r\n>>> "
_BANNER = re.compile(r"MicroPython (\S+) on [^;]*; (.+) with (\S+)")
_TRY_S = 1.0
_AGAIN_S = 0.2
_HASH_S = 60.0
_ON_BOARD = Path(__file__).parent / "on_board"


@dataclass(frozen=True)
class Banner:
    """What the banner tells: version "v1.25.0", board and chip in MicroPython's words.

    version is "" where something answers that prints another banner.
    """

    version: str
    board: str
    chip: str

    def __str__(self) -> str:
        return f"MicroPython {self.version} on {self.board}" if self.version else "a REPL"


def read_banner(link: Link, timeout_s: float) -> Banner:
    """Stop what runs and read the banner. Raises DeviceError if no prompt comes."""
    text = link.talk(_INTERRUPT + _FRIENDLY, _BANNER_END, timeout_s).decode("utf-8", "replace")
    found = _BANNER.search(text)
    return Banner(*found.groups()) if found else Banner("", "", "")


def wait_for_repl(find_port: Callable[[], str | None], timeout_s: float) -> tuple[str, Banner]:
    """Port and banner of the board that find_port() names, once it answers.

    find_port() is asked anew each time, since the port of a native USB board goes and comes back.
    Raises DeviceError with the last fault after timeout_s.
    """
    deadline = time.monotonic() + timeout_s
    fault = "no serial port of a running board appeared: unplug it and plug it in again"
    while True:
        port = find_port()
        if port:
            try:
                with closing(SerialLine(port)) as line:
                    return port, read_banner(line, _TRY_S)
            except DeviceError as error:
                fault = str(error)
        if time.monotonic() > deadline:
            raise DeviceError(f"no prompt within {timeout_s:g} s after the reset: {fault}")
        time.sleep(_AGAIN_S)


def verify_rp2(link: Link, name: str, image: Image) -> None:
    """Compare the board's flash, read through its memory map, with a UF2 image by SHA-256.

    Raises DeviceError naming the first part that differs.
    """
    repl = RawRepl(link, name)
    repl.enter(_TRY_S * 5)
    source = (_ON_BOARD / "hash_memory.py").read_text(encoding="utf-8")
    places = [(address, len(data)) for address, data in image.parts]
    hashes = repl.run(f"{source}\nmain({places!r})\n", _HASH_S).split()
    for (address, data), on_board in zip(image.parts, hashes, strict=True):
        if hashlib.sha256(data).hexdigest() != on_board:
            raise DeviceError(
                f"{name}: {len(data)} bytes at {address:#x} differ from {image.path}: "
                "the flash is not what was written; flash it again"
            )


def start_rp2_boot_rom(port: str) -> None:
    """Ask a running RP2 board to become a UF2 drive. Raises DeviceError if it is silent."""
    with closing(SerialLine(port)) as line:
        RawRepl(line, port).enter(_TRY_S * 3)
        line.send(b"import machine\nmachine.bootloader()\n\x04")
