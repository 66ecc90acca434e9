"""MQTT first, LoRaWAN second: the way to the broker dies, the air carries on, MQTT comes back."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path

import pytest
from failover_site import Farm, Site, network_server

from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread
from hedgerow.lns.forward import to_intake

sys.path.append(str(Path(__file__).parent.parent / "interop"))

from coap_peers import free_udp_port  # found through the line above
from peers import LoopThread, Mosquitto, Relay

pytestmark = pytest.mark.e2e

_BEFORE, _DURING = 20, 15  # records over MQTT before it dies, and over the air until it is back
# However fast or slow this computer is, each link has records left to carry.
_HOLDS = {2 * _BEFORE: "dead", 2 * _BEFORE + 2 * _DURING: "back"}

_BACK = "mqtt 127.0.0.1 is back"


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


async def _story(site, farm, port, die, live, **run):
    """What the node reports at its end."""
    site.add_gateway()
    try:
        node = await site.start_node(port, holds=_HOLDS, **run)
        await site.until(lambda: len(farm.numbers()) >= _BEFORE, "records over MQTT")
        assert site.carried == 0
        die()
        (site.folder / "dead").touch()
        had = len(farm.numbers())
        await site.until(lambda: len(farm.numbers()) >= had + _DURING, "records over the air")
        assert site.carried > 0
        live()
        await site.until(lambda: _BACK in site.said(), "return of MQTT")
        (site.folder / "back").touch()
        await site.until(lambda: '"event"' in site.said(), "end")
        return json.loads(next(line for line in node.told if line.startswith("{")))
    finally:
        await site.close()


def _judge(farm, site, result, records):
    assert farm.numbers() == list(range(records)), "lost, invented or doubled records"
    assert "lorawan the air, after mqtt 127.0.0.1" in site.said()
    assert _BACK in site.said()
    assert (result["stats"]["bad_acks"], result["switches"]) == (0, 2)


def test_the_broker_is_killed(farm, tmp_path):
    """The network server is in the gateway's process, so its records need no broker."""
    records, broker = 120, farm.broker
    (tmp_path / "air").mkdir()

    async def play():
        site = Site(tmp_path / "air", 40, to_intake(farm.gateway.runtime.intake))
        return site, await _story(
            site, farm, broker.port, broker.kill, broker.start, records=records, pace_ms=40
        )

    _judge(farm, *asyncio.run(play()), records)


@pytest.mark.soak
def test_the_line_of_the_node_is_cut(farm, tmp_path):
    """The broker lives on: `hedgerow lns`, a process that a gateway reaches by UDP, uses it."""
    records = 120
    (tmp_path / "air").mkdir()

    async def play():
        site = Site(tmp_path / "air", 8)  # its windows are in real time, 5 s after an uplink
        async with network_server(site, farm.broker.port, free_udp_port()):
            return site, await _story(
                site, farm, farm.relay.port, farm.cut, farm.mend, records=records, pace_ms=100
            )

    _judge(farm, *asyncio.run(play()), records)
