"""A picture of a terminal: text with colour codes as SVG.

    Path("plot.svg").write_text(terminal_svg(plot.draw(80, 20), title="hedgerow monitor --plot"))

Block and line characters are drawn as rectangles, so that they join whatever font there is; other
characters are placed one by one. It has a background of its own: the same on a light page and a
dark one. Source of the colour codes: ECMA-48, SGR; xterm's 16 colours brightened for contrast.
"""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_CELL_W, _CELL_H = 9, 18  # a cell of the terminal, in pixels
_MARGIN, _BAR_H, _FONT = 14, 30, 14
_BACKGROUND, _TEXT, _DIM = "#161b22", "#d0d7de", "#8b949e"
_COLOURS = {9: "#ff7b72", 10: "#56d364", 12: "#6cb6ff", 13: "#dcbdfb", 14: "#76e3ea"}
_CODE = re.compile(r"\x1b\[([\d;]*)m")
_THIN = 0.12  # a line, in widths of a cell

# Quarters of a cell that are filled: upper left 1, upper right 2, lower left 4, lower right 8.
_QUARTERS = dict(zip("▘▝▀▖▌▞▛▗▚▐▜▄▙▟█", range(1, 16), strict=True))
# Ways that a line goes from the middle: left 1, right 2, up 4, down 8.
_LINES = dict(zip("─│┌┐└┘┤├┬┴┼", (3, 12, 10, 9, 6, 5, 13, 14, 11, 7, 15), strict=True))

Box = tuple[float, float, float, float]  # left, top, right, bottom, in cells


@dataclass(frozen=True)
class _Cell:
    column: int
    row: int
    char: str
    colour: str


def terminal_svg(text: str, *, title: str) -> str:
    """text: lines with SGR colour codes, as Plot.draw() gives them."""
    cells = list(_cells(text))
    columns = 1 + max((cell.column for cell in cells), default=0)
    rows = 1 + max((cell.row for cell in cells), default=0)
    width, height = columns * _CELL_W + 2 * _MARGIN, rows * _CELL_H + _MARGIN + _BAR_H
    name = html.escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-size="{_FONT}" '
        'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace">\n'
        f"<title>{name}</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="{_BACKGROUND}"/>\n'
        f'<text x="{_MARGIN}" y="20" fill="{_DIM}">$ {name}</text>\n'
        f"{_shapes(cells)}\n{_letters(cells)}\n</svg>\n"
    )


def _cells(text: str) -> Iterator[_Cell]:
    for row, line in enumerate(text.split("\n")):
        column, colour = 0, _TEXT
        for part in re.split(r"(\x1b\[[\d;]*m)", line):
            if code := _CODE.fullmatch(part):
                colour = _colour(code[1])
                continue
            for char in part:
                if char != " ":
                    yield _Cell(column, row, char, colour)
                column += 1


def _colour(code: str) -> str:
    """ "38;5;N" is one of the 16 colours, 90 to 97 the bright ones; else the text's."""
    numbers = [int(number or 0) for number in code.split(";")]
    if numbers[:2] == [38, 5]:
        return _COLOURS.get(numbers[2], _TEXT)
    return _COLOURS.get(numbers[-1] - 82, _TEXT)


def _letters(cells: Iterable[_Cell]) -> str:
    return "\n".join(
        f'<text x="{_MARGIN + cell.column * _CELL_W}" y="{_BAR_H + cell.row * _CELL_H + _FONT}" '
        f'fill="{cell.colour}">{html.escape(cell.char)}</text>'
        for cell in cells
        if cell.char not in _QUARTERS and cell.char not in _LINES
    )


def _shapes(cells: Iterable[_Cell]) -> str:
    """One path a colour."""
    paths: dict[str, list[str]] = {}
    for cell in cells:
        if cell.char in _QUARTERS:
            boxes, colour = _quarters(_QUARTERS[cell.char]), cell.colour
        elif cell.char in _LINES:
            boxes, colour = _strokes(_LINES[cell.char]), _DIM
        else:
            continue
        paths.setdefault(colour, []).extend(_outline(cell, box) for box in boxes)
    return "\n".join(
        f'<path fill="{colour}" shape-rendering="crispEdges" d="{"".join(outlines)}"/>'
        for colour, outlines in paths.items()
    )


def _quarters(bits: int) -> Iterator[Box]:
    for number in range(4):
        if bits >> number & 1:
            left, top = (number & 1) / 2, (number >> 1) / 2
            yield left, top, left + 0.5, top + 0.5


def _strokes(ways: int) -> Iterator[Box]:
    half_w, half_h = _THIN / 2, _THIN / 2 * _CELL_W / _CELL_H
    if ways & 3:
        left, right = 0 if ways & 1 else 0.5 - half_w, 1 if ways & 2 else 0.5 + half_w
        yield left, 0.5 - half_h, right, 0.5 + half_h
    if ways & 12:
        top, bottom = 0 if ways & 4 else 0.5 - half_h, 1 if ways & 8 else 0.5 + half_h
        yield 0.5 - half_w, top, 0.5 + half_w, bottom


def _outline(cell: _Cell, box: Box) -> str:
    left, top, right, bottom = box
    x, y = _MARGIN + (cell.column + left) * _CELL_W, _BAR_H + (cell.row + top) * _CELL_H
    width, height = (right - left) * _CELL_W, (bottom - top) * _CELL_H
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"
