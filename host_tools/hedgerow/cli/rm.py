"""`hedgerow rm`: remove files of a board."""

import click

from hedgerow.cli.port_options import port_options


@click.command()
@click.argument("paths", nargs=-1, required=True)
@port_options
def command(*, paths: tuple[str, ...], port: str | None, baud: int) -> None:
    """Remove files of the board, or folders with all in them."""
    from hedgerow.device.files import remove
    from hedgerow.device.link import SerialLink
    from hedgerow.device.ports import choose_port

    with SerialLink(choose_port(port), baud=baud) as link:
        link.enter()
        for path in paths:
            remove(link, path.lstrip(":"))
        link.restart()
