"""The terminal's side of `hedgerow monitor`, and of a deploy that goes on with it."""

import shutil
import sys
from pathlib import Path

import click


def follow(
    port: str,
    baud: int,
    *,
    plot: bool,
    only: tuple[str, ...] = (),
    for_s: float | None = None,
    svg: Path | None = None,
) -> None:
    """Show what the board prints until Ctrl-C; plot: draw its values; only: these names.

    svg: keep the last plot there, as a picture.
    """
    from hedgerow.device.monitor import Plot, lines, shown
    from hedgerow.device.plot_svg import terminal_svg

    found = lines(port, baud=baud, for_s=for_s)
    picture = Plot(only) if plot else None
    colour = sys.stdout.isatty() or svg is not None
    for text, is_picture in shown(found, picture, shutil.get_terminal_size, colour=colour):
        if is_picture:
            click.clear()
        click.echo(text)
        if is_picture and svg:
            svg.write_text(terminal_svg(text, title="hedgerow monitor --plot"), encoding="utf-8")
