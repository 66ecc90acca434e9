"""The MQTT client on the Unix port against mosquitto and amqtt."""

import time
from collections.abc import Iterator

import paho.mqtt.client as paho
import pytest
from peers import Mosquitto, Rogue

pytestmark = pytest.mark.interop

_CONNACK = b"\x20\x02\x00\x00"


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


def test_a_port_nobody_listens_on(play, thread):
    with Rogue(thread, b"") as rogue:
        port = rogue.port
    with play("connect", port=port, timeout_ms=2000) as node:
        result = node.result()
    assert "ECONNREFUSED" in result["refused"] or "111" in result["refused"]
    assert result["taken_ms"] < 2000, "it waited for the timeout"


def test_a_broker_that_never_answers_does_not_hold_up_the_node(thread, play):
    with Rogue(thread, b"") as rogue, play("connect", port=rogue.port, timeout_ms=1500) as node:
        result = node.result()
    assert result["taken_ms"] >= 1500
    assert result["worst_gap_ms"] < 1500, "the node stood still while it waited"


@pytest.fixture
def watch() -> Iterator:
    """watch(port, topic) -> list that fills with payloads."""
    clients = []

    def start(port: int, topic: str) -> list:
        got: list[bytes] = []
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_message = lambda _c, _u, message: got.append(message.payload)
        client.connect("127.0.0.1", port)
        client.loop_start()
        client.subscribe(topic, 1)
        clients.append(client)
        return got

    yield start
    for client in clients:
        client.disconnect()
        client.loop_stop()


def _soon(check, limit_s: float = 5.0) -> None:
    end = time.monotonic() + limit_s
    while not check():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_killed_node_leaves_its_will(broker, play, watch):
    with play("will", port=broker.port) as node:
        node.expect("ready")
        got = watch(broker.port, "hedge/bed-3/status")
        _soon(lambda: got == [b"online"])
        node.kill()
        _soon(lambda: got == [b"online", b"offline"])


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


def test_session_resumes_with_dup_after_the_broker_was_killed(
    mosquitto_broker, play, relay_to, watch
):
    relay = relay_to(mosquitto_broker.port)
    with play("resume", port=relay.port, timeout_ms=3000, hold_ms=2000) as node:
        node.expect("ready")
        time.sleep(1.2)  # mosquitto saves the session within a second
        relay.deafen()
        node.expect("published")
        _soon(lambda: bytes(relay.from_node).endswith(b"3"))
        mosquitto_broker.kill()
        relay.cut()
        mosquitto_broker.start()
        got = watch(mosquitto_broker.port, "resume")
        result = node.result()
    assert result["present"]
    assert result["redelivered"] == 3
    sent = _publishes(bytes(relay.from_node))
    first = [(False, i + 1, b"%d" % i) for i in range(4)]
    again = [(True, i + 1, b"%d" % i) for i in (1, 2, 3)]
    assert sent == [*first, *again, (False, 5, b"4")]
    _soon(lambda: b"4" in got)


def test_a_broker_that_lost_the_session_gets_everything_as_new(thread, play, relay_to):
    from peers import PythonBroker

    with PythonBroker(thread) as broker:
        relay = relay_to(broker.port)
        with play("resume", port=relay.port, timeout_ms=3000, hold_ms=500) as node:
            node.expect("ready")
            relay.deafen()
            node.expect("published")
            _soon(lambda: bytes(relay.from_node).endswith(b"3"))
            relay.cut()
            broker.kill()
            broker.start()
            result = node.result()
    assert not result["present"]
    assert result["redelivered"] == 0
    assert [p for p in _publishes(bytes(relay.from_node)) if p[0]] == []
    assert [p[2] for p in _publishes(bytes(relay.from_node))][-4:] == [b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("publishing", [False, True])
def test_a_stalled_line_is_noticed_and_left(mosquitto_broker, play, relay_to, publishing):
    """Half-open: the old connection stays, silent, while a new one takes the session over."""
    relay = relay_to(mosquitto_broker.port)
    args = {"keepalive_s": 2, "timeout_ms": 1000, "publishing": publishing}
    with play("silence", port=relay.port, **args) as node:
        node.expect("ready")
        time.sleep(0.2)
        relay.stall()
        result = node.result()
    assert "broker silent" in result["reason"] or "no PUBACK" in result["reason"]
    assert result["taken_ms"] < 5000
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
    with Rogue(thread, answer) as rogue, play("rogue", port=rogue.port, timeout_ms=800) as node:
        result = node.result()
    assert reason in result["reason"]


def test_an_oversized_message_is_drained_and_acked(thread, play):
    big = b"\x32\x94\x8c\x01\x00\x01a\x00\x07" + bytes(17935)
    small = b"\x32\x06\x00\x01a\x00\x08x"
    with Rogue(thread, _CONNACK + big + small) as rogue, play("rogue", port=rogue.port) as node:
        result = node.result()
    assert (result["got"], result["oversized"], result["reason"]) == ([1], 1, None)
    assert b"\x40\x02\x00\x07" in rogue.heard
    assert b"\x40\x02\x00\x08" in rogue.heard
