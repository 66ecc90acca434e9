"""Which port to use: the one that is named, or the only board in sight."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hedgerow.device.link_errors import PortError

if TYPE_CHECKING:
    from hedgerow.device.find import Attached

VARIABLE = "HEDGEROW_PORT"


def choose_port(port: str | None, find: "Callable[[], Sequence[Attached]] | None" = None) -> str:
    """port, else $HEDGEROW_PORT, else the only board that is not in its boot loader.

    Raises PortError: none, or which ones there are to choose from.
    """
    named = port or os.environ.get(VARIABLE)
    if named:
        return named
    found = find() if find else _attached()
    ports = [board for board in found if board.kind == "serial" and board.mode != "boot"]
    if len(ports) == 1:
        return ports[0].where
    if ports:
        names = ", ".join(f"{board.where} ({board.description})" for board in ports)
        raise PortError(f"more than one board: choose one with --port: {names}")
    if found:
        raise PortError(
            f"{found[0].where}: the board is in its boot loader: `hedgerow flash` first"
        )
    raise PortError(
        "no board found: plug one in, with a cable that carries data; a port that is not listed "
        "can be named with --port"
    )


def _attached() -> "list[Attached]":
    from hedgerow.device.find import (
        attached,
    )  # reads all of boards/: 0.15 s that a named port saves

    return attached()
