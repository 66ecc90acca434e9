"""`hedgerow drivers`: which chips there are drivers for, and what each of them measures."""

import json

import click


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="All that is known, as one JSON object.")
@click.option("--markdown", is_flag=True, help="The table of firmware/hedge/drivers/README.md.")
def command(name: str | None, as_json: bool, markdown: bool) -> None:
    """List the drivers, or describe the one NAMEd.

    \b
    Examples:
      hedgerow drivers
      hedgerow drivers sht4x
      hedgerow drivers --json
    """
    from hedgerow.drivers import describe, drivers, list_text, markdown_table

    if markdown:
        click.echo(markdown_table())
    elif as_json:
        click.echo(json.dumps({name: describe(name)} if name else drivers()))
    elif name:
        for key, value in describe(name).items():
            click.echo(f"{key:<16} {value}")
    else:
        click.echo(list_text())
