"""A pin-out as an SVG picture: the board with its USB end up, its pins in silkscreen order."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from hedgerow.boards.board import Board
from hedgerow.boards.pinout import KINDS, Chip, Pinout, Row, pinout
from hedgerow.errors import UsageError

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
_PITCH = 26  # from pin to pin
_CHIP_HEIGHT = 18
_CHAR = 6.7  # a character of 11 px monospace, a little generous
_GAP = 5
_BOARD_WIDTH = 230
_MARGIN = 24
_TOP = 116  # first pin
_LINE = 17
_SANS = "font-family='DejaVu Sans, Verdana, Helvetica, sans-serif'"
_MONO = "font-family='DejaVu Sans Mono, Menlo, Consolas, monospace'"


def svg(board: Board) -> str:
    """The drawing of a board. Raises ConfigError if it has no header pins."""
    shown = pinout(board)
    side = max(260.0, *(_chips_width(row.chips) + 30 for row in shown.left + shown.right))
    width = 2 * (side + _MARGIN) + _BOARD_WIDTH
    left, right = _MARGIN + side, _MARGIN + side + _BOARD_WIDTH
    rows = max(len(shown.left), len(shown.right))
    below = _TOP + rows * _PITCH + 34
    body = [
        *_title(shown, width),
        *_outline(shown, left, rows),
        *_side(shown.left, left, -1),
        *_side(shown.right, right, 1),
        *_legend(shown, below, width),
    ]
    notes, bottom = _notes(shown, below + 46, width)
    return _document(width, bottom + 12, [*body, *notes])


def _document(width: float, height: float, body: Sequence[str]) -> str:
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' "
        f"width='{width:.0f}' height='{height:.0f}' role='img'>"
    )
    paper = "<rect width='100%' height='100%' fill='#ffffff'/>"
    return "\n".join([head, paper, *body, "</svg>", ""])


def _text(x: float, y: float, text: str, size: int, colour: str, *, more: str = "") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' "
        f"{more or _SANS}>{escape(text)}</text>"
    )


def _title(shown: Pinout, width: float) -> Iterator[str]:
    yield f"<title>{escape(shown.title)}: pin-out</title>"
    middle = f"text-anchor='middle' {_SANS}"
    yield _text(width / 2, 34, shown.title, 20, "#1b232d", more=f"font-weight='bold' {middle}")
    yield _text(width / 2, 56, shown.subtitle, 12, "#55606d", more=middle)


def _outline(shown: Pinout, left: float, rows: int) -> Iterator[str]:
    top, height = _TOP - 30, rows * _PITCH + 34
    yield (
        f"<rect x='{left}' y='{top}' width='{_BOARD_WIDTH}' height='{height}' rx='12' "
        "fill='#1d5c4a' stroke='#123b30' stroke-width='2'/>"
    )
    middle = left + _BOARD_WIDTH / 2
    centred = f"text-anchor='middle' {_SANS}"
    if shown.usb_at_top:
        yield (
            f"<rect x='{middle - 30}' y='{top - 10}' width='60' height='30' rx='4' "
            "fill='#c9ced4' stroke='#8d959e'/>"
        )
        yield _text(middle, top + 10, "USB", 12, "#3a424b", more=centred)
    size = 62
    y = top + height / 2 - size / 2
    yield (
        f"<rect x='{middle - size / 2}' y='{y}' width='{size}' height='{size}' rx='5' "
        "fill='#20262d'/>"
    )
    yield _text(middle, y + size / 2 + 4, shown.mcu, 11, "#dfe4ea", more=centred)


def _side(rows: Sequence[Row], edge: float, outwards: int) -> Iterator[str]:
    """Pads, silkscreen and chips of one side. outwards: -1 left, 1 right."""
    for number, row in enumerate(rows):
        y = _TOP + number * _PITCH
        pad = edge - outwards * 12
        anchor = "start" if outwards < 0 else "end"
        yield f"<circle cx='{pad}' cy='{y}' r='6.5' fill='#d9b44a' stroke='#8f7322'/>"
        yield f"<circle cx='{pad}' cy='{y}' r='2.6' fill='#fff'/>"
        more = f"text-anchor='{anchor}' font-weight='bold' {_MONO}"
        yield _text(pad - outwards * 14, y + 4, row.label, 12, "#f2f7f4", more=more)
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
    more = f"text-anchor='middle'{strike} {_MONO}"
    box = (
        f"<rect x='{x:.1f}' y='{y - _CHIP_HEIGHT / 2}' width='{width:.1f}' "
        f"height='{_CHIP_HEIGHT}' rx='{rounded}' fill='{fill}'/>"
    )
    return box + _text(x + width / 2, y + 4, chip.text, 11, ink, more=more)


def _chip_width(chip: Chip) -> float:
    return max(len(chip.text) * _CHAR + 10, _CHIP_HEIGHT)


def _chips_width(chips: Sequence[Chip]) -> float:
    return sum(_chip_width(chip) + _GAP for chip in chips)


def _legend(shown: Pinout, y: float, width: float) -> Iterator[str]:
    """One sample of each kind that the drawing has, centred."""
    rows = shown.left + shown.right
    used = {chip.kind for row in rows for chip in row.chips} | {row.kind for row in rows}
    samples = [Chip(kind, text) for kind, text in KINDS.items() if kind in used]
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
            drawn.append(_text(_MARGIN + 30, y, line, 12, "#2b3440"))
            y += _LINE
        y += 5
    if shown.off_header:
        more = f"font-weight='bold' {_SANS}"
        drawn.append(_text(_MARGIN, y + 4, "Not on a header", 12, "#2b3440", more=more))
        y += _LINE + 6
    for line in [part for text in shown.off_header for part in textwrap.wrap(text, columns)]:
        drawn.append(_text(_MARGIN + 30, y, line, 12, "#2b3440"))
        y += _LINE
    return drawn, y


def write_svg(board: Board, path: Path) -> None:
    """Draw a board to a file. Raises ConfigError if it has no header pins, UsageError if the
    file cannot be written."""
    drawn = svg(board)
    try:
        path.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}: give -o a file that can be written"
        ) from error
