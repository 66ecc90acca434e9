"""Nodes, a relay and repeaters as processes on a lossy simulated air."""

import contextlib
from pathlib import Path
from typing import Any

from node import Node

from hedgerow import paths
from hedgerow.emulate.espnow import air as air_module
from hedgerow.emulate.espnow.air import Air

_ON_UNIX = Path(air_module.__file__).parent / "on_unix"
_RELAY = Path(__file__).with_name("upy") / "espnow_relay_node.py"


class EspnowSite:
    """Processes by the last byte of their MAC; leaving it ends them all. air: an Air."""

    def __init__(self, micropython: Path, folder: Path):
        self._micropython, self._folder = micropython, folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "EspnowSite":
        self.air = self._stack.enter_context(Air())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @staticmethod
    def mac(last: int) -> bytes:
        return bytes([2, 0, 0, 0, 0, last])

    def start(self, last: int, scenario: str, **args: Any) -> Node:
        return self._stack.enter_context(self.make(last, scenario, **args))

    def make(self, last: int, scenario: str, **args: Any) -> Node:
        """Not yet running."""
        folders = [_ON_UNIX, paths.firmware_dir(), Path(paths.firmware_dir()) / "apps"]
        node = Node(self._micropython, scenario, path=folders, **args)
        node._env |= {"ESPNOW_AIR": str(self.air.port), "ESPNOW_MAC": self.mac(last).hex()}
        return node

    def relay(self, broker_port: int, scenario: str = "relay", last: int = 1) -> Node:
        settings = str(self._folder / "relay.json")
        relay = self.start(last, scenario, script=_RELAY, port=broker_port, settings=settings)
        relay.expect("ready")
        return relay

    def node(self, last: int, scenario: str, device: str = "bed-3", **args: Any) -> Node:
        return self.start(last, scenario, kind="espnow", channel=1, device=device, **args)
