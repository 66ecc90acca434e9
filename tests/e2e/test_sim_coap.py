"""A node file switched to CoAP: `hedgerow check`, then runs in the simulated field over OSCORE."""

import asyncio
import sqlite3

import pytest
from sim_runs import new_project

from hedgerow.config.check import compile_file
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread
from hedgerow.sim.run import SimOptions, simulate

SECRET = bytes(range(16))


@pytest.fixture
def node_file(tmp_path):
    """switch(port) -> the soil template with CoAP in place of MQTT."""

    def switch(port):
        path = new_project(tmp_path, "bed-3", 900)
        text = path.read_text()
        head, rest = text.split("[uplink]", 1)
        lines = ['kind = "coap"', 'host = "127.0.0.1"', f"port = {port}"]
        lines += [f'oscore_secret = "{SECRET.hex()}"']
        rest = rest.split("\n\n", 1)[1]
        path.write_text("\n".join([head + "[uplink]", *lines]) + "\n\n" + rest)
        return path

    return switch


def test_two_runs_over_coap(tmp_path, node_file):
    """The second run must not use the sequence numbers of the first again."""
    pytest.importorskip("lakers", reason="aiocoap's extra oscore is not installed")
    db = tmp_path / "farm.db"
    config = GatewayConfig(
        db,
        http_port=0,
        mqtt_port=0,
        coap_port=0,
        broker="python",
        coap_keys={"bed-3": SECRET},
        give_time=False,
    )
    with gateway_in_thread(config) as gateway:
        path = node_file(gateway.coap_port)
        assert compile_file(path)["uplink"]["kind"] == "coap"
        for _ in range(2):
            options = SimOptions(path, days=1, gateway=gateway.http_url)
            result = asyncio.run(simulate(options, say=lambda text: None))
            assert result["records_stored"] > 5
            assert (result["lost"], result["duplicates"]) == (0, 0)
    with sqlite3.connect(db) as rows:
        assert len(rows.execute("SELECT DISTINCT boot FROM record").fetchall()) == 2
