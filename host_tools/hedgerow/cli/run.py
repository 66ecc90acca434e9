"""`hedgerow run`: a file on a board, without storing it."""

import sys
from pathlib import Path

import click

from hedgerow.cli.port_options import port_options


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--watch", is_flag=True, help="Run it again whenever it changes, until Ctrl-C.")
@port_options
def command(*, file: Path, watch: bool, port: str | None, baud: int) -> None:
    """Run FILE on the board and show what it prints; exit code 1 after a traceback."""
    from hedgerow.device.link import SerialLink
    from hedgerow.device.ports import choose_port
    from hedgerow.device.run_file import run_file

    with SerialLink(choose_port(port), baud=baud) as link:
        ok = run_file(link, file, lambda text: click.echo(text, nl=False), watch=watch)
    sys.exit(0 if ok else 1)
