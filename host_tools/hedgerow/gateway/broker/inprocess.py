"""The in-process Python broker (amqtt), for computers without mosquitto.

It keeps sessions in memory only, and is slower (README.md has figures). Nothing is lost by that:
nodes keep their records until the gateway has committed them.
"""

import contextlib
import hmac
import logging
from dataclasses import dataclass

from amqtt.contexts import BaseContext, BrokerConfig, ListenerConfig
from amqtt.errors import BrokerError
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from hedgerow.errors import GatewayError
from hedgerow.gateway.broker.base import Broker, free_port, local_address
from hedgerow.gateway.broker.quiet_amqtt import QuietAmqtt
from hedgerow.gateway.config import GatewayConfig

_ANYONE = "amqtt.plugins.authentication.AnonymousAuthPlugin"
_ACCOUNT = "hedgerow.gateway.broker.inprocess.AccountPlugin"


class AccountPlugin(BaseAuthPlugin):
    """Lets in only the one account of GatewayConfig."""

    @dataclass
    class Config:
        user: str = ""
        password: str = ""

    config: Config

    def __init__(self, context: BaseContext):
        super().__init__(context)

    async def authenticate(self, *, session: Session) -> bool:
        user, password = session.username or "", session.password or ""
        same_user = hmac.compare_digest(user.encode(), self.config.user.encode())
        return same_user and hmac.compare_digest(password.encode(), self.config.password.encode())


class PythonBroker:
    """Async context around amqtt's broker, in the gateway's own event loop."""

    def __init__(self, config: GatewayConfig):
        self._config = config
        self._amqtt: QuietAmqtt | None = None

    async def __aenter__(self) -> Broker:
        config = self._config
        # It logs each packet and each lost client with a traceback; ours is the log that matters.
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        port = free_port(config.mqtt_host, config.mqtt_port)
        self._amqtt = QuietAmqtt(self._broker_config(port))
        try:
            await self._amqtt.start()
        except BrokerError as error:
            raise GatewayError(f"in-process broker did not start: {error}") from error
        address = local_address(config.mqtt_host, port, config.user, config.password)
        return Broker("python", address)

    async def __aexit__(self, *exc_info: object) -> None:
        if self._amqtt:
            with contextlib.suppress(BrokerError):
                await self._amqtt.shutdown()

    def _broker_config(self, port: int) -> BrokerConfig:
        host = self._config.mqtt_host
        bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        plugins: dict = {_ANYONE: {"allow_anonymous": True}}
        if self._config.user is not None:
            plugins = {
                _ACCOUNT: {"user": self._config.user, "password": self._config.password or ""}
            }
        return BrokerConfig(listeners={"default": ListenerConfig(bind=bind)}, plugins=plugins)
