"""A broker that somebody else runs: only its address is needed."""

from urllib.parse import unquote, urlsplit

from hedgerow.errors import GatewayError
from hedgerow.gateway.broker.base import Broker
from hedgerow.gateway.config import GatewayConfig
from hedgerow.gateway.mqtt import BrokerAddress


class ExternalBroker:
    """Async context that yields the Broker of mqtt://[user:password@]host[:port]."""

    def __init__(self, config: GatewayConfig):
        self._broker = Broker("external", parse_url(config.broker, config.user, config.password))

    async def __aenter__(self) -> Broker:
        return self._broker

    async def __aexit__(self, *exc_info: object) -> None:
        return None


def parse_url(url: str, user: str | None, password: str | None) -> BrokerAddress:
    """Address in an mqtt:// URL; user and password fill in when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or 1883
    except ValueError as error:
        raise GatewayError(f"broker URL: {error}; expected mqtt://host:port") from error
    if parts.scheme != "mqtt" or not parts.hostname:
        raise GatewayError("broker URL: expected mqtt://[user:password@]host[:port]")
    if parts.username:
        user, password = unquote(parts.username), unquote(parts.password or "")
    return BrokerAddress(parts.hostname, port, user, password)
