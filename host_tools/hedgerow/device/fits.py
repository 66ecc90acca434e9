"""Does this firmware belong on this board? Asked before anything is written."""

from hedgerow.boards import board_names, load_board
from hedgerow.boards.board import Board
from hedgerow.boards.pinout import size_text
from hedgerow.device.chips import Chip
from hedgerow.device.images import Image
from hedgerow.errors import DeviceError


def check_board(image: Image, board: Board) -> None:
    """Raises DeviceError if the image is for another chip or too large for the board's flash."""
    if board.flash_method == "none":
        raise DeviceError(f"{board.name} is not flashed: see boards/{board.name}/README.md")
    if image.chip.mcu != board.mcu:
        raise DeviceError(_wrong_chip(image, board.name, board.mcu.upper()))
    check_flash_size(image, board.flash_bytes or 0, board.name)


def check_chip(image: Image, chip: Chip, where: str) -> None:
    """Raises DeviceError if the image is for another chip than the one found."""
    if chip != image.chip:
        raise DeviceError(_wrong_chip(image, where, chip.name))


def check_flash_size(image: Image, flash_bytes: int, where: str) -> None:
    """Raises DeviceError if the image needs more flash than there is."""
    if image.flash_bytes > flash_bytes:
        raise DeviceError(
            f"{image.path} needs {size_text(image.flash_bytes)} of flash, {where} has "
            f"{size_text(flash_bytes)}: take a smaller variant; nothing was written"
        )


def smallest_flash(chip: Chip) -> tuple[int, str]:
    """Flash size that every known board with this chip has, and the board that sets it."""
    boards = [load_board(name) for name in board_names()]
    sizes = [(board.flash_bytes, board.name) for board in boards if board.mcu == chip.mcu]
    return min((size, name) for size, name in sizes if size is not None)


def _wrong_chip(image: Image, where: str, name: str) -> str:
    return (
        f"{image.path} is for {image.chip.name}, {where} has {name}: "
        f"take the firmware for {name}; nothing was written"
    )
