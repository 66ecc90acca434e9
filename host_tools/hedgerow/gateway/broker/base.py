"""What the gateway needs to know of its broker."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from hedgerow.errors import GatewayError
from hedgerow.gateway.mqtt import BrokerAddress

Report = Callable[[str], None]

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


@dataclass(frozen=True)
class Broker:
    """kind: external, mosquitto or python; address: where the gateway itself connects."""

    kind: str
    address: BrokerAddress


def local_address(host: str, port: int, user: str | None, password: str | None) -> BrokerAddress:
    """How this computer reaches a broker that listens on host."""
    return BrokerAddress(_WILDCARDS.get(host, host), port, user, password)


def free_port(host: str, port: int) -> int:
    """`port` if nothing listens there, a free one for 0. Raises GatewayError.

    SO_REUSEADDR, as the brokers set it: connections of the last run in TIME_WAIT do not count.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise GatewayError(
                f"the broker cannot listen on {host}:{port}: {error}; if a broker runs there, use "
                f"it with --broker mqtt://{_WILDCARDS.get(host, host)}:{port}, or choose another "
                f"--mqtt-port (0: any free one)"
            ) from error
        return int(probe.getsockname()[1])
