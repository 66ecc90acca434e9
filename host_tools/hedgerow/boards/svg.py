"""SVG elements that the drawings share: text, a page on white paper, a file."""

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from hedgerow.errors import UsageError

SANS = "font-family='DejaVu Sans, Verdana, Helvetica, sans-serif'"
MONO = "font-family='DejaVu Sans Mono, Menlo, Consolas, monospace'"


def document(width: float, height: float, body: Sequence[str]) -> str:
    """A whole picture; its paper is white, so that it can be read on a dark page too."""
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' "
        f"width='{width:.0f}' height='{height:.0f}' role='img'>"
    )
    paper = "<rect width='100%' height='100%' fill='#ffffff'/>"
    return "\n".join([head, paper, *body, "</svg>", ""])


def text(x: float, y: float, words: str, size: int, colour: str, *, more: str = "") -> str:
    """more: attributes, the font among them; default SANS."""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' "
        f"{more or SANS}>{escape(words)}</text>"
    )


def write(drawn: str, path: Path) -> None:
    """Raises UsageError if the file cannot be written."""
    try:
        path.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}: give -o a file that can be written"
        ) from error
