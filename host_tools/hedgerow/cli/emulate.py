"""`hedgerow emulate`: an emulated board with a serial line for mpremote and other programs."""

import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from hedgerow.emulate.pico.chip import PowerCut
from hedgerow.emulate.session import BOARDS, Line, PicoOptions, run_session


@click.command("emulate")
@click.argument("board", type=click.Choice(BOARDS))
@click.option("--pty/--no-pty", default=None, help="A terminal; the default without --port.")
@click.option("--link", type=click.Path(path_type=Path), help="Make this a link to the terminal.")
@click.option("--port", type=click.IntRange(0, 65535), help="TCP on localhost; 0: any free port.")
@click.option(
    "--flash", type=click.Path(path_type=Path), help="Pico: keep its 2 MB of flash in this file."
)
@click.option(
    "--region-kb", default=0, help="Pico: firmware of `hedgerow toolchain pico --region-kb`."
)
@click.option(
    "--cut-at", type=click.IntRange(1), help="Pico: cut the power at the Nth flash operation."
)
@click.option("--torn", is_flag=True, help="Half of that operation happens first.")
@click.option(
    "--speed",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Pico: its time against ours; 0: sleeps take none.",
)
@click.option(
    "--node",
    type=click.Path(path_type=Path),
    help="Pico: the sensors and the pump of this node file on its pins, in a simulated field.",
)
def command(
    *,
    board: str,
    pty: bool | None,
    link: Path | None,
    port: int | None,
    flash: Path | None,
    region_kb: int,
    cut_at: int | None,
    torn: bool,
    speed: float,
    node: Path | None,
) -> None:
    """Run an emulated board until Ctrl-C: the real firmware, with a REPL.

    Prints where to connect. mpremote, screen and hedgerow's own commands take it for a board.

    \b
    Examples:
      hedgerow emulate pico
      hedgerow emulate pico --flash field.bin --port 2323
        mpremote connect socket://localhost:2323 ls
      hedgerow emulate pico --flash field.bin --cut-at 40 --torn
      hedgerow emulate qemu-m3 --link /tmp/ttyQEMU
      hedgerow emulate pico --node bed-3/node.toml --link /tmp/ttyPICO
        hedgerow deploy bed-3/node.toml --port /tmp/ttyPICO
        hedgerow bridge --port /tmp/ttyPICO
    """
    if torn and cut_at is None:
        raise click.UsageError("--torn tears the operation that --cut-at names: give both")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    options = PicoOptions(
        flash=flash,
        region_kb=region_kb,
        cut_at=cut_at,
        torn=torn,
        speed=speed or None,
        node=node,
    )
    has_pty = port is None if pty is None else pty
    try:
        run_session(board, Line(has_pty, link, port), options, partial(_announce, board))
    except KeyboardInterrupt:
        click.echo(f"{board}: ended")
    except PowerCut as cut:
        how = "half of it had happened" if torn else "it did not happen"
        click.echo(f"{board}: the power was cut at flash operation {cut.operation}: {how}")


def _announce(board: str, addresses: Sequence[str]) -> None:
    lines = [f"  mpremote connect {address}" for address in addresses]
    click.echo("\n".join([f"{board}: the firmware runs, Ctrl-C ends it", *lines]))
