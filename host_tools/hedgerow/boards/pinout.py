"""What a pin-out drawing shows, before anything is drawn: rows of header pins, notes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hedgerow.boards.board import Board
from hedgerow.errors import ConfigError

# Kinds of chips in the order of the legend, with what the legend says of them.
KINDS = {
    "power": "supply",
    "ground": "ground",
    "control": "control",
    "cpu": "pin of the chip",
    "i2c": "I2C",
    "spi": "SPI",
    "uart": "UART",
    "adc": "ADC",
    "input": "input only",
    "taken": "taken",
    "note": "see note",
}
_SUPPLY = ("3V3", "5V", "VBUS", "VSYS", "VCC", "ADC_VREF")
_GROUND = ("GND", "AGND")


@dataclass(frozen=True)
class Chip:
    """A small box beside a pin; kind is a key of KINDS."""

    kind: str
    text: str


@dataclass(frozen=True)
class Row:
    """One header pin: its silkscreen, what kind its pad is, the chips from the board outwards."""

    label: str
    kind: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True)
class Pinout:
    """left and right: rows from the USB end down; notes: numbered from 1, then those without."""

    title: str
    subtitle: str
    mcu: str
    usb_at_top: bool
    left: tuple[Row, ...]
    right: tuple[Row, ...]
    notes: tuple[str, ...]
    off_header: tuple[str, ...]


def pinout(board: Board) -> Pinout:
    """All that the drawing of a board says. Raises ConfigError if it has no header pins."""
    if board.headers is None:
        raise ConfigError(f"{board.name} has no header pins to draw: try it without -o")
    notes = _notes(board)
    numbers = {pin: number for number, pins in enumerate(notes.values(), 1) for pin in pins}
    left, right = (
        tuple(_row(board, word, numbers) for word in side)
        for side in (board.headers.left, board.headers.right)
    )
    return Pinout(
        title=f"{board.vendor} {board.product}",
        subtitle=_subtitle(board),
        mcu=board.mcu.upper(),
        usb_at_top=board.headers.usb_at_top,
        left=left,
        right=right,
        notes=tuple(f"{_labels(board, pins)}: {text}" for text, pins in notes.items()),
        off_header=tuple(_off_header(board)),
    )


def size_text(size_bytes: int | None) -> str:
    """1441792 -> "1408 KB", 2097152 -> "2 MB", None (no fixed size) -> "-"."""
    if size_bytes is None:
        return "-"
    whole_mb, rest = divmod(size_bytes, 1 << 20)
    return f"{size_bytes >> 10} KB" if rest or not whole_mb else f"{whole_mb} MB"


def _subtitle(board: Board) -> str:
    parts = [f"{size_text(board.flash_bytes)} flash", f"{size_text(board.ram_bytes)} RAM"]
    if board.psram_bytes:
        parts.append(f"{size_text(board.psram_bytes)} PSRAM")
    return " · ".join([*parts, f"firmware {board.firmware}", f"native code {board.mpy_arch}"])


def on_header(board: Board) -> list[str]:
    """CPU pins that a header brings out, from the left side's first to the right side's last."""
    if board.headers is None:
        return []
    words = board.headers.left + board.headers.right
    known = {*board.pins.values(), *board.reserved}
    cpu_pins = (board.pins.get(word, word) for word in words)
    return [pin for pin in cpu_pins if pin in known]


def _notes(board: Board) -> dict[str, list[str]]:
    """Caution or reason: the header pins that it is about."""
    notes: dict[str, list[str]] = {}
    for pin in on_header(board):
        if text := board.caution.get(pin) or board.reserved.get(pin):
            notes.setdefault(text, []).append(pin)
    return notes


def _labels(board: Board, cpu_pins: list[str]) -> str:
    names = {cpu_pin: label for label, cpu_pin in reversed([*board.pins.items()])}
    return ", ".join(names.get(pin, pin) for pin in cpu_pins)


def _row(board: Board, word: str, numbers: dict[str, int]) -> Row:
    cpu_pin = board.pins.get(word, word)
    if cpu_pin not in board.pins.values() and cpu_pin not in board.reserved:
        return Row(word, _power_kind(word), ())
    chips = [Chip("cpu", cpu_pin), *_functions(board, cpu_pin)]
    if cpu_pin in board.reserved:
        chips = [Chip("taken", cpu_pin)]
    if cpu_pin in numbers:
        chips.append(Chip("note", str(numbers[cpu_pin])))
    return Row(word, "taken" if cpu_pin in board.reserved else "cpu", tuple(chips))


def _power_kind(word: str) -> str:
    if word in _GROUND:
        return "ground"
    return "power" if word in _SUPPLY else "control"


def bus_roles(board: Board) -> dict[str, list[tuple[str, str]]]:
    """CPU pin: [("i2c0", "sda"), ...] of the default buses."""
    roles: dict[str, list[tuple[str, str]]] = {}
    for buses, words in (
        (board.i2c_buses, ("sda", "scl")),
        (board.spi_buses, ("sck", "mosi", "miso")),
        (board.uart_buses, ("tx", "rx")),
    ):
        for name, bus in buses.items():
            for word in words:
                roles.setdefault(getattr(bus, word), []).append((name, word))
    return roles


def _functions(board: Board, cpu_pin: str) -> Iterator[Chip]:
    if cpu_pin in board.adc_pins:
        yield Chip("adc", "ADC")
    for bus, role in bus_roles(board).get(cpu_pin, []):
        yield Chip(bus.rstrip("0123456789"), f"{bus.upper()} {role.upper()}")
    if cpu_pin in board.input_only:
        yield Chip("input", "IN")


def _off_header(board: Board) -> Iterator[str]:
    """Labels of pins that are on the board only: LEDs, buttons, sense lines."""
    brought_out = on_header(board)
    for cpu_pin in dict.fromkeys(board.pins.values()):
        if cpu_pin not in brought_out:
            labels = [label for label, pin in board.pins.items() if pin == cpu_pin]
            why = board.caution.get(cpu_pin) or board.reserved.get(cpu_pin) or ""
            why = re.sub("[,;] no header pin$", "", why)
            yield f"{', '.join(labels)} ({cpu_pin})" + (f": {why}" if why else "")
