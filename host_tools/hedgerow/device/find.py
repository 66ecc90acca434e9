"""Boards that are attached: serial ports by their USB IDs, and drives with INFO_UF2.TXT."""

import os
import string
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hedgerow.boards import board_names, load_board
from hedgerow.boards.board import Board
from hedgerow.device.chips import CHIPS

INFO_FILE = "INFO_UF2.TXT"


class PortInfo(Protocol):
    """What pyserial's list_ports tells of a port."""

    device: str
    vid: int | None
    pid: int | None
    description: str


@dataclass(frozen=True)
class Attached:
    """kind: "serial" or "drive"; where: port or folder. mode: "repl", "boot" or "bridge".

    boards: names of those that it may be; mcus: their chips. A bridge tells neither.
    """

    kind: str
    where: str
    mode: str
    boards: tuple[str, ...]
    mcus: tuple[str, ...]
    description: str


def serial_ports() -> list[PortInfo]:
    """The ports of this machine, as pyserial lists them."""
    from serial.tools.list_ports import comports

    return list(comports())


def attached(
    ports: Callable[[], Iterable[PortInfo]] = serial_ports,
    drives: Callable[[], Iterable[Path]] | None = None,
) -> list[Attached]:
    """All boards in sight, drives first. Nothing is sent to them."""
    boards = [load_board(name) for name in board_names()]
    found = [drive for root in (drives or drive_roots)() if (drive := uf2_drive(root))]
    for port in ports():
        found += _port(port, boards)
    return found


def _port(port: PortInfo, boards: list[Board]) -> list[Attached]:
    """One entry if some board has the port's USB ID."""
    if port.vid is None:
        return []
    rows = [
        (board, usb.mode)
        for board in boards
        for usb in board.usb
        if (usb.vid, usb.pid) == (port.vid, port.pid)
    ]
    if not rows:
        return []
    mode = rows[0][1]
    names = () if mode == "bridge" else tuple(dict.fromkeys(board.name for board, _ in rows))
    mcus = () if mode == "bridge" else tuple(dict.fromkeys(board.mcu for board, _ in rows))
    return [Attached("serial", port.device, mode, names, mcus, port.description)]


def uf2_drive(folder: Path) -> Attached | None:
    """The board whose boot ROM shows this folder as its drive; None if it is another folder."""
    try:
        text = (folder / INFO_FILE).read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    info = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    board_id = info.get("Board-ID", "").strip()
    mcus = tuple(chip.mcu for chip in CHIPS if board_id and chip.uf2_board_id == board_id)
    names = tuple(name for name in board_names() if load_board(name).mcu in mcus)
    model = info.get("Model", board_id or "no Board-ID").strip()
    return Attached("drive", str(folder), "boot", names, mcus, model)


def drive_roots() -> list[Path]:
    """Mounted file systems that may be a board's drive."""
    if sys.platform == "darwin":
        return [path for path in Path("/Volumes").iterdir() if path.is_dir()]
    if os.name == "nt":
        roots = (Path(f"{letter}:/") for letter in string.ascii_uppercase)
        return [root for root in roots if root.exists()]
    return _linux_fat_mounts(Path("/proc/mounts"))


def _linux_fat_mounts(table: Path) -> list[Path]:
    """Only FAT: asking a network file system for a file can hang."""
    try:
        rows = [line.split() for line in table.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return []
    return [Path(_unescape(row[1])) for row in rows if len(row) > 2 and row[2] == "vfat"]


def _unescape(path: str) -> str:
    """/proc/mounts writes blanks as octal."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\134", "\\")):
        path = path.replace(code, char)
    return path
