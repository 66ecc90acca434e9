"""The MQTT client on the Unix port against mosquitto and amqtt."""

import threading
from collections.abc import Iterator

import paho.mqtt.client as paho
import pytest
from peers import Mosquitto, PythonBroker, Rogue, free_port, soon

pytestmark = pytest.mark.interop

_CONNACK = b"\x20\x02\x00\x00"
_PATIENT_MS = 600000  # longer than the test waits: what comes, comes without this time-out


def test_publish_subscribe_both_qos(broker, play):
    with play("echo", port=broker.port) as node:
        result = node.result()
    assert result["complete"]
    assert result["granted"] == 1
    assert not result["present"]


def test_password(guarded_mosquitto, play):
    with play("connect", port=guarded_mosquitto.port, user="bed-3", password="secret") as node:
        assert "present" in node.result()
    for account in ({"user": "bed-3", "password": "wrong"}, {}):
        with play("connect", port=guarded_mosquitto.port, **account) as node:
            result = node.result()
        assert result["kind"] == "LinkError"
        assert "broker refused: bad user name or password" in result["refused"]


def test_a_port_nobody_listens_on_is_told_without_a_timeout(play):
    with play("connect", port=free_port(), timeout_ms=_PATIENT_MS) as node:
        result = node.result()
    assert "ECONNREFUSED" in result["refused"] or "111" in result["refused"]


def test_a_broker_that_never_answers_does_not_hold_up_the_node(thread, play):
    with Rogue(thread, b"") as rogue:
        with play("connect", port=rogue.port, timeout_ms=1500) as node:
            assert node.result()["taken_ms"] >= 1500
        with play("connect", port=rogue.port, timeout_ms=_PATIENT_MS) as node:
            node.expect("alive")  # else it stands still while it waits


@pytest.fixture
def watch() -> Iterator:
    """watch(port, topic) -> list that fills with payloads, once subscribed."""
    clients = []

    def start(port: int, topic: str) -> list:
        got: list[bytes] = []
        subscribed = threading.Event()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_message = lambda _c, _u, message: got.append(message.payload)
        client.on_connect = lambda *_: client.subscribe(topic, 1)
        client.on_subscribe = lambda *_: subscribed.set()
        client.connect("127.0.0.1", port)
        client.loop_start()
        clients.append(client)
        assert subscribed.wait(120)
        return got

    yield start
    for client in clients:
        client.disconnect()
        client.loop_stop()


def test_a_killed_node_leaves_its_will(broker, play, watch):
    """One watcher: to a second one amqtt sends what is retained twice."""
    with play("will", port=broker.port) as node:
        node.expect("ready")
        got = watch(broker.port, "hedge/bed-3/status")
        soon(lambda: got == [b"online"], got)
        node.kill()
        soon(lambda: got == [b"online", b"offline"], got)


def _publishes(data: bytes) -> list[tuple[bool, int, bytes]]:
    """(dup, packet id, payload) of each QoS 1 PUBLISH in what a node sent; packets < 128 bytes."""
    found = []
    while data:
        first, length = data[0], data[1]
        body, data = data[2 : 2 + length], data[2 + length :]
        if first >> 4 == 3 and first & 6:
            at = 2 + (body[0] << 8 | body[1])
            dup, packet_id = bool(first & 8), int.from_bytes(body[at : at + 2], "big")
            found.append((dup, packet_id, bytes(body[at + 2 :])))
    return found


def _is_saved(folder) -> bool:
    """mosquitto saves a session within a second."""
    saved = folder / "mosquitto.db"
    return saved.exists() and b"bed-3" in saved.read_bytes()


def test_session_resumes_with_dup_after_the_broker_was_killed(
    mosquitto_broker, play, relay_to, watch, tmp_path
):
    relay = relay_to(mosquitto_broker.port)
    args = {"timeout_ms": _PATIENT_MS, "go": str(tmp_path / "go")}
    with play("resume", port=relay.port, **args) as node:
        node.expect("ready")
        soon(lambda: _is_saved(tmp_path), "the session in mosquitto's file")
        relay.deafen()
        (tmp_path / "go").touch()
        node.expect("published")
        soon(lambda: bytes(relay.from_node).endswith(b"3"), "three messages")
        relay.shut = True  # until the broker is back, and heard
        mosquitto_broker.kill()
        relay.cut()
        mosquitto_broker.start()
        got = watch(mosquitto_broker.port, "resume")
        relay.shut = False
        result = node.result()
    assert result["present"]
    assert result["redelivered"] == 3
    sent = _publishes(bytes(relay.from_node))
    first = [(False, i + 1, b"%d" % i) for i in range(4)]
    again = [(True, i + 1, b"%d" % i) for i in (1, 2, 3)]
    assert sent == [*first, *again, (False, 5, b"4")]
    soon(lambda: b"4" in got, got)


