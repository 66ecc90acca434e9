"""The wiring picture as SVG: board, parts, wires, then every connection in words."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hedgerow.boards import Board
from hedgerow.boards.pinout import Pinout, pinout
from hedgerow.boards.shape import PITCH, outline, pad
from hedgerow.boards.svg import MONO, SANS, document, text, write
from hedgerow.wiring.layout import (
    BOARD_WIDTH,
    HEAD,
    MARGIN,
    NOTE,
    PART_WIDTH,
    TOP,
    Layout,
    Place,
    Wire,
    lay_out,
)
from hedgerow.wiring.parts import FIVE, GROUND, LOGIC, Part, Terminal, parts, supply_label

_SUPPLY = {GROUND: "#3c434c", LOGIC: "#c8322b", FIVE: "#d97a00"}
_SIGNALS = (
    "#1f6fd1", "#0c8a78", "#8e3fb0", "#5a8a12", "#b8471b", "#2a4a9c", "#a3245f", "#6b5a10",
)  # fmt: skip
_INK, _QUIET = "#1b232d", "#55606d"
_UNUSED = "#86b3a3"  # silkscreen of a pin that the node does not use
_LINE = 18


def svg(plan: Mapping[str, Any], board: Board) -> str:
    """plan: of compile_file. Raises ConfigError if the board has no header pins to draw."""
    shown = pinout(board)
    found = parts(plan, board)
    layout = lay_out(found, board)
    body = [
        *_title(plan, shown, layout),
        *(line for wire in _order(layout.wires) for line in _wire(wire)),
        *outline(shown, layout.board_x, TOP, BOARD_WIDTH, _rows(shown)),
        *_pads(shown, layout),
        *(line for place in layout.places for line in _part(place)),
    ]
    words, bottom = _words(found, board, layout)
    return document(layout.width, bottom, [*body, *words])


def write_svg(plan: Mapping[str, Any], board: Board, path: Path) -> None:
    """Draw to a file. Raises ConfigError as svg(), UsageError if it cannot be written."""
    write(svg(plan, board), path)


def _rows(shown: Pinout) -> int:
    return max(len(shown.left), len(shown.right))


def _title(plan: Mapping[str, Any], shown: Pinout, layout: Layout) -> Iterator[str]:
    name = plan["node"]["name"]
    middle = f"text-anchor='middle' {SANS}"
    title = f"{name} on {shown.title}"
    yield f"<title>{title}: wiring</title>"
    yield text(layout.width / 2, 34, title, 20, _INK, more=f"font-weight='bold' {middle}")
    said = "wiring, seen from the front; check what is printed on your modules"
    yield text(layout.width / 2, 56, said, 12, _QUIET, more=middle)


def _order(wires: Sequence[Wire]) -> list[Wire]:
    """Supplies below, signals on top."""
    return sorted(wires, key=lambda wire: wire.net == "")


def _colour(wire: Wire) -> str:
    return _SUPPLY[wire.net] if wire.net else _SIGNALS[wire.number % len(_SIGNALS)]


def _wire(wire: Wire) -> Iterator[str]:
    """A white edge shows which of two crossing wires is above: they are not joined."""
    drawn = " ".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in path) for path in wire.paths)
    style = "fill='none' stroke-linejoin='round' stroke-linecap='round'"
    yield f"<path d='{drawn}' {style} stroke='#ffffff' stroke-width='6'/>"
    yield f"<path d='{drawn}' {style} stroke='{_colour(wire)}' stroke-width='2.4'/>"
    for x, y in wire.dots:
        yield f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.6' fill='{_colour(wire)}'/>"


def _pads(shown: Pinout, layout: Layout) -> Iterator[str]:
    for side, rows in ((-1, shown.left), (1, shown.right)):
        edge = layout.board_x + (BOARD_WIDTH if side > 0 else 0)
        for number, row in enumerate(rows):
            y = TOP + PITCH * number
            names = {row.label, f"{row.label}@{side}@{y}"}
            yield from pad(row.label, edge, y, side, "#ffffff" if names & layout.used else _UNUSED)


def _part(place: Place) -> Iterator[str]:
    """A box with its terminals on the side of the board."""
    x, part = place.x, place.part
    yield (
        f"<rect x='{x}' y='{place.y:.1f}' width='{PART_WIDTH}' height='{place.height:.1f}' rx='8' "
        "fill='#f4f6f8' stroke='#9aa3ad'/>"
    )
    bold = f"font-weight='bold' {SANS}"
    yield text(x + 14, place.y + 20, part.name, 14, _INK, more=bold)
    yield text(x + 14, place.y + 36, _cut(part.chip, 38), 11, _QUIET)
    for terminal, y in zip(part.terminals, place.terminal_ys, strict=True):
        yield from _terminal(place, terminal, y)
    y = place.y + HEAD + PITCH * len(part.terminals) + 10
    for note in part.notes:
        yield text(x + 14, y, note, 11, _INK)
        y += NOTE


def _terminal(place: Place, terminal: Terminal, y: float) -> Iterator[str]:
    edge = place.x + PART_WIDTH if place.side < 0 else place.x
    yield f"<circle cx='{edge}' cy='{y}' r='5' fill='#d9b44a' stroke='#8f7322'/>"
    anchor = "end" if place.side < 0 else "start"
    more = f"text-anchor='{anchor}' font-weight='bold' {MONO}"
    yield text(edge + place.side * 14, y + 4, terminal.label, 12, _INK, more=more)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip(" ,") + "…"


def _words(found: Sequence[Part], board: Board, layout: Layout) -> tuple[list[str], float]:
    """Every connection, and what the board's data say of the pins; and where the page ends."""
    columns = int((layout.width - 2 * MARGIN) / 7)
    y = layout.bottom + 34
    drawn = [text(MARGIN, y, "Connections", 13, _INK, more=f"font-weight='bold' {SANS}")]
    y += _LINE
    lines = [_connections(part, board) for part in found] + list(_cautions(found, board))
    for line in lines:
        for row in textwrap.wrap(line, columns, subsequent_indent="    "):
            drawn.append(text(MARGIN, y, row, 11, "#2b3440", more=f"xml:space='preserve' {MONO}"))
            y += _LINE
    return drawn, y + 6


def _connections(part: Part, board: Board) -> str:
    ends = [
        f"{t.label} to {supply_label(t.net, board) or t.net if t.net else t.label_on_board}"
        for t in part.terminals
    ]
    return f"{part.name}: {', '.join(ends)}"


def _cautions(found: Sequence[Part], board: Board) -> Iterator[str]:
    labels = dict.fromkeys(t.label_on_board for part in found for t in part.signals)
    for label in labels:
        if caution := board.caution.get(board.pins.get(label, label)):
            yield f"{label}: {caution}"
