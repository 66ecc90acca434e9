"""`hedgerow lns`: a LoRaWAN network server for one site."""

import logging
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hedgerow.errors import UsageError

if TYPE_CHECKING:
    from hedgerow.gateway.mqtt import BrokerAddress
    from hedgerow.lns.devices import Site

_EPILOG = """\b
Examples:
  hedgerow lns --devices devices.toml            gateways with Semtech's packet forwarder, udp 1700
  hedgerow lns --devices devices.toml --send bed-3=soil.hgm
  hedgerow lns --devices devices.toml --list     who was heard, how well
  hedgerow lns --chirpstack mqtt://chirpstack.local      ChirpStack v4 has the gateways
"""


@click.command(epilog=_EPILOG, context_settings={"max_content_width": 99})
@click.option(
    "--devices",
    type=click.Path(path_type=Path),
    help="TOML: region and a [[device]] each with name and keys.",
)
@click.option("--db", type=click.Path(path_type=Path), default="lns.db", show_default=True)
@click.option("--host", default="0.0.0.0", show_default=True, help="Where gateways connect.")
@click.option("--port", default=1700, show_default=True, help="UDP; 0: any free one.")
@click.option(
    "--broker",
    default="mqtt://127.0.0.1:1883",
    show_default=True,
    metavar="URL",
    help="Of `hedgerow gateway`: records go there, acks come from there.",
)
@click.option("--ca", type=click.Path(path_type=Path), help="For mqtts://: its authority, PEM.")
@click.option("--chirpstack", metavar="URL", help="Broker of a ChirpStack v4; no gateways here.")
@click.option(
    "--send", multiple=True, metavar="DEVICE=FILE", help="Send a file in fragments (TS004)."
)
@click.option("--fragment-bytes", default=48, show_default=True, help="Fits every data rate.")
@click.option("--list", "listing", is_flag=True, help="Show the devices that --db knows, and end.")
@click.option("--forget", metavar="DEVICE", help="Forget its nonces and session, and end.")
@click.option("--user", help="Account at both brokers, if it is not in the URL.")
@click.option("--password-file", type=click.Path(path_type=Path), help="Its first line.")
@click.option("-v", "--verbose", is_flag=True)
def command(
    *,
    devices: Path | None,
    db: Path,
    host: str,
    port: int,
    broker: str,
    ca: Path | None,
    chirpstack: str | None,
    send: tuple[str, ...],
    fragment_bytes: int,
    listing: bool,
    forget: str | None,
    user: str | None,
    password_file: Path | None,
    verbose: bool,
) -> None:
    """Join server, ADR, downlinks and records for LoRaWAN devices (uplink kind = "lorawan").

    State is committed to --db before any answer. Runs until Ctrl-C.
    """
    from hedgerow.gateway.config import read_account
    from hedgerow.lns.devices import read_site
    from hedgerow.lns.run import LnsOptions, run

    if devices is None and chirpstack is None:
        raise UsageError("--devices or --chirpstack is needed, see --help")
    if ca and not any(str(url).startswith("mqtts:") for url in (broker, chirpstack)):
        raise UsageError("--ca is for a broker with TLS: write its URL with mqtts://")
    site = read_site(devices) if devices else None
    if listing or forget:
        _look(db, site, forget)
        return
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    user, password = read_account(user, password_file)
    options = LnsOptions(
        db,
        _address(broker, user, password, ca),
        site=site,
        host=host,
        port=port,
        chirpstack=_address(chirpstack, user, password, ca) if chirpstack else None,
        send=[_pair(text) for text in send],
        fragment_bytes=fragment_bytes,
    )
    run(options, lambda text: click.echo(f"lns: {text}", err=True))


def _address(url: str, user: str | None, password: str | None, ca: Path | None) -> "BrokerAddress":
    """ca: for those of the two brokers that speak TLS."""
    from hedgerow.gateway.broker.external import parse_url

    return parse_url(url, user, password, ca=ca if url.startswith("mqtts:") else None)


def _look(db: Path, site: "Site | None", forget: str | None) -> None:
    from hedgerow.lns.database import Database, lock_of
    from hedgerow.lns.listing import device_lines, forget_device

    if site is None:
        raise UsageError("--list and --forget need --devices")
    if not db.is_file():
        raise UsageError(f"no {db}: name the server's --db")
    writing = lock_of(db) if forget else nullcontext()
    with writing, closing(Database(db)) as database:
        lines = [forget_device(database, site, forget)] if forget else device_lines(database, site)
    click.echo("\n".join(lines))


def _pair(text: str) -> tuple[str, Path]:
    device, equals, path = text.partition("=")
    if not equals:
        raise UsageError(f"--send {text}: expected DEVICE=FILE")
    return device, Path(path)
