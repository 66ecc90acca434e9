"""The link over HTTP: records into a real gateway, a wrong key, HTTPS."""

import contextlib
import sqlite3

import pytest
from http_peer import TlsProxy
from peers import soon

from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread

pytestmark = pytest.mark.interop

KEY = bytes(range(16))


@pytest.fixture
def farm(tmp_path):
    """farm(keys, port) -> a gateway with its own database, a context manager."""

    def start(keys=None, port=0):
        config = GatewayConfig(
            tmp_path / "farm.db", http_port=port, mqtt_port=0, broker="python", keys=keys or {}
        )
        return gateway_in_thread(config)

    return start


def _port(gateway):
    return int(gateway.http_url.rsplit(":", 1)[1])


def _stored(folder):
    with contextlib.closing(sqlite3.connect(folder / "farm.db")) as db:
        return db.execute("SELECT payload FROM record").fetchall()


def _all_there(folder, records):
    stored = [int(row[0].split()[2]) for row in _stored(folder)]
    assert sorted(stored) == list(range(records)), "lost or invented records"


def test_uplink_signed_over_a_line_that_is_cut(play, farm, relay_to, tmp_path):
    """Cut as the next request goes out, and again as it is repeated: else nothing is noticed."""
    holds = {count: tmp_path / f"go-{count}" for count in (5, 20, 40)}
    args = {"kind": "http", "dir": str(tmp_path / "log"), "records": 100, "pace_ms": 10}
    args |= {"key": KEY.hex(), "device": "bed-3"}
    args |= {"holds": {str(count): str(go) for count, go in holds.items()}}
    with farm({"bed-3": KEY}) as gateway:
        relay = relay_to(_port(gateway))
        with play("uplink", port=relay.port, **args) as node:
            for count, go in holds.items():
                soon(lambda: len(_stored(tmp_path)) == count, f"{count} records")  # noqa: B023
                relay.cuts_left = 2
                go.touch()
                soon(lambda: relay.cuts_left == 0, "two cuts")
            result = node.result()
    assert result["pending"] == 0
    assert result["stats"]["bad_acks"] == 0
    assert result["stats"]["outages"] >= 3
    _all_there(tmp_path, 100)


def test_a_wrong_key_is_refused_and_nothing_is_lost(play, farm, tmp_path):
    args = {"kind": "http", "dir": str(tmp_path / "log"), "device": "bed-3", "key": "00" * 16}
    with farm({"bed-3": KEY}) as gateway:
        with play("contract", port=_port(gateway), **args) as node, pytest.raises(AssertionError):
            node.result()
        assert any("gateway refused: 401 mac" in line for line in node.seen)
    assert _stored(tmp_path) == []


def test_https(play, farm, thread, certificates, tmp_path):
    args = {"kind": "http", "host": "127.0.0.2", "tls": True, "device": "bed-3"}
    with farm() as gateway, TlsProxy(thread, certificates, _port(gateway)) as proxy:
        args["port"] = proxy.port
        other = str(certificates / "other-ca.pem")
        with play("contract", ca=other, **args) as node, pytest.raises(AssertionError):
            node.result()
        assert any("The certificate is not correctly signed" in line for line in node.seen)
        ca = str(certificates / "ca.pem")
        log = str(tmp_path / "log")
        with play("uplink", ca=ca, dir=log, records=30, **args) as node:
            assert node.result()["pending"] == 0
    _all_there(tmp_path, 30)
