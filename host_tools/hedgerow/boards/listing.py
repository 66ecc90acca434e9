"""Boards as text and as plain values for JSON."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from hedgerow.boards.board import Board
from hedgerow.boards.pinout import bus_roles, on_header, size_text


def table(boards: list[Board]) -> str:
    """One line a board, under a header."""
    rows = [("BOARD", "CHIP", "FLASH", "RAM", "NATIVE", "FLASHED BY", "WHAT IT IS")]
    rows += [
        (
            board.name,
            board.mcu,
            size_text(board.flash_bytes),
            size_text(board.ram_bytes),
            board.mpy_arch,
            board.flash_method,
            f"{board.vendor} {board.product}",
        )
        for board in boards
    ]
    return _aligned(rows)


def details(board: Board) -> str:
    """All that is known of a board, on a terminal."""
    facts = [
        ("board", f"{board.name}: {board.vendor} {board.product}"),
        ("chip", f"{board.mcu}, native code {board.mpy_arch}"),
        ("memory", _memory(board)),
        ("firmware", f"{board.firmware} (port {board.port}), flashed by {board.flash_method}"),
        ("features", ", ".join(board.features) or "none"),
        ("buses", ", ".join([*board.i2c_buses, *board.spi_buses, *board.uart_buses]) or "none"),
        ("USB", ", ".join(f"{u.vid:04X}:{u.pid:04X} ({u.mode})" for u in board.usb) or "none"),
        ("source", board.source),
    ]
    parts = [_aligned(facts), _layout(board), _pin_table(board)]
    return "\n\n".join(part for part in parts if part)


def as_json(board: Board) -> dict[str, Any]:
    """A board's fields as json.dumps takes them."""
    return dataclasses.asdict(board)


def _memory(board: Board) -> str:
    text = f"{size_text(board.flash_bytes)} flash, {size_text(board.ram_bytes)} RAM"
    return f"{text}, {size_text(board.psram_bytes)} PSRAM" if board.psram_bytes else text


def _layout(board: Board) -> str:
    rows = [
        (f"{region.start:#09x}", size_text(region.size_bytes), region.name)
        for region in board.flash_layout
    ]
    return _aligned([("FLASH", "SIZE", "PART"), *rows]) if rows else ""


def _pin_table(board: Board) -> str:
    roles = bus_roles(board)
    brought_out = on_header(board) if board.headers else list(board.pins.values())
    rows = [("LABEL", "PIN", "DEFAULT USE", "NOTE")]
    for label, pin in board.pins.items():
        use = [f"{bus} {role}" for bus, role in roles.get(pin, [])]
        use += ["adc"] if pin in board.adc_pins else []
        use += ["input only"] if pin in board.input_only else []
        note = board.reserved.get(pin) or board.caution.get(pin) or ""
        where = "" if pin in brought_out or "no header pin" in note else "no header pin"
        rows.append((label, pin, ", ".join(use), "; ".join(filter(None, (where, note)))))
    return _aligned(rows) if len(rows) > 1 else ""


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
