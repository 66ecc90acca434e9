"""Two links of one node: the preferred peer dies, the other carries on, the first comes back."""

import contextlib
import sqlite3
import time

import pytest
from peers import Mosquitto, free_port

from hedgerow.emulate.modem.on_pty import ModemOnPty
from hedgerow.emulate.modem.sim7080 import Sim7080
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread

pytestmark = pytest.mark.interop

_RECORDS = 250


@pytest.fixture
def farm(tmp_path, mosquitto):
    """A gateway on a mosquitto that can be killed, which also listens for CoAP and HTTP."""
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(mosquitto, tmp_path))
        config = GatewayConfig(
            tmp_path / "farm.db",
            http_port=0,
            coap_port=0,
            broker=f"mqtt://127.0.0.1:{broker.port}",
        )
        gateway = stack.enter_context(gateway_in_thread(config))
        modem = stack.enter_context(ModemOnPty(Sim7080, tmp_path / "modem"))
        yield Farm(broker, gateway, tmp_path / "farm.db", modem)


class Farm:
    """mqtt, coap, http, cellular: settings of a link; the modem's network reaches the gateway."""

    def __init__(self, broker, gateway, db, modem):
        self.broker, self.gateway, self._db = broker, gateway, db
        self.mqtt = {"kind": "mqtt", "host": "127.0.0.1", "port": broker.port}
        self.coap = {"kind": "coap", "host": "127.0.0.1", "port": gateway.coap_port}
        port = int(gateway.http_url.rsplit(":", 1)[1])
        self.http = {"kind": "http", "host": "127.0.0.1", "port": port}
        over = {"model": "sim7080", "pty": modem.address, "apn": "internet", "carries": "http"}
        self.cellular = {**self.http, "kind": "cellular", **over}

    def numbers(self):
        """Numbers of the records in the database; a second copy of one cannot be in its table."""
        with sqlite3.connect(self._db) as db:
            rows = db.execute("SELECT payload FROM record").fetchall()
        return sorted(int(row[0].split()[2]) for row in rows)

    def wait_for(self, count, limit_s=60.0):
        end_s = time.monotonic() + limit_s
        while len(self.numbers()) < count:
            assert time.monotonic() < end_s, f"{len(self.numbers())} of {count} records"
            time.sleep(0.1)


def _play(play, farm, links, tmp_path, records):
    options = {"after_failures": 2, "after_s": 5, "return_s": 1}
    return play(
        "uplink",
        kind="failover",
        links=links,
        device="bed-3",
        dir=str(tmp_path / "log"),
        records=records,
        pace_ms=30,
        ack_timeout_ms=1500,
        quiet=False,
        **options,
    )


@pytest.mark.parametrize(
    "second", ["coap", "cellular", pytest.param("http", marks=pytest.mark.soak)]
)
def test_the_broker_dies_the_other_link_carries_on_until_it_is_back(play, farm, second, tmp_path):
    pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
    links = [farm.mqtt, getattr(farm, second)]
    with _play(play, farm, links, tmp_path, _RECORDS) as node:
        farm.wait_for(40)
        farm.broker.kill()
        had = len(farm.numbers())
        farm.wait_for(had + 60)  # no broker: these came the other way
        farm.broker.start()
        result = node.result(90)
    assert result["pending"] == 0
    assert farm.numbers() == list(range(_RECORDS)), "lost or invented records"
    said = "\n".join(node.seen)
    assert f"{second} 127.0.0.1, after mqtt 127.0.0.1" in said
    assert "mqtt 127.0.0.1 is back" in said
    assert result["stats"]["bad_acks"] == 0


def test_the_preferred_peer_is_dead_from_the_start(play, farm, tmp_path):
    dead = dict(farm.mqtt, port=free_port())
    with _play(play, farm, [dead, farm.mqtt], tmp_path, 30) as node:
        assert node.result(60)["pending"] == 0
    assert farm.numbers() == list(range(30))
