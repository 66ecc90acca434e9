"""The whole gateway on loopback: both brokers, API, restarts, and what a user can get wrong."""

import asyncio
import json
import os
import signal
import socket
import stat
import threading
import time
import urllib.error
import urllib.request

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hedge.wire import ack, cbor, frame, senml
from hedgerow.errors import ConfigError, GatewayError
from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.gateway.config import read_keys, read_password
from hedgerow.gateway.database import open_database
from hedgerow.gateway.mqtt import BrokerAddress, use_account

NOW_S = 1_790_000_000
_LIMIT_S = 90  # of a machine that stands still for seconds


@pytest.fixture(params=["mosquitto", "python"])
def broker(request):
    if request.param == "mosquitto":
        request.getfixturevalue("mosquitto")
    return request.param


@pytest.fixture
def config(tmp_path):
    def make(**options):
        settings = {"db": tmp_path / "farm.db", "http_port": 0, "mqtt_port": 0, **options}
        return GatewayConfig(**settings)

    return make


class Peer:
    """A plain MQTT client in place of a node: sends bytes, collects acks."""

    def __init__(self, host, port, device="bed-1", user=None, password=None):
        self.acks = []
        self.device = device
        self.refused = None
        self._arrived = threading.Condition()
        self._connected = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=device)
        if user:
            self.client.username_pw_set(user, password)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.connect(host, port)
        self.client.loop_start()
        assert self._connected.wait(_LIMIT_S)

    def _on_connect(self, client, _userdata, _flags, reason, _properties):
        self.refused = reason.is_failure
        if not self.refused:
            client.subscribe(f"hedge/{self.device}/ack", 1)
        self._connected.set()

    def _on_message(self, _client, _userdata, message):
        if message.topic != f"hedge/{self.device}/ack":
            return  # amqtt 0.12 hands retained messages of other topics to a new subscriber
        with self._arrived:
            self.acks.append(message.payload)
            self._arrived.notify_all()

    def send(self, data, kind="up", **options):
        self.client.publish(f"hedge/{self.device}/{kind}", data, qos=1, **options)

    def wait_upto(self, boot, stream, upto, timeout_s=_LIMIT_S):
        """Wait for an ack that covers upto; the frames before it are acked by the same number."""

        def is_there():
            marks = [mark for data in self.acks for mark in ack.unpack(data)[2]]
            return any(m[:2] == (boot, stream) and m[2] >= upto for m in marks)

        with self._arrived:
            assert self._arrived.wait_for(is_there, timeout_s), "no ack"

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def get(gateway, path):
    """(status, JSON) of an API call."""
    try:
        with urllib.request.urlopen(gateway.http_url + path, timeout=_LIMIT_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


async def ask(gateway, path):
    """JSON of an API call, made beside the event loop that serves it."""
    return (await asyncio.to_thread(get, gateway, path))[1]


def some_frame(seq, count=3, device="bed-1", **options):
    names = [f"soil.p{i}" for i in range(count)]
    packs = [senml.encode(NOW_S + 60 * seq, [(name, "%", 20 + seq / 8)]) for name in names]
    return frame.pack(device, 1, 1, seq, 1, packs, **options)


async def exchange(gateway, frames=40, **account):
    """Send frames as a node, wait for the ack of the last; returns the API's word on it."""

    def work():
        peer = Peer(gateway.mqtt_host, gateway.mqtt_port, **account)
        try:
            peer.send(cbor.encode({"name": "Bed", "sample_s": 900}), "info", retain=True)
            peer.send(b"online", "status", retain=True)
            for n in range(frames):
                peer.send(some_frame(1 + 3 * n))
            peer.wait_upto(1, 1, 3 * frames)
        finally:
            peer.close()
        return get(gateway, "/api/devices/bed-1/sequences")[1]["sequences"]

    return await asyncio.to_thread(work)


def test_records_are_stored_acked_and_served(broker, config):
    async def scenario():
        async with Gateway(config(broker=broker)) as gateway:
            assert gateway.broker_kind == broker
            (sequence,) = await exchange(gateway)
            assert (sequence["watermark"], sequence["count"], sequence["gaps"]) == (120, 120, [])
            status, device = await asyncio.to_thread(get, gateway, "/api/devices/bed-1")
            assert status == 200
            assert (device["name"], device["status"], device["records"]) == ("Bed", "online", 120)
            assert (await ask(gateway, "/api/health"))["status"] == "ok"

    asyncio.run(scenario())


def test_wrong_password_is_refused_and_right_one_works(broker, config):
    async def scenario():
        settings = config(broker=broker, user="farm", password="oats and beans")
        async with Gateway(settings) as gateway:
            where = (gateway.mqtt_host, gateway.mqtt_port)
            peer = await asyncio.to_thread(Peer, *where, "bed-9", "farm", "wrong")
            assert peer.refused
            peer.close()
            await exchange(gateway, 2, user="farm", password="oats and beans")

    asyncio.run(scenario())


def test_password_is_not_left_readable(mosquitto, config, tmp_path):
    async def scenario():
        async with Gateway(config(broker="mosquitto", user="farm", password="secret1")):
            path = tmp_path / "farm.db.broker" / "passwords"
            assert "secret1" not in path.read_text()
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    asyncio.run(scenario())


def test_restart_on_the_same_data(broker, config):
    async def scenario():
        async with Gateway(config(broker=broker)) as gateway:
            await exchange(gateway, 5)
            first = await ask(gateway, "/api/stats")
        async with Gateway(config(broker=broker)) as gateway:
            (sequence,) = await exchange(gateway, 10)
            second = await ask(gateway, "/api/stats")
        assert sequence["count"] == 30
        assert second["generation"] == first["generation"]
        assert second["revision"] != first["revision"]

    asyncio.run(scenario())


def test_oversized_and_malformed_messages_do_no_harm(broker, config):
    async def scenario():
        async with Gateway(config(broker=broker)) as gateway:
            where = (gateway.mqtt_host, gateway.mqtt_port)
            bad = await asyncio.to_thread(Peer, *where, "bad-node")
            bad.send(b"\x00" * 300)
            bad.send(os.urandom(100))
            bad.send(os.urandom(200), "info")
            bad.send(b"x" * 200_000)  # mosquitto ends the connection, amqtt passes it on
            await exchange(gateway, 5)
            bad.close()
            stats = await ask(gateway, "/api/stats")
            assert {r["reason"] for r in stats["rejects"]} >= {"oversize", "frame", "info"}

    asyncio.run(scenario())


def test_mosquitto_that_dies_is_restarted(mosquitto, config, tmp_path):
    async def scenario():
        async with Gateway(config(broker="mosquitto")) as gateway:
            await exchange(gateway, 2)
            pid = int((tmp_path / "farm.db.broker" / "mosquitto.pid").read_text())
            session = gateway.runtime.session
            before = session._session
            os.kill(pid, signal.SIGKILL)

            def is_over():
                alerts = [a for a in get(gateway, "/api/alerts")[1] if a["kind"] == "broker"]
                assert len(alerts) <= 1
                closed = [a for a in alerts if a["closed_s"] is not None]
                return closed and session.connected and session._session > before

            await asyncio.to_thread(until, is_over)
            await exchange(gateway, 4)

    asyncio.run(scenario())


def until(question, timeout_s=_LIMIT_S):
    deadline_s = time.monotonic() + timeout_s
    while not question():
        assert time.monotonic() < deadline_s, "waited too long"
        time.sleep(0.05)


def test_external_broker(config, tmp_path):
    async def scenario():
        async with Gateway(config(broker="python", user="u:@", password="p/#")) as first:
            url = f"mqtt://u%3A%40:p%2F%23@127.0.0.1:{first.mqtt_port}"
            settings = config(broker=url, db=tmp_path / "second.db")
            for frames in (3, 6):  # the second time it resumes its session
                async with Gateway(settings) as second:
                    assert second.broker_kind == "external"
                    await exchange(second, frames, user="u:@", password="p/#")

    asyncio.run(scenario())


# Faults of the set-up: one clear message each


async def open_and_close(settings):
    async with Gateway(settings):
        pass


def fault_of(settings):
    with pytest.raises(GatewayError) as caught:
        asyncio.run(open_and_close(settings))
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_mqtt_port_in_use(broker, config, taken_port):
    text = fault_of(config(broker=broker, mqtt_port=taken_port))
    assert str(taken_port) in text
    assert "--broker mqtt://" in text


def test_http_port_in_use(config, taken_port):
    assert "--http-port" in fault_of(config(broker="python", http_port=taken_port))


def test_second_gateway_on_one_database(config):
    async def scenario():
        async with Gateway(config(broker="python")), Gateway(config(broker="python")):
            pass

    with pytest.raises(GatewayError, match="another gateway"):
        asyncio.run(scenario())


def test_no_packet_waits_for_the_acknowledgement_of_the_last():
    client = paho.Client(CallbackAPIVersion.VERSION2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = BrokerAddress(*server.getsockname())
        use_account(client, address)
        client.connect(address.host, address.port)
        assert client.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        client.disconnect()


def test_unknown_broker_word(config):
    assert "mosquitto, python" in fault_of(config(broker="hivemq"))


@pytest.mark.parametrize("url", ["http://x:1", "mqtt://", "mqtt://h:99999"])
def test_bad_broker_url(config, url):
    assert "mqtt://" in fault_of(config(broker=url))


def test_nothing_listens_at_the_broker_url(config):
    assert "cannot be reached" in fault_of(config(broker="mqtt://127.0.0.1:1"))


def test_wrong_password_at_external_broker(config, tmp_path):
    async def scenario():
        async with Gateway(config(broker="python", user="a", password="b")) as first:
            url = f"mqtt://a:wrong@127.0.0.1:{first.mqtt_port}"
            await open_and_close(config(broker=url, db=tmp_path / "second.db"))

    with pytest.raises(GatewayError, match=r"user or password|authori"):
        asyncio.run(scenario())


def test_database_is_a_folder(config, tmp_path):
    (tmp_path / "farm.db").mkdir()
    assert "cannot be opened" in fault_of(config(broker="python"))


def test_database_is_something_else(config, tmp_path):
    (tmp_path / "farm.db").write_text("once upon a time " * 100)
    assert "not a database" in fault_of(config(broker="python"))
    assert (tmp_path / "farm.db").read_text().startswith("once")


def test_database_of_a_newer_release(config, tmp_path):
    db = open_database(tmp_path / "farm.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    assert "update hedgerow" in fault_of(config(broker="python"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_database(config, tmp_path):
    (tmp_path / "farm.db").touch(mode=0)
    assert "cannot be opened" in fault_of(config(broker="python"))


def test_folder_cannot_be_made(config, tmp_path):
    (tmp_path / "file").touch()
    assert "folder" in fault_of(config(broker="python", db=tmp_path / "file" / "farm.db"))


_HEX = "ab" * 16


def test_key_file(tmp_path):
    path = tmp_path / "keys"
    path.write_text("# ours\nbed-1 " + "ab" * 16 + "\n* " + "cd" * 32 + "  # all others\n")
    keys = GatewayConfig(keys=read_keys(path)).key_of()
    assert keys("bed-1") == b"\xab" * 16
    assert keys("bed-2") == b"\xcd" * 32


@pytest.mark.parametrize(
    "line", ["bed-1", "bed-1 xyz", "bed-1 abcd", "a b c", f"Bed_1 {_HEX}", f"bed-2 {_HEX}"]
)
def test_bad_key_file_names_the_line(tmp_path, line):
    path = tmp_path / "keys"
    path.write_text(f"bed-2 {_HEX}\n{line}\n")
    with pytest.raises(ConfigError, match="keys:2"):
        read_keys(path)


@pytest.mark.parametrize("text", ["", "# bed-1 abcd\n"])
def test_key_file_without_a_key_would_let_everyone_in(tmp_path, text):
    (tmp_path / "keys").write_text(text)
    with pytest.raises(ConfigError, match="no key in it"):
        read_keys(tmp_path / "keys")


def test_password_file(tmp_path):
    path = tmp_path / "pw"
    path.write_text("oats and beans\n")
    assert read_password(path) == "oats and beans"
    path.write_text("\n")
    with pytest.raises(ConfigError, match="first line is empty"):
        read_password(path)
    with pytest.raises(ConfigError, match="password file"):
        read_password(tmp_path / "none")


def test_ways_in_that_are_open_to_the_network(config):
    assert config().open_ways() == []
    everywhere = {"http_host": "0.0.0.0", "mqtt_host": "::", "coap_host": "0.0.0.0"}
    assert config(**everywhere, coap_port=0).open_ways() == ["mqtt", "http", "coap"]
    assert config(**everywhere).open_ways() == ["mqtt", "http"]
    assert config(**everywhere, broker="mqtt://farm").open_ways() == ["http"]
    known = {"user": "farm", "password": "x"}
    assert config(**everywhere, coap_port=0, **known).open_ways() == ["coap"]
    assert config(**everywhere, coap_port=0, keys={"*": b"k" * 16}).open_ways() == []
