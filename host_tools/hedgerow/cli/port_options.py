"""--port and --baud, the same for each command that talks to a board."""

from collections.abc import Callable
from typing import Any

import click


def port_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the two options; the port is the only board in sight if it is not given."""
    port = click.option("--port", help="Serial port; default: $HEDGEROW_PORT, the only board.")
    baud = click.option("--baud", default=115200, show_default=True, help="Not for native USB.")
    return port(baud(command))
