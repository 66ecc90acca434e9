"""The terminal's side of `hedgerow monitor`, and of a deploy that goes on with it."""

import shutil
import sys

import click


def follow(
    port: str, baud: int, *, plot: bool, only: tuple[str, ...] = (), for_s: float | None = None
) -> None:
    """Show what the board prints until Ctrl-C; plot: draw its values; only: these names."""
    from hedgerow.device.monitor import Plot, lines, shown

    found = lines(port, baud=baud, for_s=for_s)
    picture = Plot(only) if plot else None
    size = shutil.get_terminal_size
    for text, is_picture in shown(found, picture, size, colour=sys.stdout.isatty()):
        if is_picture:
            click.clear()
        click.echo(text)
