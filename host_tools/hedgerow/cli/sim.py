"""`hedgerow sim`: a node file on the Unix port with simulated chips."""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hedgerow.cli.stopping import until_stopped
from hedgerow.errors import UsageError


@click.command("sim", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("node_file", metavar="NODE.toml", type=click.Path(path_type=Path))
@click.option("--replay", type=click.Path(path_type=Path), help="A CSV recording as the world.")
@click.option("--field", "in_field", is_flag=True, help="The simulated field (the default).")
@click.option("--map", "columns", multiple=True, metavar="CHANNEL=COLUMN", help="For --replay.")
@click.option("--weather", default="seattle", show_default=True, help="seattle or generated.")
@click.option("--days", type=click.FloatRange(min=0.01), help="Virtual days (field: 30).")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="First day (field: 2015-05-01).")
@click.option("--speed", type=click.FloatRange(min=0), default=0, help="Times real time; 0: most.")
@click.option("--gateway", help="URL of a running gateway, or: private.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Keep all files here.")
@click.option("--seed", default=0, show_default=True, help="Of rain hours and generated weather.")
@click.option("--broker", default="auto", show_default=True, help="Of a private gateway.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line on standard output.")
def command(
    node_file: Path,
    replay: Path | None,
    in_field: bool,
    columns: tuple[str, ...],
    start: datetime | None,
    as_json: bool,
    **others: Any,
) -> None:
    """Run a node file on the Unix port with simulated chips.

    The chips show a simulated field that answers to watering, or play back a recording. Records
    go to a running gateway if one answers at --gateway or http://127.0.0.1:8080, else to a private
    one. Exit code 1 if records were lost or stored twice.

    \b
    Examples:
      hedgerow sim node.toml --days 60
      hedgerow sim node.toml --replay soil_daily.csv --json
      hedgerow sim node.toml --replay r.csv --map soil.vwc=probe_2 --map ground.temp=t2
      hedgerow sim node.toml --speed 3600          an hour a second, to watch on the page
    """
    from hedgerow.sim.run import SimOptions, simulate

    if replay is not None and in_field:
        raise UsageError("--replay and --field exclude each other")
    options = SimOptions(
        node_file,
        replay=replay,
        columns=_columns(columns),
        start=start.date() if start else None,
        **others,
    )
    with _Bar() as bar:
        result = asyncio.run(until_stopped(simulate(options, bar.say, bar.show)))
    if result is None:
        raise click.Abort
    click.echo(json.dumps(result) if as_json else _table(result))
    sys.exit(1 if result["lost"] or result["duplicates"] else 0)


def _columns(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        channel, equals, column = pair.partition("=")
        if not equals or not channel or not column:
            raise UsageError(f"--map {pair}: write CHANNEL=COLUMN, e.g. soil.vwc=E1_s1_vwc_pct")
        found[channel] = column
    return found


def _table(result: dict[str, Any]) -> str:
    width = max(map(len, result))
    return "\n".join(
        f"{key:{width}}  {'-' if value is None else value}" for key, value in result.items()
    )


class _Bar:
    """Progress over virtual days on standard error; nothing if that is not a terminal."""

    def __enter__(self) -> "_Bar":
        from tqdm import tqdm

        self._bar = tqdm(
            total=1.0,
            unit="day",
            disable=not sys.stderr.isatty(),
            bar_format="{l_bar}{bar}| {n:.0f}/{total:.0f} days [{elapsed}<{remaining}]",
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def say(self, text: str) -> None:
        self._bar.clear()
        click.echo(text, err=True)

    def show(self, days: float, of_days: float) -> None:
        self._bar.total = of_days
        self._bar.update(days - self._bar.n)
