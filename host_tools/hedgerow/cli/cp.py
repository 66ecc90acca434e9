"""`hedgerow cp`: copy files to and from a board."""

from pathlib import Path

import click

from hedgerow.cli.port_options import port_options
from hedgerow.errors import UsageError

_EPILOG = """\b
Examples (":" marks the board's side):
  hedgerow cp model.hgm :
  hedgerow cp data/ :data
  hedgerow cp :log.csv .
"""


@click.command(epilog=_EPILOG)
@click.argument("source")
@click.argument("target")
@port_options
def command(*, source: str, target: str, port: str | None, baud: int) -> None:
    """Copy SOURCE to TARGET; one of them is on the board."""
    from hedgerow.device.files import get, put
    from hedgerow.device.link import SerialLink
    from hedgerow.device.ports import choose_port

    if source.startswith(":") == target.startswith(":"):
        raise UsageError("cp: one of the two is on the board: write it with a ':' in front")
    with SerialLink(choose_port(port), baud=baud) as link:
        link.enter()
        if source.startswith(":"):
            click.echo(get(link, source[1:], Path(target)))
        else:
            for path in put(link, Path(source), target[1:]):
                click.echo(f":{path}")
        link.restart()
