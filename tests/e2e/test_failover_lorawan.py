"""MQTT first, LoRaWAN second: the way to the broker dies, the air carries on, MQTT comes back.

One node process with real sockets and a radio on the simulated air, whose virtual time runs at a
fixed multiple of real time here; the network server's own code, a real broker, a real gateway.
"""

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
import time
from pathlib import Path

import pytest
from lorawan_site import START_S, FarmSite

from hedgerow.emulate.lora.channel import Place
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.mqtt import BrokerAddress
from hedgerow.gateway.service import gateway_in_thread
from hedgerow.lns.forward import MqttForward, to_intake
from hedgerow.toolchain.unix import find_micropython
from hedgerow.transport.unix_process import device_path

sys.path.append(str(Path(__file__).parent.parent / "interop"))

from peers import LoopThread, Mosquitto, Relay  # found through the line above

pytestmark = pytest.mark.e2e

_NODE = Path(__file__).with_name("upy") / "failover_node.py"
_SPEED = 40  # virtual seconds in a real one: a join and its windows take a quarter of a second
_RECORDS, _PACE_MS = 120, 40
_BEFORE, _DURING = 20, 15  # records over MQTT before it dies, and over the air until it is back
_LIMIT_S = 90.0
_RADIO = {"region": "EU868", "dev_eui": f"{1:016x}", "join_eui": f"{7:016x}", "app_key": "0" * 32}


class Site(FarmSite):
    """The air in front of a gateway that others feed too. door(device, frame) -> its ack."""

    def __init__(self, folder, door):
        self._door = door
        self.carried = 0
        super().__init__(folder, 1)
        self.world.pace = self._pace
        self._began_s = time.monotonic()

    async def _submit(self, device, frame):
        ack = await self._door(device, frame)
        self.carried += 1
        return ack

    async def _pace(self, next_us):
        early_s = self._began_s + next_us / 1e6 / _SPEED - time.monotonic()
        if early_s > 0:
            await asyncio.sleep(early_s)

    async def start_node(self, port):
        mqtt = {"kind": "mqtt", "host": "127.0.0.1", "port": port}
        links = [mqtt, {"kind": "lorawan", "host": "the air", **_RADIO}]
        options = {"after_failures": 2, "after_s": 5, "return_s": 1}
        cfg = {"kind": "failover", "links": links, **options}
        args = {"cfg": cfg, "device": "bed-0", "dir": str(self.folder), "start_s": START_S}
        args |= {"records": _RECORDS, "pace_ms": _PACE_MS}
        environment = dict(os.environ, MICROPYPATH=device_path(), SCENARIO=json.dumps(args))
        command = [str(find_micropython()), "-X", "heapsize=1M", str(_NODE)]
        log = self.folder / "node.log"
        return await self.world.add_device("bed-0", Place(40, 0), command, environment, log)

    async def until(self, check, what):
        """Let time pass until check() holds."""
        end_s = time.monotonic() + _LIMIT_S

        def over():
            return check() or time.monotonic() > end_s

        await self.world.run(self.world.now_us / 1e6 + 1e6, over)
        assert check(), f"no {what} in {_LIMIT_S} s: {self.said()[-1500:]}"

    def said(self):
        return "\n".join(self.world.devices["bed-0"].told)


class Farm:
    """Broker and gateway with its database; the broker can be killed, the node's line cut."""

    def __init__(self, broker, gateway, relay, db):
        self.broker, self.gateway, self.relay, self._db = broker, gateway, relay, db

    def cut(self):
        """What is open dies, and nobody listens any more."""
        self.relay.__exit__()

    def mend(self):
        self.relay.__enter__()

    def numbers(self):
        """Of the records in the database; a record that came twice under two names shows here."""
        with contextlib.closing(sqlite3.connect(self._db)) as db:
            rows = db.execute("SELECT payload FROM record").fetchall()
        return sorted(int(row[0].split()[1]) for row in rows)


@pytest.fixture
def farm(tmp_path, mosquitto):
    with contextlib.ExitStack() as stack:
        thread = LoopThread()
        stack.callback(thread.close)
        broker = stack.enter_context(Mosquitto(mosquitto, tmp_path))
        url = f"mqtt://127.0.0.1:{broker.port}"
        config = GatewayConfig(tmp_path / "farm.db", http_port=0, broker=url, give_time=False)
        gateway = stack.enter_context(gateway_in_thread(config))
        relay = stack.enter_context(Relay(thread, broker.port))
        yield Farm(broker, gateway, relay, tmp_path / "farm.db")


async def _story(site, farm, port, die, live):
    node = await site.start_node(port)
    await site.until(lambda: len(farm.numbers()) >= _BEFORE, "records over MQTT")
    assert site.carried == 0
    die()
    had = len(farm.numbers())
    await site.until(lambda: len(farm.numbers()) >= had + _DURING, "records over the air")
    assert site.carried > 0
    live()
    await site.until(lambda: "event" in site.said(), "end")
    return json.loads(next(line for line in node.told if line.startswith("{")))


def _play(folder, farm, open_door, port, die, live):
    """open_door(stack) -> door of a Site, called in the event loop."""
    folder.mkdir()

    async def play():
        with contextlib.ExitStack() as stack:
            site = Site(folder, open_door(stack))
            site.world.add_gateway(bytes(7) + b"\x01", Place(0, 0))
            try:
                return await _story(site, farm, port, die, live), site.said()
            finally:
                await site.close()

    return asyncio.run(play())


def _judge(farm, result, said):
    assert farm.numbers() == list(range(_RECORDS)), "lost, invented or doubled records"
    assert "lorawan the air, after mqtt 127.0.0.1" in said
    assert "mqtt 127.0.0.1 is back" in said
    assert (result["stats"]["bad_acks"], result["switches"]) == (0, 2)


def test_the_broker_is_killed(farm, tmp_path):
    """The network server hands its records to the gateway without the broker."""

    def open_door(stack):
        return to_intake(farm.gateway.runtime.intake)

    broker = farm.broker
    _judge(farm, *_play(tmp_path / "air", farm, open_door, broker.port, broker.kill, broker.start))


@pytest.mark.soak
def test_the_line_of_the_node_is_cut(farm, tmp_path):
    """The broker lives on, and the network server reaches the gateway through it."""

    def open_door(stack):
        forward = MqttForward(BrokerAddress("127.0.0.1", farm.broker.port))
        stack.callback(forward.close)
        forward.start()
        return forward.submit

    port = farm.relay.port
    _judge(farm, *_play(tmp_path / "air", farm, open_door, port, farm.cut, farm.mend))
