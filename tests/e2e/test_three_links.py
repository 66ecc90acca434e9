"""One node file over MQTT, CoAP and LoRaWAN by three other lines; the same records at the end."""

import asyncio
import difflib
import json
import os
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest
from lorawan_site import START_S, FarmSite

from hedgerow import paths
from hedgerow.config import compile_file
from hedgerow.emulate.lora.channel import Place
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread
from hedgerow.transport.unix_process import device_path

pytestmark = pytest.mark.e2e

_FILES = Path(__file__).parent / "links"
_RUN = {"device": "bed-0", "records": 12, "every_s": 0, "stamps_s": 60, "start_s": START_S}
_SCRIPT = Path(__file__).with_name("upy") / "three_links_node.py"
_ROWS = "SELECT stream, seq, payload FROM record WHERE device = 'bed-0' ORDER BY stream, seq"


def _uplink(kind):
    return compile_file(_FILES / f"{kind}.toml")["uplink"]


def _lines(kind):
    return (_FILES / f"{kind}.toml").read_text(encoding="utf-8").splitlines()


def test_three_lines_differ():
    for other in ("coap", "lorawan"):
        changes = [
            line for line in difflib.ndiff(_lines("mqtt"), _lines(other)) if line[0] in "+-"
        ]
        at = _lines("mqtt").index("[uplink]")
        assert _lines("mqtt")[: at + 1] == _lines(other)[: at + 1]
        assert len(_lines(other)) == at + 4
        assert 2 <= len([line for line in changes if line[0] == "-"]) <= 3


def test_the_readme_shows_these_lines():
    text = (Path(paths.firmware_dir()) / "hedge" / "net" / "README.md").read_text(encoding="utf-8")
    for kind in ("mqtt", "coap", "lorawan"):
        shown = "\n".join(_lines(kind)[-4:])
        assert shown in re.sub(r" +#.*", "", text), f"README of net: {shown}"


def _over_sockets(kind, folder, micropython):
    """Rows that a gateway holds after a run of the node over this link."""
    cfg = _uplink(kind)
    secret = bytes(range(16))
    folder.mkdir()
    config = GatewayConfig(
        folder / "farm.db",
        http_port=0,
        mqtt_port=0,
        coap_port=0,
        keys={"bed-0": secret} if kind == "mqtt" else {},
        coap_keys={"bed-0": secret} if kind == "coap" else {},
        give_time=False,
    )
    with gateway_in_thread(config) as gateway:
        port = gateway.mqtt_port if kind == "mqtt" else gateway.coap_port
        cfg |= {"host": "127.0.0.1", "port": port, "oscore_numbers": str(folder / "oscore.kv")}
        args = {**_RUN, "cfg": cfg, "dir": str(folder), "key": cfg.get("key")}
        environment = dict(os.environ, MICROPYPATH=device_path(), SCENARIO=json.dumps(args))
        command = [str(micropython), str(_SCRIPT)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        result = json.loads(done.stdout.strip().splitlines()[-1])
        assert result["pending"] == 0, done.stdout
    with sqlite3.connect(folder / "farm.db") as db:
        return db.execute(_ROWS).fetchall()


def _over_lorawan(folder):
    """The same by way of radio, network server and store, on the simulated air."""
    cfg = _uplink("lorawan")
    folder.mkdir()

    async def play():
        site = FarmSite(folder, 1)
        site.table["device"][0] |= {key: cfg[key] for key in ("dev_eui", "join_eui", "app_key")}
        site.restart_server()
        site.world.add_gateway(bytes(7) + b"\x01", Place(0, 0))
        try:
            await site.start(0, Place(40, 0), **{k: v for k, v in _RUN.items() if k != "device"})
            await site.world.run(site.world.now_us / 1e6 + 12 * 3600, lambda: site.results())
            return site.connection.execute(_ROWS).fetchall()
        finally:
            await site.close()

    return asyncio.run(play())


def test_the_same_records_over_each(tmp_path, micropython):
    pytest.importorskip("lakers", reason="aiocoap's extra oscore is not installed")
    over = {kind: _over_sockets(kind, tmp_path / kind, micropython) for kind in ("mqtt", "coap")}
    over["lorawan"] = _over_lorawan(tmp_path / "lorawan")
    assert len(over["mqtt"]) == _RUN["records"] + 1
    assert over["mqtt"] == over["coap"]
    assert over["mqtt"] == over["lorawan"]
