"""`hedgerow monitor`: what a board prints, and a plot of its values."""

import click

from hedgerow.cli.port_options import port_options


@click.command()
@click.option("--plot", is_flag=True, help="Draw the name=value pairs of each line.")
@click.option("--only", multiple=True, metavar="NAME", help="With --plot: only this one.")
@click.option("--seconds", "for_s", type=float, help="End by itself; default: until Ctrl-C.")
@port_options
def command(
    *, plot: bool, only: tuple[str, ...], for_s: float | None, port: str | None, baud: int
) -> None:
    """Show what the board prints, through resets and unplugging, until Ctrl-C."""
    from hedgerow.cli.monitor_output import follow
    from hedgerow.device.ports import choose_port

    follow(choose_port(port), baud, plot=plot, only=only, for_s=for_s)
