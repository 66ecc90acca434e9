"""A node's records over CoAP into a real gateway: lossy, doubled, restarted, with OSCORE."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from coap_peers import LossyRelay, free_udp_port
from name_server import NameServer
from peers import soon

from hedge.wire import cbor, senml
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread

SECRET = bytes(range(16))
_SCRIPT = Path(__file__).with_name("upy") / "coap_scenarios.py"


class Farm:
    """One gateway's data, one node's store, and what they speak."""

    def __init__(self, folder: Path, play, secure: bool):
        self._folder = folder
        self._play = play
        self.port = free_udp_port()
        keys = {"bed-3": SECRET} if secure else {}
        self._cfg = {"kind": "coap", "host": "127.0.0.1", "port": self.port}
        if secure:
            self._cfg["oscore_secret"] = SECRET.hex()
            self._cfg["oscore_numbers"] = str(folder / "oscore.kv")
        self._config = GatewayConfig(
            folder / "farm.db",
            http_port=0,
            mqtt_port=0,
            broker="python",
            coap_port=self.port,
            coap_keys=keys,
        )

    def gateway(self):
        return gateway_in_thread(self._config)

    def node(self, records: int, port: int = 0, limit_s: float = 100, **more):
        """A Node that appends records and sends what its store holds. more: of its uplink."""
        return self._play(
            "uplink",
            script=_SCRIPT,
            dns=more.pop("dns", None),
            cfg=dict(self._cfg, port=port or self.port, **more),
            store=str(self._folder / "store"),
            device="bed-3",
            info=cbor.encode({"name": "Bed"}).hex(),
            record=senml.encode(1_790_000_000, [("soil.vwc", "%", 21.5)]).hex(),
            records=records,
            limit_ms=int(limit_s * 1000),
        )

    def stored(self) -> list[tuple[int, int]]:
        """(boot, count) of the records in the database; a key there is unique."""
        with contextlib.closing(sqlite3.connect(self._folder / "farm.db")) as db:
            sql = "SELECT boot, count(*) FROM record GROUP BY boot ORDER BY boot"
            return db.execute(sql).fetchall()


@pytest.fixture(params=["clear", "oscore"])
def farm(request, tmp_path, play):
    pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
    if request.param == "oscore":
        pytest.importorskip("lakers", reason="aiocoap's extra oscore is not installed")
    return Farm(tmp_path, play, request.param == "oscore")


def test_records_arrive_once_over_a_gateway_that_restarts(farm):
    """The second gateway has lost its replay window, the second node goes on in its numbers."""
    with farm.gateway(), farm.node(60) as node:
        first = node.result()
    with farm.node(40, limit_s=1) as node:
        alone = node.result()
    with farm.gateway(), farm.node(20) as node:
        last = node.result()
    assert (first["pending"], last["pending"]) == (0, 0)
    assert alone["pending"] >= 40  # and what the store had not yet noted as acknowledged
    assert farm.stored() == [(first["boot"], 60), (alone["boot"], 40), (last["boot"], 20)]
    assert first["stats"]["bad_acks"] == last["stats"]["bad_acks"] == 0


@pytest.mark.soak
def test_a_third_of_the_datagrams_lost_and_a_tenth_doubled(farm, thread):
    with (
        farm.gateway(),
        LossyRelay(thread, farm.port, seed=1, loss=0.3, double=0.1) as relay,
        farm.node(60, relay.port, limit_s=500) as node,
    ):
        result = node.result(520)
    assert result["pending"] == 0
    assert farm.stored() == [(result["boot"], 60)]
    assert relay.dropped > 5


def test_a_wrong_key_is_said_and_nothing_is_lost(tmp_path, play):
    pytest.importorskip("lakers", reason="aiocoap's extra oscore is not installed")
    farm = Farm(tmp_path, play, True)
    farm._cfg["oscore_secret"] = SECRET[::-1].hex()
    with farm.gateway(), farm.node(5, limit_s=1.5) as node:
        result = node.result()
    assert (result["pending"], result["stats"]["sessions"]) == (5, 0)
    assert farm.stored() == []


def test_a_name_whose_server_is_dead_at_first(tmp_path, play):
    """The name is known to that server alone: nobody but hedge.net.resolver can have asked it."""
    pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
    farm = Farm(tmp_path, play, False)
    with contextlib.closing(NameServer()) as names, farm.gateway():
        names.answer = names.silence
        servers = [["127.0.0.1", names.port]]
        with farm.node(5, host="gateway.farm", dns=servers) as node:
            soon(lambda: names.asked, "a question")
            names.answer = names.good
            result = node.result()
    assert (result["pending"], result["stats"]["sessions"]) == (0, 1)
    assert names.asked >= 2, "the first question was not answered"
    assert farm.stored() == [(result["boot"], 5)]
