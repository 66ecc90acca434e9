"""The link over ESP-NOW: nodes, relay and repeater as processes, a real mosquitto behind them."""

import pytest
from espnow_site import EspnowSite
from gateway_stub import GatewayStub
from peers import soon

pytestmark = pytest.mark.interop


@pytest.fixture
def site(micropython, tmp_path):
    with EspnowSite(micropython, tmp_path) as place:
        yield place


def _drained(gateway, records, device="bed-3"):
    payloads = sorted(int(p.split()[2]) for p in gateway.rows(device).values())
    assert payloads == list(range(records)), "lost or invented records"


def test_two_nodes_one_behind_a_repeater_on_a_bad_air(mosquitto_broker, site, tmp_path):
    site.air.loss, site.air.double = 1.0, 0.1  # by chance alone nothing might be lost for good
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
        soon(lambda: site.air.lost > 0, "a datagram that is lost")
        site.air.loss = 0.15
        for node, name in zip(nodes, ("bed-2", "bed-3"), strict=True):
            assert node.result()["pending"] == 0
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
        assert node.result()["pending"] == 0
        _drained(gateway, 60)
