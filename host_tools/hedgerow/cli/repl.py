"""`hedgerow repl`: the board's prompt in this terminal."""

import subprocess
import sys

import click

from hedgerow.cli.port_options import port_options


@click.command()
@port_options
def command(*, port: str | None, baud: int) -> None:
    """Open the board's REPL (mpremote's); Ctrl-] or Ctrl-x ends it."""
    from hedgerow.device.link import SerialLink
    from hedgerow.device.ports import choose_port

    chosen = choose_port(port)
    SerialLink(chosen, baud=baud).close()  # tells why, if it does not open
    sys.exit(subprocess.call([sys.executable, "-m", "mpremote", "connect", chosen, "repl"]))
