"""`hedgerow flash`: put firmware on an attached board."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from hedgerow.errors import UsageError

_EPILOG = """\b
Examples:
  hedgerow flash --list                        which boards are attached
  hedgerow flash --list --probe                asks each one (stops its program)
  hedgerow flash firmware.uf2                  RP2: in BOOTSEL mode, or running MicroPython
  hedgerow flash firmware.bin --port /dev/ttyUSB0
  hedgerow flash --board RPI_PICO              builds the firmware (hedgerow toolchain pico)
  hedgerow flash --board ESP32_GENERIC_C3      downloads the official one (micropython.org)
  hedgerow flash --board RPI_PICO --release 1.25.0
  hedgerow flash firmware.uf2 --app my_node/   and deploys an app once the prompt answers

\b
Exit codes: 0 flashed and answering, 6 not flashed (the message says whether anything was written),
2 wrong usage, 3 unknown board.
"""


@click.command(epilog=_EPILOG)
@click.argument("firmware", required=False, type=click.Path(path_type=Path))
@click.option("--board", help="What it is: also compares chip and flash size with boards/.")
@click.option("--release", metavar="VERSION", help="Download this official release.")
@click.option("--sha256", metavar="HEX", help="What the official firmware must have.")
@click.option("--port", help="Serial port of the board.")
@click.option("--drive", type=click.Path(path_type=Path), help="Drive of an RP2 board.")
@click.option("--app", type=click.Path(path_type=Path), help="Then deploy this app.")
@click.option("--list", "list_only", is_flag=True, help="Only list the boards in sight.")
@click.option("--probe", is_flag=True, help="With --list: ask each board; stops its program.")
@click.option("--no-repl", is_flag=True, help="Do not wait for the prompt.")
@click.option("--baud", default=460800, show_default=True, help="ESP32: speed of writing.")
@click.option("--no-stub", is_flag=True, help="ESP32: only the boot ROM; slow, but always there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    *,
    firmware: Path | None,
    board: str | None,
    release: str | None,
    sha256: str | None,
    port: str | None,
    drive: Path | None,
    app: Path | None,
    list_only: bool,
    probe: bool,
    no_repl: bool,
    baud: int,
    no_stub: bool,
    as_json: bool,
) -> None:
    """Flash FIRMWARE (.uf2 or .bin) to the attached board, verify it, wait for its prompt."""
    from hedgerow.device.find import attached
    from hedgerow.device.flash import Options, firmware_for, flash

    if list_only:
        from hedgerow.device.probe import probed

        items = [probed(item) if probe else item for item in attached()]
        found = [dataclasses.asdict(item) for item in items]
        click.echo(json.dumps(found) if as_json else _listed(found))
        return
    repl_s = 0.0 if no_repl else Options.repl_s
    if app is not None and no_repl:
        raise UsageError("--app is deployed over the prompt: leave --no-repl away")
    options = Options(board, port, drive, repl_s, baud=baud, stub=not no_stub)
    firmware = firmware or firmware_for(board, release=release, sha256=sha256)
    with _Bar() as bar:
        done = flash(firmware, options, bar.show, app=app)
    click.echo(json.dumps(dataclasses.asdict(done), default=str) if as_json else _told(done))


class _Bar:
    """A progress bar on standard error, from the first step on."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, done: int, total: int) -> None:
        from tqdm import tqdm

        if self._bar is None:
            layout = "{desc} {percentage:3.0f}% |{bar}| {elapsed}"
            self._bar = tqdm(total=total, desc="flash", bar_format=layout, disable=None)
        self._bar.update(done - self._bar.n)


def _listed(found: list[dict[str, Any]]) -> str:
    if not found:
        return "no board in sight: plug one in with a cable that carries data"
    return "\n".join(
        f"{item['where']:<20} {item['mode']:<7} {item['description']}"
        + (f"  ({', '.join(item['boards'])})" if item["boards"] else "")
        for item in found
    )


def _told(done: Any) -> str:
    text = f"{done.image}: {done.size_bytes} bytes on {done.chip} at {done.where}"
    text += f" in {done.seconds:.1f} s, verified: {done.verified}"
    text += f"\n{done.port}: {done.banner}" if done.banner else ""
    return f"{text}\n{done.deployed.text()}" if done.deployed else text
