"""`hedgerow boards`: what is known of the boards, and their pin-outs as drawings."""

import json
from pathlib import Path

import click

_EPILOG = """\b
Examples:
  hedgerow boards                              one line a board
  hedgerow boards show RPI_PICO                pins, buses, flash layout
  hedgerow boards show RPI_PICO -o pico.svg    the pin-out as a drawing
"""


@click.group("boards", invoke_without_command=True, epilog=_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="All fields of all boards, as one list.")
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """List the boards, or show one."""
    from hedgerow.boards import board_names, listing, load_board

    if context.invoked_subcommand:
        return
    boards = [load_board(name) for name in board_names()]
    if as_json:
        click.echo(json.dumps([listing.as_json(board) for board in boards]))
    else:
        click.echo(listing.table(boards))


@command.command("show")
@click.argument("name")
@click.option(
    "-o", "output", type=click.Path(path_type=Path), help="Draw to FILE.svg; - is stdout."
)
@click.option("--json", "as_json", is_flag=True, help="All fields as one object.")
def show(*, name: str, output: Path | None, as_json: bool) -> None:
    """Show the board NAME: as text, or with -o its pin-out as an SVG drawing."""
    from hedgerow.boards import listing, load_board
    from hedgerow.boards.drawing import svg, write_svg

    board = load_board(name)
    if as_json:
        click.echo(json.dumps(listing.as_json(board)))
    elif output is None:
        click.echo(listing.details(board))
    elif str(output) == "-":
        click.echo(svg(board), nl=False)
    else:
        write_svg(board, output)
        click.echo(f"{output}: pin-out of {board.name}")
