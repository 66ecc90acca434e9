"""A node with two links, MQTT and LoRaWAN: broker, gateway, network server and air around it.

The node has real sockets, so the air's virtual time runs at a fixed multiple of real time.
"""

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from lorawan_site import START_S, FarmSite

from hedgerow.emulate.lora.channel import Place
from hedgerow.emulate.lora.world import Device, World
from hedgerow.lns.records import Submit
from hedgerow.toolchain.unix import find_micropython
from hedgerow.transport.unix_process import device_path

_NODE = Path(__file__).with_name("upy") / "failover_node.py"
_EUI = bytes(7) + b"\x01"
_LIMIT_S = 120.0
KEYS = {"dev_eui": f"{1:016x}", "join_eui": f"{7:016x}", "app_key": "0" * 32}
_DEVICES = """
region = "EU868"
rx1_delay_s = 5
[[device]]
name = "bed-0"
"""


class Site(FarmSite):
    """speed: virtual seconds in a real one. submit: where the network server's records go.

    carried: frames that came by radio.
    """

    def __init__(self, folder: Path, speed: float, submit: Submit | None = None):
        self._inner = submit
        self.carried = 0
        super().__init__(folder, 1)
        self._speed = speed
        self._began_s = time.monotonic()
        self.world.pace = self._pace

    async def _submit(self, device: str, frame: bytes) -> bytes:
        assert self._inner
        ack = await self._inner(device, frame)
        self.carried += 1
        return ack

    async def _pace(self, next_us: int) -> None:
        early_s = self._began_s + next_us / 1e6 / self._speed - time.monotonic()
        if early_s > 0:
            await asyncio.sleep(early_s)

    def real_us(self) -> int:
        """Virtual microseconds that real time has come to."""
        return int((time.monotonic() - self._began_s) * self._speed * 1e6)

    def add_gateway(self) -> None:
        self.world.add_gateway(_EUI, Place(0, 0))

    async def start_node(self, mqtt_port: int, **run: Any) -> Device:
        """run: records, pace_ms, holds."""
        mqtt = {"kind": "mqtt", "host": "127.0.0.1", "port": mqtt_port}
        links = [mqtt, {"kind": "lorawan", "host": "the air", "region": "EU868", **KEYS}]
        options = {"after_failures": 2, "after_s": 5, "return_s": 1}
        args = {"cfg": {"kind": "failover", "links": links, **options}, **run}
        args |= {"device": "bed-0", "dir": str(self.folder), "start_s": START_S}
        environment = dict(os.environ, MICROPYPATH=device_path(), SCENARIO=json.dumps(args))
        command = [str(find_micropython()), "-X", "heapsize=1M", str(_NODE)]
        log = self.folder / "node.log"
        return await self.world.add_device("bed-0", Place(40, 0), command, environment, log)

    async def until(self, check: Callable[[], bool], what: str) -> None:
        """Let time pass until check() holds."""
        end_s = time.monotonic() + _LIMIT_S
        over = lambda: check() or time.monotonic() > end_s  # noqa: E731
        await self.world.run(self.world.now_us / 1e6 + 1e6, over)
        assert check(), f"no {what} in {_LIMIT_S} s: {self.said()[-1500:]}"

    def said(self) -> str:
        return "\n".join(self.world.devices["bed-0"].told)


class UdpFront(asyncio.DatagramProtocol):
    """In place of a World's front: its one gateway has a network server at real datagrams."""

    def __init__(self, site: Site):
        self._site = site
        self._open: dict[bytes, object] = {}  # the World asks; nothing is answered here

    def take(self, data: bytes, gateway: object) -> tuple[list, list]:
        self._transport.sendto(data)
        self._site.carried += data[3] == 0  # PUSH_DATA
        return [], []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        world: World = self._site.world
        world.now_us = max(world.now_us, self._site.real_us())
        world._to_gateway(world.gateways[0], data)


@contextlib.asynccontextmanager
async def network_server(site: Site, broker_port: int, port: int) -> AsyncIterator[None]:
    """`hedgerow lns` as a process; the site's gateway is connected to it."""
    devices = site.folder / "devices.toml"
    devices.write_text(_DEVICES + "".join(f'{k} = "{v}"\n' for k, v in KEYS.items()))
    command = [sys.executable, "-c", "from hedgerow.cli.main import main; main()", "lns"]
    command += ["--devices", str(devices), "--db", str(site.folder / "lns-own.db")]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--broker", f"mqtt://127.0.0.1:{broker_port}"]
    with (site.folder / "lns.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        loop = asyncio.get_running_loop()
        front = UdpFront(site)
        await _until_it_serves(site.folder / "lns.log")
        await loop.create_datagram_endpoint(lambda: front, remote_addr=("127.0.0.1", port))
        site.world.front = front  # type: ignore[assignment]
        yield
    finally:
        process.terminate()
        process.wait(60)


async def _until_it_serves(log: Path) -> None:
    for _ in range(2400):
        if "gateways at udp" in log.read_text():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"hedgerow lns does not start: {log.read_text()}")


class Farm:
    """Broker and gateway with its database; the node's line to the broker is a relay."""

    def __init__(self, broker: Any, gateway: Any, relay: Any, db: Path):
        self.broker, self.gateway, self.relay, self._db = broker, gateway, relay, db

    def cut(self) -> None:
        """What is open dies, and nobody listens any more."""
        self.relay.__exit__()

    def mend(self) -> None:
        self.relay.__enter__()

    def numbers(self) -> list[int]:
        """Of the records in the database; a record that came twice under two names shows here."""
        with contextlib.closing(sqlite3.connect(self._db)) as db:
            rows = db.execute("SELECT payload FROM record").fetchall()
        return sorted(int(row[0].split()[1]) for row in rows)
