"""The link over ESP-NOW: nodes, relay and repeater as processes, a real mosquitto behind them."""

import contextlib
from pathlib import Path

import pytest
from gateway_stub import GatewayStub
from node import Node

from hedgerow import paths
from hedgerow.emulate.espnow import air as air_module
from hedgerow.emulate.espnow.air import Air

pytestmark = pytest.mark.interop

_ON_UNIX = Path(air_module.__file__).parent / "on_unix"
_RELAY = Path(__file__).with_name("upy") / "espnow_relay_node.py"


class Site:
    """Processes by the last byte of their MAC."""

    def __init__(self, micropython, air, stack, folder):
        self._micropython, self._air, self._stack = micropython, air, stack
        self._folder = folder

    @staticmethod
    def mac(last):
        return bytes([2, 0, 0, 0, 0, last])

    def start(self, last, scenario, **args):
        folders = [_ON_UNIX, paths.firmware_dir(), Path(paths.firmware_dir()) / "apps"]
        node = Node(self._micropython, scenario, path=folders, **args)
        node._env |= {"ESPNOW_AIR": str(self._air.port), "ESPNOW_MAC": self.mac(last).hex()}
        return self._stack.enter_context(node)

    def relay(self, broker_port, scenario="relay", last=1):
        settings = str(self._folder / "relay.json")
        relay = self.start(last, scenario, script=_RELAY, port=broker_port, settings=settings)
        relay.expect("ready")
        return relay

    def node(self, last, scenario, device="bed-3", **args):
        return self.start(last, scenario, kind="espnow", channel=1, device=device, **args)


@pytest.fixture
def site(micropython, tmp_path):
    with contextlib.ExitStack() as stack:
        air = stack.enter_context(Air())
        place = Site(micropython, air, stack, tmp_path)
        place.air = air
        yield place


def _drained(gateway, records, device="bed-3"):
    payloads = sorted(int(p.split()[2]) for p in gateway.rows(device).values())
    assert payloads == list(range(records)), "lost or invented records"


def test_contract(mosquitto_broker, site):
    """The scenario of test_links; the relay tells that it lost the broker."""
    broker = mosquitto_broker
    with GatewayStub(broker.port, echo=True) as gateway:
        site.relay(broker.port)
        node = site.node(2, "contract")
        assert node.expect("connected")["kept"] is False
        node.expect("ready")
        broker.kill()
        node.contract(kept=False, lost=("LinkError",))
        assert gateway.info == {"bed-3": b"\xa1dnameebed-3"}
        assert {s[1] for s in gateway.status[:3]} == {b"online", b"offline"}


def test_two_nodes_one_behind_a_repeater_on_a_bad_air(mosquitto_broker, site, tmp_path):
    site.air.loss, site.air.double = 0.15, 0.1
    site.air.deaf.add(frozenset((site.mac(3), site.mac(1))))
    with GatewayStub(mosquitto_broker.port) as gateway:
        site.relay(mosquitto_broker.port)
        site.relay(mosquitto_broker.port, "repeater", last=9)
        nodes = [
            site.node(
                last, "uplink", name, dir=str(tmp_path / name), records=60, ack_timeout_ms=700
            )
            for last, name in ((2, "bed-2"), (3, "bed-3"))
        ]
        for node, name in zip(nodes, ("bed-2", "bed-3"), strict=True):
            assert node.result(90)["pending"] == 0
            _drained(gateway, 60, name)
    assert site.air.lost > 0


@pytest.mark.soak
def test_a_relay_that_is_switched_off_and_on(mosquitto_broker, site, tmp_path):
    with GatewayStub(mosquitto_broker.port) as gateway:
        relay = site.relay(mosquitto_broker.port)
        args = {"dir": str(tmp_path / "log"), "records": 60, "pace_ms": 40}
        node = site.node(2, "uplink", ack_timeout_ms=500, **args)
        node.expect("ready")
        relay.kill()
        site.relay(mosquitto_broker.port)
        assert node.result(90)["pending"] == 0
        _drained(gateway, 60)
