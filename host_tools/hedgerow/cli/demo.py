"""`hedgerow demo`: the whole job on this computer."""

import asyncio
import json
import sys
from pathlib import Path

import click

from hedgerow.cli.stopping import until_stopped


@click.command("demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", type=click.FloatRange(min=12), help="End after about so many seconds.")
@click.option("--port", default=8080, show_default=True, help="Of the page and the HTTP API.")
@click.option("--nodes", type=click.IntRange(1, 3), default=3, show_default=True)
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Keep all files here.")
@click.option("--no-outage", is_flag=True, help="Leave out the link outage and the power cut.")
@click.option("--broker", default="auto", show_default=True, help="auto, mosquitto or python.")
def command(
    seconds: float | None,
    port: int,
    nodes: int,
    folder: Path | None,
    no_outage: bool,
    broker: str,
) -> None:
    """Run broker, gateway, page and three nodes in a simulated field.

    \b
    Examples:
      hedgerow demo                  open the printed address; Ctrl-C ends it
      hedgerow demo --seconds 30     ends by itself; the last line is JSON

    Weather is real (Seattle 2015), soil and water follow FAO-56. The link fails for a while and
    one node loses power; the JSON compares what the nodes created with what the gateway holds.
    Exit code 1 if records were lost or stored twice.
    """
    from hedgerow.demo.run import DemoOptions, run_demo

    options = DemoOptions(
        seconds=seconds,
        port=port,
        nodes=nodes,
        folder=folder,
        outage=not no_outage,
        broker=broker,
    )
    result = asyncio.run(until_stopped(run_demo(options, lambda text: click.echo(text))))
    if result is None:
        click.echo("stopped", err=True)
    else:
        click.echo(json.dumps(result))
        sys.exit(1 if result["lost"] or result["duplicates"] else 0)
