"""A field site for network faults: node, road, broker, gateway, and the hands that break them.

with Site(thread, micropython, mosquitto, folder, node={"version": 5}) as site:
    site.start_node()
    site.wait_rows(3)
    site.road_do("cut")
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parent.parent.parent
sys.path[:0] = [str(_TESTS / "interop"), str(_TESTS / "unit")]

from gateway_stub import GatewayStub  # noqa: E402  found through the line above
from name_server import NameServer  # noqa: E402
from node import Node  # noqa: E402
from peers import LoopThread, Mosquitto, Rogue  # noqa: E402
from ports import free_port  # noqa: E402, F401

from hedgerow import paths  # noqa: E402
from hedgerow.sim.linkproxy import LinkProxy  # noqa: E402

_SCRIPT = Path(__file__).with_name("upy") / "net_node.py"
Shape = Callable[[bytes, bool], Awaitable[bytes]]


class Road(LinkProxy):
    """A LinkProxy that can also lead elsewhere, forget connections, and treat bytes badly.

    shape(data, up): awaits, and gives what is passed on; None passes all.
    """

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.shape: Shape | None = None
        self._forgotten = 0  # connections numbered up to this carry nothing

    def lead_to(self, port: int) -> None:
        self._target = ("127.0.0.1", port)

    def forget(self) -> None:
        """As a NAT whose table was lost: what is open goes nowhere, without a word."""
        self._forgotten = self.connections

    def mistreat(self, shape: Shape | None) -> None:
        self.shape = shape

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # at the end of the loop
            await super()._serve(reader, writer)

    async def _relay(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, up: bool
    ) -> None:
        number = self.connections
        try:
            while data := await source.read(65536):
                await self._flowing.wait()
                if self._refusing:
                    return
                if number <= self._forgotten:
                    continue
                if self.shape:
                    data = await self.shape(data, up)
                sink.write(data)
                await sink.drain()
            while number <= self._forgotten:  # its end is not passed on either
                await asyncio.sleep(0.1)
        except OSError:
            return


class Site:
    """node: further arguments of the node's scenario. extra: lines of mosquitto.conf."""

    def __init__(
        self,
        thread: LoopThread,
        micropython: Path,
        mosquitto: Path,
        folder: Path,
        node: dict[str, Any],
        extra: str = "",
    ) -> None:
        self.thread = thread
        self.folder = folder
        self.dns = NameServer()
        self.broker = Mosquitto(mosquitto, folder, extra)
        self.road = Road(self.broker.port)
        self.gateway: GatewayStub | None = None
        self.tls_ports: dict[str, int] = {}
        self._rogues: list[Rogue] = []
        self._micropython = micropython
        self._node_args = node
        self._control: dict[str, Any] = {"air": {}}
        self.node: Node | None = None
        self.control()

    def __enter__(self) -> "Site":
        self.broker.start()
        self.thread.run(self.road.__aenter__())
        self.gateway = GatewayStub(self.broker.port).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self.node:
            self.node.kill()
        for rogue in self._rogues:
            rogue.__exit__()
        if self.gateway:
            self.gateway.__exit__()
        self.thread.run(self.road.__aexit__())
        self.broker.kill()
        self.dns.close()

    # Hands

    def control(self, **changes: Any) -> None:
        """Tell the node; the file is replaced as a whole."""
        self._control.update(changes)
        path = self.folder / "control.json"
        path.with_suffix(".new").write_text(json.dumps(self._control))
        path.with_suffix(".new").replace(path)

    def air(self, ssid: str, **how: Any) -> None:
        """An access point appears or changes."""
        points = self._control["air"]
        points[ssid] = {"on": True, "key": None, "dhcp": True, **points.get(ssid, {}), **how}
        self.control()

    def road_do(self, name: str, *args: Any) -> None:
        async def do() -> None:
            getattr(self.road, name)(*args)

        self.thread.run(do())

    def lead_astray(self, answer: bytes) -> None:
        """New connections reach something that answers so."""
        self._rogues.append(Rogue(self.thread, answer).__enter__())
        self.road_do("lead_to", self._rogues[-1].port)
        self.cut_once()

    def lead_home(self) -> None:
        self.road_do("lead_to", self.broker.port)
        self.cut_once()

    def cut_once(self) -> None:
        self.road_do("cut")
        self.road_do("restore")

    def gateway_off(self) -> None:
        assert self.gateway
        self.gateway.__exit__()

    def gateway_on(self) -> None:
        assert self.gateway
        known = self.gateway.gateways
        self.gateway = GatewayStub(self.broker.port)
        self.gateway.gateways = known
        self.gateway.__enter__()

    def broker_without_memory(self) -> None:
        self.broker.kill()
        (self.folder / "mosquitto.db").unlink(missing_ok=True)

    # What happens

    def start_node(self) -> None:
        folders = [paths.firmware_dir(), paths.host_tools_dir()]
        args = {"kind": "mqtt", "port": self.road.port, "path": folders, "script": _SCRIPT}
        args |= {"dir": str(self.folder / "log"), "control": str(self.folder / "control.json")}
        args |= {"dns": [["127.0.0.1", self.dns.port]]} | self._node_args
        self.node = self.make_node(self._micropython, args).__enter__()

    def make_node(self, micropython: Path, args: dict[str, Any]) -> Node:
        return Node(micropython, "net", **args)

    def numbers(self) -> set[int]:
        """Of the records that the gateway has committed."""
        assert self.gateway
        found = self.gateway.gateways.get("bed-3")
        return {int(payload) for payload in list(found.rows.values())} if found else set()

    def wait_rows(self, more: int, limit_s: float = 120.0) -> float:
        """Seconds until the gateway has that many records more than now."""
        start, wanted = time.monotonic(), len(self.numbers()) + more
        while len(self.numbers()) < wanted:
            took_s = time.monotonic() - start
            if took_s > limit_s:
                raise AssertionError(f"nothing came in {limit_s} s; {self.reasons()}")
            time.sleep(0.05)
        return time.monotonic() - start

    def reasons(self) -> list[str]:
        """Warnings of the node's log, the time left out."""
        assert self.node
        self.node.drain()
        return [line.split(" W ", 1)[1] for line in self.node.seen if " W " in line]

    def finish(self) -> dict[str, Any]:
        """Stop making records; the node's result once all are acknowledged."""
        assert self.node
        self.control(stop=True)
        return self.node.result()
