"""`hedgerow bridge`: boards on cables send their records over MQTT."""

import os
import signal
from pathlib import Path

import click

_EPILOG = """\b
Examples:
  hedgerow bridge                                every board on this computer, to its gateway
  hedgerow bridge --port /dev/ttyACM0 --port /dev/ttyUSB0
  hedgerow bridge --broker mqtts://farm.example --ca ca.pem --user farm --password-file pw.txt
"""


@click.command(epilog=_EPILOG, context_settings={"max_content_width": 99})
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="PORT",
    help="Serial port or socket://host:port; repeat it for more. Default: $HEDGEROW_PORT, else "
    "auto: every board in sight, also those that come later.",
)
@click.option("--baud", type=click.IntRange(min=1), default=115200, show_default=True)
@click.option("--broker", default="mqtt://127.0.0.1:1883", show_default=True, metavar="URL")
@click.option("--user", help="Account at the broker, if it is not in the URL.")
@click.option("--password-file", type=click.Path(path_type=Path), help="Its first line.")
@click.option("--ca", type=click.Path(path_type=Path), help="For mqtts://: its authority, PEM.")
@click.option("-q", "--quiet", is_flag=True, help="Do not pass on what the boards print.")
def command(
    *,
    ports: tuple[str, ...],
    baud: int,
    broker: str,
    user: str | None,
    password_file: Path | None,
    ca: Path | None,
    quiet: bool,
) -> None:
    """Carry frames and acks between boards on serial lines (uplink kind = "serial") and a broker.

    A board is at the broker under its own name, as if it had a network: gateway and page see no
    difference. What it prints besides goes to standard error. Runs until Ctrl-C.
    """
    from hedgerow.bridge.bridge import Bridge
    from hedgerow.device.ports import VARIABLE
    from hedgerow.gateway.broker.external import parse_url
    from hedgerow.gateway.config import read_account

    user, password = read_account(user, password_file)
    address = parse_url(broker, user, password, ca=ca)
    wanted = list(ports) or [os.environ.get(VARIABLE) or "auto"]
    named = [] if wanted == ["auto"] else wanted
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Bridge(
            named,
            address,
            baud=baud,
            told=lambda text: click.echo(f"bridge: {text}", err=True),
            on_text=lambda name, line: None if quiet else click.echo(f"{name}| {line}", err=True),
        ) as bridge:
            where = ", ".join(named) or "every board in sight"
            click.echo(f"bridge: {where} to {address!r}; Ctrl-C ends it", err=True)
            bridge.wait()
    except KeyboardInterrupt:
        click.echo("bridge: ended", err=True)
