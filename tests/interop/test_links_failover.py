"""Two links of one node: the preferred peer dies, the other carries on, the first comes back."""

import contextlib
import sqlite3

import pytest
from peers import Mosquitto, soon
from ports import free_port

from hedgerow.emulate.modem.on_pty import ModemOnPty
from hedgerow.emulate.modem.sim7080 import Sim7080
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread

pytestmark = pytest.mark.interop

_FIRST, _UNTIL, _RECORDS = 40, 200, 250  # over MQTT, until it is back, in all


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
        with contextlib.closing(sqlite3.connect(self._db)) as db:
            rows = db.execute("SELECT payload FROM record").fetchall()
        return sorted(int(row[0].split()[2]) for row in rows)

    def wait_for(self, count):
        soon(lambda: len(self.numbers()) >= count, f"{count} records")


def _play(play, links, tmp_path, records, **more):
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
        **more,
    )


@pytest.mark.parametrize(
    "second", ["coap", "cellular", pytest.param("http", marks=pytest.mark.soak)]
)
def test_the_broker_dies_the_other_link_carries_on_until_it_is_back(play, farm, second, tmp_path):
    """The node makes no more than is said here, so that each happens while there are records."""
    pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
    links = [farm.mqtt, getattr(farm, second)]
    holds = {str(count): str(tmp_path / f"go-{count}") for count in (_FIRST, _UNTIL)}
    with _play(play, links, tmp_path, _RECORDS, holds=holds) as node:
        farm.wait_for(_FIRST)
        farm.broker.kill()
        (tmp_path / f"go-{_FIRST}").touch()
        farm.wait_for(_FIRST + 60)  # no broker: these came the other way
        farm.broker.start()
        node.wait_said("mqtt 127.0.0.1 is back")
        (tmp_path / f"go-{_UNTIL}").touch()
        result = node.result()
    assert result["pending"] == 0
    assert farm.numbers() == list(range(_RECORDS)), "lost or invented records"
    said = "\n".join(node.seen)
    assert f"{second} 127.0.0.1, after mqtt 127.0.0.1" in said
    assert "mqtt 127.0.0.1 is back" in said
    assert result["stats"]["bad_acks"] == 0


def test_the_preferred_peer_is_dead_from_the_start(play, farm, tmp_path):
    dead = dict(farm.mqtt, port=free_port())
    with _play(play, [dead, farm.mqtt], tmp_path, 30) as node:
        assert node.result()["pending"] == 0
    assert farm.numbers() == list(range(30))
