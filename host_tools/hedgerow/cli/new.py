"""`hedgerow new NAME --template soil`: a folder with a node file that works at once."""

from pathlib import Path

import click

_EPILOG = """\b
Examples:
  hedgerow new bed-3 --template soil           makes ./bed-3
  hedgerow new bed-3 --template soil --dir ~   makes ~/bed-3

\b
Exit codes: 0 done, 2 bad name or template, or something is in the way.
"""


@click.command(epilog=_EPILOG)
@click.argument("name")
@click.option("--template", default="soil", show_default=True, help="What kind of node.")
@click.option(
    "--dir",
    "parent",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to make the folder NAME.  [default: here]",
)
def command(name: str, template: str, parent: Path) -> None:
    """Make a new node project in the folder NAME."""
    from hedgerow.config.project import new_project

    folder = new_project(name, template, parent)
    click.echo(f"made {folder}: node.toml, README.md and the model")
    click.echo(f"next: hedgerow check {folder}/node.toml")
    click.echo(f"      hedgerow sim {folder}/node.toml")
