"""Databases of gateway and network server that are damaged, locked, or somebody else's."""

import asyncio
import contextlib
import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from lns_device import site

from hedgerow.errors import GatewayError
from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.gateway.database import open_database
from hedgerow.gateway.mqtt import BrokerAddress
from hedgerow.lns.database import Database, lock_of
from hedgerow.lns.forward import MqttForward
from hedgerow.lns.run import LnsOptions, serve


def fault_of(path):
    """What a gateway says that cannot start on this file."""

    async def start():
        settings = {"http_port": 0, "mqtt_port": 0, "broker": "python"}
        async with Gateway(GatewayConfig(db=path, **settings)):
            pass

    with pytest.raises(GatewayError) as caught:
        asyncio.run(start())
    return str(caught.value)


def test_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "farm.db"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE photo (name TEXT)")
    before = path.read_bytes()
    assert "it has a table 'photo'" in fault_of(tmp_path / "farm.db")
    with pytest.raises(GatewayError, match="another program's"):
        Database(path)
    assert path.read_bytes() == before


def test_databases_of_gateway_and_network_server_are_not_mixed_up(tmp_path):
    open_database(tmp_path / "farm.db").close()
    with pytest.raises(GatewayError, match="no 'joined'"):
        Database(tmp_path / "farm.db")
    open_database(tmp_path / "farm.db").close()
    Database(tmp_path / "lns.db").close()
    assert "no 'watermark'" in fault_of(tmp_path / "lns.db")


@pytest.mark.parametrize("first_byte", [101, 4096, 8192, 12288, 20480])
def test_damaged_database_is_named(tmp_path, first_byte):
    """Wherever the damage is: it is refused at start, or the pages are read later."""
    path = tmp_path / "farm.db"
    open_database(path).close()
    damaged = bytearray(path.read_bytes())
    damaged[first_byte::61] = bytes(byte ^ 0xFF for byte in damaged[first_byte::61])
    path.write_bytes(damaged)
    text = fault_of(tmp_path / "farm.db")
    assert str(path) in text and "--db" in text


def test_locked_database_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("hedgerow.gateway.database._BUSY_S", 0.1)
    open_database(tmp_path / "farm.db").close()
    with contextlib.closing(sqlite3.connect(tmp_path / "farm.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "no other program has it open" in fault_of(tmp_path / "farm.db")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: Linux has it")
def test_a_full_disk_at_the_start_is_named(tmp_path):
    (tmp_path / "lns.db.lock").symlink_to("/dev/full")
    with pytest.raises(GatewayError, match="choose another file with --db"):
        lock_of(tmp_path / "lns.db").__enter__()


def test_second_network_server_on_one_database(tmp_path):
    broker = BrokerAddress("127.0.0.1", 1)
    with lock_of(tmp_path / "lns.db"), pytest.raises(GatewayError, match="network server"):
        asyncio.run(serve(LnsOptions(tmp_path / "lns.db", broker, site()), print))
    with pytest.raises(GatewayError, match="--port or --host"):
        asyncio.run(serve(LnsOptions(tmp_path / "lns.db", broker, site(), port=70000), print))


def test_fragments_that_no_data_rate_carries(tmp_path):
    (tmp_path / "model").write_bytes(b"model")
    options = {"db": tmp_path / "lns.db", "broker": BrokerAddress("127.0.0.1", 1), "site": site()}
    options |= {"host": "127.0.0.1", "port": 0, "send": [("bed-1", tmp_path / "model")]}
    for size in (0, 220):
        with pytest.raises(GatewayError, match="expected 1 to 219"):
            asyncio.run(serve(LnsOptions(**options, fragment_bytes=size), print))


def test_a_broker_that_is_not_there_is_told_once(caplog):
    """And again only when the reason is another one, or it is over."""
    caplog.set_level(logging.WARNING, "hedgerow.lns.broker")

    async def play():
        forward = MqttForward(BrokerAddress("127.0.0.1", 1))
        for _ in range(3):
            forward.session._on_connect_fail(None, None)
        forward.session._on_subscribe(None, None, 1, [], None)

    asyncio.run(play())
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "broker 127.0.0.1:1 cannot be reached; retrying",
        "broker 127.0.0.1:1 answers again",
    ]


@pytest.mark.parametrize("command", ["gateway", "lns", "bridge"])
def test_half_an_account_is_a_usage_error(tmp_path, command):
    (tmp_path / "pw").write_text("secret")
    code = "from hedgerow.cli.main import main; main()"
    more = ["--chirpstack", "mqtt://127.0.0.1:1"] if command == "lns" else []
    args = [sys.executable, "-c", code, command, *more, "--password-file", tmp_path / "pw"]
    done = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("hedgerow: --user and --password-file belong together")