def test_a_broker_that_lost_the_session_gets_everything_as_new(thread, play, relay_to, tmp_path):
    args = {"timeout_ms": _PATIENT_MS, "go": str(tmp_path / "go")}
    with PythonBroker(thread) as broker:
        relay = relay_to(broker.port)
        with play("resume", port=relay.port, **args) as node:
            node.expect("ready")
            relay.deafen()
            (tmp_path / "go").touch()
            node.expect("published")
            soon(lambda: bytes(relay.from_node).endswith(b"3"), "three messages")
            relay.shut = True
            relay.cut()
            broker.kill()
            broker.start()
            relay.shut = False
            result = node.result()
    assert not result["present"]
    assert result["redelivered"] == 0
    assert [p for p in _publishes(bytes(relay.from_node)) if p[0]] == []
    assert [p[2] for p in _publishes(bytes(relay.from_node))][-4:] == [b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("publishing", [False, True])
def test_a_stalled_line_is_noticed_and_left(mosquitto_broker, play, relay_to, publishing):
    """Half-open: the old connection stays, silent, while a new one takes the session over.

    TCP itself would not notice for minutes. How soon we do: the table of tests/faults/net.
    """
    relay = relay_to(mosquitto_broker.port)
    args = {"keepalive_s": 2, "timeout_ms": 1000, "publishing": publishing}
    with play("silence", port=relay.port, **args) as node:
        node.expect("ready")
        soon(lambda: not publishing or len(relay.from_node) > 1000, "messages")
        relay.stall()
        result = node.result()
    assert "broker silent" in result["reason"] or "no PUBACK" in result["reason"]
    assert result["present"]


@pytest.fixture
def tls_broker(mosquitto, tmp_path, certificates):
    extra = f"certfile {certificates}/server.pem\nkeyfile {certificates}/server.key\n"
    with Mosquitto(mosquitto, tmp_path, extra) as broker:
        yield broker


@pytest.mark.parametrize("ca", ["ca.pem", "ca.der"])
def test_tls(tls_broker, play, certificates, ca):
    args = {"ca": str(certificates / ca), "server_hostname": "broker.test"}
    with play("echo", port=tls_broker.port, **args) as node:
        assert node.result()["complete"]


@pytest.mark.parametrize(
    ("ca", "name", "said"),
    [
        ("other-ca.pem", "broker.test", "not correctly signed by the trusted CA"),
        ("ca.pem", "elsewhere.test", "does not match with the expected CN"),
    ],
)
def test_tls_refuses(tls_broker, play, certificates, ca, name, said):
    args = {"ca": str(certificates / ca), "server_hostname": name}
    with play("connect", port=tls_broker.port, **args) as node:
        result = node.result()
    assert result["kind"] == "LinkError"
    assert result["refused"].startswith(f"TLS: {name}: ")
    assert said in result["refused"]


def test_tls_to_a_plain_port_and_back(mosquitto_broker, tls_broker, play, certificates):
    args = {"ca": str(certificates / "ca.pem"), "server_hostname": "broker.test"}
    with play("connect", port=mosquitto_broker.port, timeout_ms=2000, **args) as node:
        assert node.result()["kind"] in ("LinkError", "OSError")
    with play("connect", port=tls_broker.port, timeout_ms=2000) as node:
        assert node.result()["kind"] in ("LinkError", "OSError")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "no answer to CONNECT"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "broke the protocol"),
        (b"\x20\x02\x00\x05", "broker refused: bad user name or password"),
        (b"\x20\x7f", "broke the protocol"),
        (_CONNACK + b"\x30\xff\xff\xff\xff\x7f", "remaining length of more than 4 bytes"),
        (_CONNACK + b"\x36\x05\x00\x01a\x00\x01", "QoS 3"),
        (_CONNACK + b"\x90\xff\x7f" + bytes(400), "packet of 16386 bytes"),
        (_CONNACK + b"\x32\x05\x00\x01\xff\x00\x01", "bad topic name"),
        (_CONNACK + b"\x00\x00", "packet type 0"),
    ],
)
def test_a_broker_that_breaks_the_protocol(thread, play, answer, reason):
    timeout_ms = _PATIENT_MS if answer else 800
    args = {"timeout_ms": timeout_ms}
    with Rogue(thread, answer) as rogue, play("rogue", port=rogue.port, **args) as node:
        result = node.result()
    assert reason in result["reason"]


def test_an_oversized_message_is_drained_and_acked(thread, play, tmp_path):
    big = b"\x32\x94\x8c\x01\x00\x01a\x00\x07" + bytes(17935)
    small = b"\x32\x06\x00\x01a\x00\x08x"
    args = {"timeout_ms": _PATIENT_MS, "enough": str(tmp_path / "enough")}
    with (
        Rogue(thread, _CONNACK + big + small) as rogue,
        play("rogue", port=rogue.port, **args) as node,
    ):
        soon(lambda: b"\x40\x02\x00\x07" in rogue.heard, "PUBACK of the first")
        soon(lambda: b"\x40\x02\x00\x08" in rogue.heard, "PUBACK of the second")
        (tmp_path / "enough").touch()
        result = node.result()
    assert (result["got"], result["oversized"], result["reason"]) == ([1], 1, None)
