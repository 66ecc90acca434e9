"""`hedgerow ls`: the files of a board."""

import click

from hedgerow.cli.port_options import port_options


@click.command()
@click.argument("path", default="/")
@port_options
def command(*, path: str, port: str | None, baud: int) -> None:
    """List a folder of the board."""
    from hedgerow.device.files import list_files
    from hedgerow.device.link import SerialLink
    from hedgerow.device.ports import choose_port

    with SerialLink(choose_port(port), baud=baud) as link:
        link.enter()
        for name, size in list_files(link, "/" + path.strip(":/")):
            click.echo(f"{'':>9}  {name}/" if size is None else f"{size:9}  {name}")
        link.restart()
