"""`hedgerow monitor`: what a board prints, and a plot of its values."""

import shutil
import sys
import time

import click

from hedgerow.cli.port_options import port_options

_DRAW_S = 0.5


@click.command()
@click.option("--plot", is_flag=True, help="Draw the name=value pairs of each line.")
@click.option("--only", multiple=True, metavar="NAME", help="With --plot: only this one.")
@port_options
def command(*, plot: bool, only: tuple[str, ...], port: str | None, baud: int) -> None:
    """Show what the board prints, through resets and unplugging, until Ctrl-C."""
    from hedgerow.device.monitor import lines
    from hedgerow.device.ports import choose_port

    found = lines(choose_port(port), baud=baud)
    if not plot:
        for line in found:
            click.echo(line)
        return
    from hedgerow.device.monitor import Plot, values

    picture, drawn_s = Plot(only), 0.0
    for line in found:
        if not picture.add(values(line)):
            click.echo(line)
        elif time.monotonic() - drawn_s > _DRAW_S:
            width, height = shutil.get_terminal_size()
            is_terminal = sys.stdout.isatty()
            click.clear()
            click.echo(picture.draw(width, height - 2, colour=is_terminal))
            drawn_s = time.monotonic()
