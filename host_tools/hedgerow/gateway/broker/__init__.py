"""Which broker carries the messages: one that runs already, a spawned mosquitto, or in-process.

async with start_broker(config, alert) as broker:
    broker.kind, broker.address
"""

from contextlib import AbstractAsyncContextManager

from hedgerow.errors import GatewayError
from hedgerow.gateway.broker.base import Broker, Report
from hedgerow.gateway.broker.external import ExternalBroker
from hedgerow.gateway.broker.inprocess import PythonBroker
from hedgerow.gateway.broker.mosquitto import MosquittoBroker, find_mosquitto
from hedgerow.gateway.config import GatewayConfig

__all__ = ["Broker", "start_broker"]


def start_broker(config: GatewayConfig, report: Report) -> AbstractAsyncContextManager[Broker]:
    """The broker that config.broker names. Raises GatewayError for a word it does not know.

    report(text): called with why the broker is down, and with "" when it is up again.
    """
    if "://" in config.broker:
        return ExternalBroker(config)
    kind = config.broker
    if kind == "auto":
        kind = "mosquitto" if find_mosquitto() else "python"
    if kind == "mosquitto":
        return MosquittoBroker(config, report)
    if kind == "python":
        return PythonBroker(config)
    raise GatewayError(
        f"broker {config.broker!r}: use auto, mosquitto, python or mqtt://user:password@host:port"
    )
