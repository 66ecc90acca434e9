"""The fog node: broker, ingest into SQLite, HTTP API and live page.

async with Gateway(GatewayConfig(db="farm.db", http_port=0, mqtt_port=0)) as gateway:
    print(gateway.http_url, gateway.mqtt_host, gateway.mqtt_port, gateway.broker_kind)
"""

from typing import TYPE_CHECKING, Any

from hedgerow.gateway.config import GatewayConfig

if TYPE_CHECKING:
    from hedgerow.gateway.service import Gateway

__all__ = ["Gateway", "GatewayConfig"]


def __getattr__(name: str) -> Any:
    if name == "Gateway":  # late: the web stack takes half a second to import
        from hedgerow.gateway.service import Gateway

        return Gateway
    raise AttributeError(name)
