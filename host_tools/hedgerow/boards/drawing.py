"""A pin-out as an SVG picture: the board with its USB end up, its pins in silkscreen order."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from hedgerow.boards.board import Board
from hedgerow.boards.pinout import KINDS, Chip, Pinout, Row, pinout
from hedgerow.boards.shape import PITCH, outline, pad
from hedgerow.boards.svg import MONO, SANS, document, text, write

# fill, text. A word stands in each chip, so that no one needs the colour to read it.
_COLOURS = {
    "power": ("#f6c6c3", "#6d1b16"),
    "ground": ("#3c434c", "#ffffff"),
    "control": ("#f7e3c2", "#6b4510"),
    "cpu": ("#e6e9ee", "#2b3440"),
    "i2c": ("#c3dcff", "#0b3a78"),
    "spi": ("#e3d0f6", "#4a1d75"),
    "uart": ("#c4ece0", "#0d4f3d"),
    "adc": ("#d9efb9", "#33510b"),
    "input": ("#fff0b8", "#665003"),
    "taken": ("#d3d6da", "#7b828b"),
    "note": ("#ffd27a", "#5c3a00"),
}
_CHIP_HEIGHT = 18
_CHAR = 6.7  # a character of 11 px monospace, a little generous
_GAP = 5
_BOARD_WIDTH = 230
_MARGIN = 24
_TOP = 116  # first pin
_LINE = 17


def svg(board: Board) -> str:
    """The drawing of a board. Raises ConfigError if it has no header pins."""
    shown = pinout(board)
    side = max(260.0, *(_chips_width(row.chips) + 30 for row in shown.left + shown.right))
    width = 2 * (side + _MARGIN) + _BOARD_WIDTH
    left, right = _MARGIN + side, _MARGIN + side + _BOARD_WIDTH
    rows = max(len(shown.left), len(shown.right))
    below = _TOP + rows * PITCH + 34
    body = [
        *_title(shown, width),
        *outline(shown, left, _TOP, _BOARD_WIDTH, rows),
        *_side(shown.left, left, -1),
        *_side(shown.right, right, 1),
        *_legend(shown, below, width),
    ]
    notes, bottom = _notes(shown, below + 46, width)
    return document(width, bottom + 12, [*body, *notes])


def _title(shown: Pinout, width: float) -> Iterator[str]:
    yield f"<title>{escape(shown.title)}: pin-out</title>"
    middle = f"text-anchor='middle' {SANS}"
    yield text(width / 2, 34, shown.title, 20, "#1b232d", more=f"font-weight='bold' {middle}")
    yield text(width / 2, 56, shown.subtitle, 12, "#55606d", more=middle)


def _side(rows: Sequence[Row], edge: float, outwards: int) -> Iterator[str]:
    """Pads, silkscreen and chips of one side. outwards: -1 left, 1 right."""
    for number, row in enumerate(rows):
        y = _TOP + number * PITCH
        yield from pad(row.label, edge, y, outwards)
        chips = row.chips or (Chip(row.kind, row.label),)
        yield from _chips(chips, edge + outwards * 16, y, outwards)


def _chips(chips: Sequence[Chip], x: float, y: float, outwards: int) -> Iterator[str]:
    start = x - outwards * 12
    yield f"<path d='M{start - outwards * 4} {y}H{x}' stroke='#9aa3ad'/>"
    for chip in chips:
        width = _chip_width(chip)
        yield _chip(chip, x if outwards > 0 else x - width, y, width)
        x += outwards * (width + _GAP)


def _chip(chip: Chip, x: float, y: float, width: float) -> str:
    fill, ink = _COLOURS[chip.kind]
    rounded = _CHIP_HEIGHT / 2 if chip.kind == "note" else 3
    strike = " text-decoration='line-through'" if chip.kind == "taken" else ""
    more = f"text-anchor='middle'{strike} {MONO}"
    box = (
        f"<rect x='{x:.1f}' y='{y - _CHIP_HEIGHT / 2}' width='{width:.1f}' "
        f"height='{_CHIP_HEIGHT}' rx='{rounded}' fill='{fill}'/>"
    )
    return box + text(x + width / 2, y + 4, chip.text, 11, ink, more=more)


def _chip_width(chip: Chip) -> float:
    return max(len(chip.text) * _CHAR + 10, _CHIP_HEIGHT)


def _chips_width(chips: Sequence[Chip]) -> float:
    return sum(_chip_width(chip) + _GAP for chip in chips)


def _legend(shown: Pinout, y: float, width: float) -> Iterator[str]:
    """One sample of each kind that the drawing has, centred."""
    rows = shown.left + shown.right
    used = {chip.kind for row in rows for chip in row.chips} | {row.kind for row in rows}
    samples = [Chip(kind, said) for kind, said in KINDS.items() if kind in used]
    x = (width - _chips_width(samples)) / 2
    for sample in samples:
        yield _chip(sample, x, y, _chip_width(sample))
        x += _chip_width(sample) + _GAP


def _notes(shown: Pinout, y: float, width: float) -> tuple[list[str], float]:
    """Numbered notes, then what is on the board itself; and where they end."""
    drawn: list[str] = []
    columns = int((width - 2 * _MARGIN - 30) / 6.4)
    for number, note in enumerate(shown.notes, 1):
        chip = Chip("note", str(number))
        drawn.append(_chip(chip, _MARGIN, y - 4, _chip_width(chip)))
        for line in textwrap.wrap(note, columns):
            drawn.append(text(_MARGIN + 30, y, line, 12, "#2b3440"))
            y += _LINE
        y += 5
    if shown.off_header:
        more = f"font-weight='bold' {SANS}"
        drawn.append(text(_MARGIN, y + 4, "Not on a header", 12, "#2b3440", more=more))
        y += _LINE + 6
    for line in [part for said in shown.off_header for part in textwrap.wrap(said, columns)]:
        drawn.append(text(_MARGIN + 30, y, line, 12, "#2b3440"))
        y += _LINE
    return drawn, y


def write_svg(board: Board, path: Path) -> None:
    """Draw a board to a file. Raises ConfigError if it has no header pins, UsageError if the
    file cannot be written."""
    write(svg(board), path)
