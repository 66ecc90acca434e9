"""Ask a serial port which board it is. That stops the program that runs there."""

import dataclasses
from contextlib import closing

from hedgerow.boards import load_board
from hedgerow.boards.pinout import size_text
from hedgerow.device.esptool_program import Esptool
from hedgerow.device.find import Attached
from hedgerow.device.repl import read_banner
from hedgerow.device.serial_line import SerialLine
from hedgerow.errors import DeviceError

_BANNER_S = 1.5


def probed(item: Attached, *, connect_attempts: int = 1) -> Attached:
    """item with the chip that answers: MicroPython's prompt, else an ESP's boot ROM.

    A drive is returned as it is. Without an answer the description says why.
    """
    if item.kind != "serial":
        return item
    try:
        with closing(SerialLine(item.where)) as line:
            banner = read_banner(line, _BANNER_S)
        return _narrowed(item, banner.chip.lower(), f"{banner} ({banner.chip})")
    except DeviceError as silence:
        if item.mode == "repl":
            return dataclasses.replace(item, description=str(silence))
    return _probed_rom(item, connect_attempts)


def _probed_rom(item: Attached, connect_attempts: int) -> Attached:
    tool = Esptool(item.where, connect_attempts=connect_attempts)
    try:
        found = tool.probe()
        tool.leave()
    except DeviceError as error:
        return dataclasses.replace(item, description=str(error))
    text = f"{found.chip.name} with {size_text(found.flash_bytes)} of flash, no MicroPython"
    return _narrowed(item, found.chip.mcu, text)


def _narrowed(item: Attached, mcu: str, description: str) -> Attached:
    names = tuple(name for name in item.boards if load_board(name).mcu == mcu)
    return dataclasses.replace(item, boards=names, mcus=(mcu,), description=description)
