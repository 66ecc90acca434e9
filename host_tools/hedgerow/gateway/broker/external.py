"""A broker that somebody else runs: only its address is needed."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from hedgerow.errors import GatewayError
from hedgerow.gateway.broker.base import Broker
from hedgerow.gateway.config import GatewayConfig
from hedgerow.gateway.mqtt import BrokerAddress

_PORTS = {"mqtt": 1883, "mqtts": 8883}


class ExternalBroker:
    """Async context that yields the Broker of mqtt[s]://[user:password@]host[:port]."""

    def __init__(self, config: GatewayConfig):
        address = parse_url(config.broker, config.user, config.password, ca=config.ca)
        self._broker = Broker("external", address)

    async def __aenter__(self) -> Broker:
        return self._broker

    async def __aexit__(self, *exc_info: object) -> None:
        return None


def parse_url(
    url: str, user: str | None, password: str | None, *, ca: Path | None = None
) -> BrokerAddress:
    """Address in an mqtt:// or mqtts:// URL; user and password fill in when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise GatewayError(f"broker URL: {error}; expected mqtt://host:port") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise GatewayError("broker URL: expected mqtt:// or mqtts://[user:password@]host[:port]")
    tls = parts.scheme == "mqtts"
    if ca is not None and not tls:
        raise GatewayError("a certificate (ca) is for TLS: write the broker's URL with mqtts://")
    if parts.username:
        user, password = unquote(parts.username), unquote(parts.password or "")
    return BrokerAddress(parts.hostname, port, user, password, tls, ca)
