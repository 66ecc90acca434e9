"""`hedgerow wiring NODE.toml -o wiring.svg`: which wire goes where."""

from pathlib import Path

import click


@click.command("wiring", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("node_file", metavar="NODE.toml", type=click.Path(path_type=Path))
@click.option(
    "-o", "output", type=click.Path(path_type=Path), default=Path("wiring.svg"), show_default=True
)
def command(node_file: Path, output: Path) -> None:
    """Draw how sensors and actuators of a node file are joined to its board.

    \b
    Examples:
      hedgerow wiring bed-3/node.toml                   writes wiring.svg
      hedgerow wiring bed-3/node.toml -o docs/bed-3.svg
    """
    from hedgerow.boards import load_board
    from hedgerow.config import compile_file
    from hedgerow.wiring import write_svg

    plan = compile_file(node_file)
    write_svg(plan, load_board(plan["board"]["name"]), output)
    click.echo(f"{output}: wiring of {plan['node']['name']}")
