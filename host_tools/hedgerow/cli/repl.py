"""`hedgerow repl`: the board's prompt in this terminal."""

import click

from hedgerow.cli.port_options import port_options


@click.command()
@port_options
def command(*, port: str | None, baud: int) -> None:
    """Open the board's REPL (mpremote's); Ctrl-] or Ctrl-x ends it."""
    from hedgerow.device.ports import choose_port
    from hedgerow.device.terminal import open_terminal

    open_terminal(choose_port(port), baud=baud)
