"""`hedgerow deploy`: an app onto a board, only what changed, never half of it."""

import dataclasses
import json
from pathlib import Path

import click

from hedgerow.cli.port_options import port_options

_EPILOG = """\b
Examples:
  hedgerow deploy blink.py
  hedgerow deploy bed-3/node.toml
  hedgerow deploy my_node/ --port /dev/ttyACM0
  hedgerow deploy my_node/ --plot                and then draws what it prints
  hedgerow deploy my_node/ --healthy-after 0     only hedge_boot.confirm() keeps it
"""


@click.command(epilog=_EPILOG)
@click.argument("app", type=click.Path(path_type=Path), default=".")
@port_options
@click.option(
    "--healthy-after",
    "healthy_after_s",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds without a crash that prove it; 0: the app calls hedge_boot.confirm().",
)
@click.option(
    "--hedge/--no-hedge", default=None, help="Send the modules of hedge that it imports."
)
@click.option("--monitor", is_flag=True, help="Then show what it prints, until Ctrl-C.")
@click.option("--plot", is_flag=True, help="Then draw the name=value pairs it prints.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def command(
    *,
    app: Path,
    port: str | None,
    baud: int,
    healthy_after_s: float,
    hedge: bool | None,
    monitor: bool,
    plot: bool,
    as_json: bool,
) -> None:
    """Deploy APP (a .py file, a folder with a main.py, or a node file) and start it."""
    from hedgerow.device.deploy import deploy
    from hedgerow.device.ports import choose_port

    chosen = choose_port(port)
    report = deploy(
        app,
        port=chosen,
        baud=baud,
        healthy_after_s=healthy_after_s,
        with_hedge=hedge,
        told=None if as_json else lambda text: click.echo(text, err=True),
    )
    click.echo(json.dumps(dataclasses.asdict(report)) if as_json else report.text())
    if monitor or plot:
        from hedgerow.cli.monitor_output import follow

        follow(chosen, baud, plot=plot)
