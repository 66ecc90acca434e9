"""The board itself in a drawing: its outline, and a pad with its silkscreen."""

from collections.abc import Iterator

from hedgerow.boards.pinout import Pinout
from hedgerow.boards.svg import MONO, SANS, text

PITCH = 26  # from pin to pin


def outline(shown: Pinout, left: float, top: float, width: float, rows: int) -> Iterator[str]:
    """Board, USB socket and chip; top: height of the first pin."""
    top, height = top - 30, rows * PITCH + 34
    yield (
        f"<rect x='{left}' y='{top}' width='{width}' height='{height}' rx='12' "
        "fill='#1d5c4a' stroke='#123b30' stroke-width='2'/>"
    )
    middle = left + width / 2
    centred = f"text-anchor='middle' {SANS}"
    if shown.usb_at_top:
        yield (
            f"<rect x='{middle - 30}' y='{top - 10}' width='60' height='30' rx='4' "
            "fill='#c9ced4' stroke='#8d959e'/>"
        )
        yield text(middle, top + 10, "USB", 12, "#3a424b", more=centred)
    size = 62
    y = top + height / 2 - size / 2
    yield (
        f"<rect x='{middle - size / 2}' y='{y}' width='{size}' height='{size}' rx='5' "
        "fill='#20262d'/>"
    )
    yield text(middle, y + size / 2 + 4, shown.mcu, 11, "#dfe4ea", more=centred)


def pad(label: str, edge: float, y: float, outwards: int, ink: str = "#f2f7f4") -> Iterator[str]:
    """A pin at this edge of the board. outwards: -1 left, 1 right."""
    x = edge - outwards * 12
    anchor = "start" if outwards < 0 else "end"
    yield f"<circle cx='{x}' cy='{y}' r='6.5' fill='#d9b44a' stroke='#8f7322'/>"
    yield f"<circle cx='{x}' cy='{y}' r='2.6' fill='#fff'/>"
    more = f"text-anchor='{anchor}' font-weight='bold' {MONO}"
    yield text(x - outwards * 14, y + 4, label, 12, ink, more=more)
