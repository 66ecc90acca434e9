"""`hedgerow monitor`: what a board prints, and a plot of its values."""

from pathlib import Path

import click

from hedgerow.cli.port_options import port_options
from hedgerow.errors import UsageError


@click.command()
@click.option("--plot", is_flag=True, help="Draw the name=value pairs of each line.")
@click.option("--only", multiple=True, metavar="NAME", help="With --plot: only this one.")
@click.option("--svg", type=click.Path(path_type=Path), help="With --plot: keep it here, too.")
@click.option("--seconds", "for_s", type=float, help="End by itself; default: until Ctrl-C.")
@port_options
def command(
    *,
    plot: bool,
    only: tuple[str, ...],
    svg: Path | None,
    for_s: float | None,
    port: str | None,
    baud: int,
) -> None:
    """Show what the board prints, through resets and unplugging, until Ctrl-C."""
    from hedgerow.cli.monitor_output import follow
    from hedgerow.device.ports import choose_port

    if (only or svg) and not plot:
        raise UsageError("--only and --svg are of the plot: give --plot too")
    follow(choose_port(port), baud, plot=plot, only=only, for_s=for_s, svg=svg)
