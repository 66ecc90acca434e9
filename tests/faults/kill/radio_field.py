"""The storm's LoRaWAN: a node on simulated air, two packet forwarders, `hedgerow lns` over UDP.

The air's time runs _SPEED times as fast as ours and the network's windows are so far apart that
the server, which lives in ours, has a second. What comes late is late for the node too.
"""

import asyncio
import contextlib
import json
import os
import random
import time
from pathlib import Path
from typing import Any

from peers import LoopThread, soon
from tool import Tool

from hedgerow.emulate.lora.channel import Burst, Channel, Place
from hedgerow.emulate.lora.world import Device, Gateway, World
from hedgerow.lns import semtech
from hedgerow.transport.unix_process import device_path

_SPEED = 10
_RX1_DELAY_S = 10  # of the air
_TICK_S = 0.005
_MOST_LAG_S = 0.1  # of ours: where the computer stalls, the air stands still
_PULL_US = 8_000_000
# No duty cycle: the law would have a record wait for a minute.
_REGION = "IN865"
_KEYS = {"dev_eui": f"{7:016x}", "join_eui": f"{1:016x}", "app_key": f"{99:032x}"}
UPLINK = {"kind": "lorawan", "region": _REGION, **_KEYS}
_SITE = f"""
region = "{_REGION}"
rx1_delay_s = {_RX1_DELAY_S}

[[device]]
name = "lorawan"
""" + "\n".join(f'{name} = "{value}"' for name, value in _KEYS.items())


def lns(folder: Path, port: int, broker_port: int) -> Tool:
    """`hedgerow lns`, not started."""
    devices = folder / "devices.toml"
    devices.write_text(_SITE)
    arguments = ["lns", "--devices", str(devices), "--db", str(folder / "lns.db")]
    arguments += ["--host", "127.0.0.1", "--port", str(port)]
    broker = f"mqtt://127.0.0.1:{broker_port}"
    return Tool(folder / "lns.log", *arguments, "--broker", broker)


class Forwarder(asyncio.DatagramProtocol):
    """A packet forwarder's socket: what comes in is for its gateway of the air."""

    def __init__(self, field: "RadioField", gateway: Gateway) -> None:
        self._field, self._gateway = field, gateway
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple) -> None:
        self._field.pulls_acked += data[3] == semtech.PULL_ACK
        self._field._to_gateway(self._gateway, data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens: the server was killed."""


class RadioField(World):
    """loss: of packets at each receiver. double: of datagrams that the server gets twice, late."""

    def __init__(
        self, thread: LoopThread, lns_port: int, seed: int, loss: float = 0.3, double: float = 0.1
    ) -> None:
        super().__init__(None, Channel(seed, loss=loss), int(time.time()))
        self.thread = thread
        self.doubled = self.heard_twice = self.pulls_acked = 0
        self._dice = random.Random(seed)
        self._double = double
        self._forwarders: dict[Gateway, Forwarder] = {}
        self._step = asyncio.Lock()
        thread.run(self._begin(lns_port))

    async def _begin(self, lns_port: int) -> None:
        loop = asyncio.get_running_loop()
        for number in (1, 2):
            gateway = self.add_gateway(bytes(7) + bytes((number,)), Place(80.0 * number, 0))
            forwarder = Forwarder(self, gateway)
            where = ("127.0.0.1", lns_port)
            await loop.create_datagram_endpoint(lambda one=forwarder: one, remote_addr=where)
            self._forwarders[gateway] = forwarder
            self._pull(gateway)
        self._task = loop.create_task(self._live())

    def calm(self) -> None:
        """No more packets are lost from now on, nor doubled."""
        self.channel.loss = self._double = 0.0

    def close(self) -> None:
        self.thread.run(self._end())

    async def _end(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await super().close()
        for forwarder in self._forwarders.values():
            forwarder.transport.close()

    async def _live(self) -> None:
        """Pace of the air."""
        before_s = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_S)
            now_s = time.monotonic()
            step_s = min(now_s - before_s, _MOST_LAG_S) * _SPEED
            before_s = now_s
            async with self._step:
                await self.run(self.now_us / 1e6 + step_s)

    # Gateways

    def _pull(self, gateway: Gateway) -> None:
        self._datagram(semtech.pull_data(b"pl", gateway.eui), gateway)
        self.at(self.now_us + _PULL_US, lambda: self._pull(gateway))

    def _datagram(self, data: bytes, gateway: Gateway) -> None:
        if gateway not in self._forwarders:
            return  # it is being added
        send = self._forwarders[gateway].transport.sendto
        send(data)
        if self._dice.random() < self._double:
            self.doubled += 1
            asyncio.get_running_loop().call_later(self._dice.uniform(0, 0.4), send, data)

    async def _uplink_ended(self, device: Device, burst: Burst) -> None:
        before = len(self._events)
        await super()._uplink_ended(device, burst)
        self.heard_twice += len(self._events) - before > 2  # two datagrams and the server's turn

    # The node, for another thread

    def start_node(self, command: list[str], environment: dict, log: Path) -> None:
        async def start() -> None:
            async with self._step:
                await self.add_device("lorawan", Place(120, 10), command, environment, log)

        self.thread.run(start())

    def kill_node(self) -> None:
        """At any moment, and as often while it works: most of the time it waits for the air."""

        async def kill() -> None:
            device = self.devices["lorawan"]
            if self._dice.random() < 0.5:
                for _ in range(2000):
                    if device.due_us is None:
                        break
                    await asyncio.sleep(0.0005)
            if device.process.returncode is None:
                device.process.kill()
            async with self._step:
                await device.process.wait()
                self.kill("lorawan")

        self.thread.run(kill())

    def report(self) -> dict[str, int]:
        sent, lost = self.sent.get("lorawan", 0), self.channel.vanished
        told = {"uplinks": sent, "lost": lost, "heard_twice": self.heard_twice}
        return told | {"datagrams_doubled": self.doubled}


class RadioNode:
    """As interop's Node, on the air."""

    def __init__(self, field: RadioField, micropython: Path, log: Path, **args: Any) -> None:
        self._field, self._log = field, log
        script = args.pop("script")
        args["start_s"] = field.start_s
        self._environment = dict(os.environ, MICROPYPATH=device_path(), SCENARIO=json.dumps(args))
        self._command = [str(micropython), "-X", "heapsize=1M", str(script)]
        self.process = self  # poll() is all that is asked of it
        self.seen: list[str] = []

    def __enter__(self) -> "RadioNode":
        self._field.start_node(self._command, self._environment, self._log)
        self._device = self._field.devices["lorawan"]
        self._process = self._device.process
        self._device.told.clear()
        return self

    def poll(self) -> int | None:
        return self._process.returncode

    def kill(self) -> None:
        self._field.kill_node()

    def expect(self, event: str, limit_s: float = 30.0) -> dict:
        """The object of that event."""

        def found() -> list[dict]:
            told = [json.loads(line) for line in self._device.told if line.startswith("{")]
            return [one for one in told if one["event"] == event]

        end = time.monotonic() + limit_s
        while not found() and self.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        self.seen = [*self._device.told, *self._log.read_text(errors="replace").splitlines()]
        assert found(), f"no {event!r} in {limit_s} s; said {self.seen[-8:]}"
        return found()[0]

    def result(self, limit_s: float = 30.0) -> dict:
        return self.expect("result", limit_s)


def wait_for_forwarders(field: RadioField) -> None:
    """Until the server knows where they are."""
    soon(lambda: field.pulls_acked >= 2, "the network server")
