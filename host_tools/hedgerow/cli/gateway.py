"""`hedgerow gateway`: broker, ingest, HTTP API and live page."""

import logging
from pathlib import Path

import click

from hedgerow.errors import UsageError
from hedgerow.gateway.config import DEFAULT_DB, GatewayConfig, read_account, read_keys

_EXAMPLES = """
\b
Examples:
  hedgerow gateway                                   everything on this computer
  hedgerow gateway --http-host 0.0.0.0 --mqtt-host 0.0.0.0 \\
      --user farm --password-file pw.txt             for boards and phones on the network
  hedgerow gateway --broker mqtt://10.0.0.2:1883     a broker that runs already
  hedgerow gateway --coap 5683 --coap-host 0.0.0.0   nodes with kind = "coap" too
  hedgerow gateway --home-assistant --sparkplug farm show the nodes to other systems
"""


@click.command(epilog=_EXAMPLES, context_settings={"max_content_width": 99})
@click.option("--db", type=click.Path(path_type=Path), default=DEFAULT_DB, show_default=True)
@click.option(
    "--http-host", default="127.0.0.1", show_default=True, help="Where the page listens."
)
@click.option("--http-port", default=8080, show_default=True, help="0: any free one.")
@click.option("--mqtt-host", default="127.0.0.1", show_default=True, help="Where nodes connect.")
@click.option("--mqtt-port", default=1883, show_default=True, help="0: any free one.")
@click.option(
    "--broker",
    default="auto",
    show_default=True,
    help="auto, mosquitto, python, or the mqtt:// or mqtts:// URL of a running one.",
)
@click.option("--ca", type=click.Path(path_type=Path), help="For mqtts://: its authority, PEM.")
@click.option("--user", help="Account that nodes must use (or ours, at a running broker).")
@click.option("--password-file", type=click.Path(path_type=Path), help="Its first line.")
@click.option("--keys", type=click.Path(path_type=Path), help="Frame keys: `device hexkey` lines.")
@click.option("--coap", "coap_port", type=int, help="Take frames over CoAP on this UDP port.")
@click.option("--coap-host", default="127.0.0.1", show_default=True, help="Where nodes send CoAP.")
@click.option(
    "--coap-keys",
    type=click.Path(path_type=Path),
    help="OSCORE secrets: `device hexkey` lines; then CoAP takes nothing without.",
)
@click.option("--home-assistant", is_flag=True, help="Show the nodes in Home Assistant (MQTT).")
@click.option(
    "--sparkplug", metavar="GROUP[/EDGE]", help="Be a Sparkplug B edge node of this group."
)
@click.option("--note", default="", help="One line to show on the page.")
@click.option("--no-time", is_flag=True, help="Do not set the nodes' clocks.")
@click.option("-v", "--verbose", is_flag=True)
def command(
    db: Path,
    http_host: str,
    http_port: int,
    mqtt_host: str,
    mqtt_port: int,
    broker: str,
    ca: Path | None,
    user: str | None,
    password_file: Path | None,
    keys: Path | None,
    coap_port: int | None,
    coap_host: str,
    coap_keys: Path | None,
    home_assistant: bool,
    sparkplug: str | None,
    note: str,
    no_time: bool,
    verbose: bool,
) -> None:
    """Run broker, ingest, HTTP API and live page until Ctrl-C."""
    if ca and "://" not in broker:
        raise UsageError("--ca is for a broker that runs already: --broker mqtts://HOST")
    if coap_keys and coap_port is None:
        raise UsageError("--coap-keys needs --coap, the port that CoAP listens on (5683)")
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    from hedgerow.gateway.mirror.sparkplug import parse_place
    from hedgerow.gateway.service import Gateway, run  # late: `--help` stays quick

    def say(gateway: Gateway) -> None:
        click.echo(f"page   {gateway.http_url}/")
        click.echo(f"mqtt   {gateway.mqtt_host}:{gateway.mqtt_port} ({gateway.broker_kind})")
        if gateway.coap_port:
            secured = ", OSCORE only" if config.coap_keys else ""
            click.echo(f"coap   {coap_host}:{gateway.coap_port}{secured}")
        click.echo(f"data   {config.db_path}")
        if ways := config.open_ways():
            text = "anyone in this network can send records; --user or --keys let in who you know"
            click.echo(f"note   {', '.join(ways)}: {text}", err=True)

    user, password = read_account(user, password_file)
    config = GatewayConfig(
        db=db,
        http_host=http_host,
        http_port=http_port,
        mqtt_host=mqtt_host,
        mqtt_port=mqtt_port,
        broker=broker,
        ca=ca,
        user=user,
        password=password,
        keys=read_keys(keys) if keys else {},
        coap_host=coap_host,
        coap_port=coap_port,
        coap_keys=read_keys(coap_keys) if coap_keys else {},
        home_assistant=home_assistant,
        sparkplug=parse_place(sparkplug) if sparkplug is not None else None,
        note=note,
        give_time=not no_time,
    )
    run(config, say)
