"""The client at both versions and every QoS against each broker: mosquitto, NATS, amqtt, aedes."""

import itertools
import json
import subprocess
import sys
import time

import paho.mqtt.client as paho
import pytest
from mqtt_peers import SHIM, Shim, aedes_broker, nats_server
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from peers import Mosquitto, PythonBroker

pytestmark = pytest.mark.interop

# (broker, version, highest QoS): what each of them speaks
_KINDS = {
    "mosquitto": (4, 2),
    "mosquitto-5": (5, 2),
    "nats": (4, 1),
    "amqtt": (4, 2),
    "aedes": (4, 2),
}


def _broker(kind, request, tmp_path):
    """With .version and .qos, what to speak with it."""
    name = kind.split("-")[0]
    if name == "mosquitto":
        broker = Mosquitto(request.getfixturevalue("mosquitto"), tmp_path)
    elif name == "amqtt":
        pytest.importorskip("amqtt", reason="the Python package amqtt is not installed")
        broker = PythonBroker(request.getfixturevalue("thread"))
    else:
        broker = nats_server(tmp_path) if name == "nats" else aedes_broker(tmp_path)
    broker.version, broker.qos = _KINDS[kind]
    return broker


@pytest.fixture(params=_KINDS)
def any_peer(request, tmp_path):
    with _broker(request.param, request, tmp_path) as broker:
        yield broker


@pytest.fixture(params=[kind for kind in _KINDS if kind != "amqtt"])
def peer(request, tmp_path):
    """Without amqtt 0.12: what came for a session while it was away it keeps for itself (from paho
    too), and now and then it sends retained messages twice."""
    with _broker(request.param, request, tmp_path) as broker:
        yield broker


def test_every_qos_there_and_back(any_peer):
    peer = any_peer
    with Shim(peer.port) as shim:
        shim.do("connect", id="n", version=peer.version, clean_session=True)
        granted = shim.do("subscribe", topic="a/+", qos=peer.qos)["granted"]
        assert granted == peer.qos
        for qos in range(peer.qos + 1):
            shim.do("publish", topic=f"a/{qos}", payload=f"qos {qos} no ", qos=qos, count=10)
        shim.do("wait", messages=10 * (peer.qos + 1))
        shim.do("unsubscribe", topic="a/+")
        shim.do("publish", topic="a/0", payload="late", qos=1)
        assert shim.do("stats")["inflight"] == 0
        shim.do("disconnect")
        expected = [f"qos {q} no {i}" for q in range(peer.qos + 1) for i in range(10)]
        assert sorted(shim.messages()) == sorted(expected)


def test_will_and_retained(peer):
    with Shim(peer.port) as watcher:
        watcher.do("connect", id="w", version=peer.version, clean_session=True)
        watcher.do("subscribe", topic="s/#", qos=1)
        with Shim(peer.port) as shim:
            will = {"topic": "s/will", "payload": "gone", "qos": 1, "retain": True}
            shim.do("connect", id="n", version=peer.version, clean_session=True, will=will)
            shim.do("publish", topic="s/kept", payload="on", qos=1, retain=True)
            watcher.do("wait", messages=1)
            shim.kill()
        watcher.do("wait", messages=2)
        assert watcher.messages() == ["on", "gone"]
        assert [e["retain"] for e in watcher.seen if e["event"] == "message"] == [False, False]
    with Shim(peer.port) as late:
        late.do("connect", id="l", version=peer.version, clean_session=True)
        late.do("subscribe", topic="s/#", qos=1)
        late.do("wait", messages=2)
        assert sorted(late.messages()) == ["gone", "on"]
        assert all(e["retain"] for e in late.seen if e["event"] == "message")


def _heard(shim, peer) -> list[str]:
    """In order; at QoS 1 sorted: what NATS gave to a closing connection it repeats later."""
    return shim.messages() if peer.qos == 2 else sorted(set(shim.messages()))


def test_a_session_resumes_with_what_came_meanwhile(peer, tmp_path):
    args = {"id": "n", "version": peer.version, "session": str(tmp_path / "n.kv")}
    with Shim(peer.port) as other, Shim(peer.port) as shim:
        other.do("connect", id="o", version=peer.version, clean_session=True)
        assert not shim.do("connect", **args)["present"]
        shim.do("subscribe", topic="m", qos=peer.qos)
        shim.do("disconnect")
        other.do("publish", topic="m", payload="while away ", qos=peer.qos, count=5)
        assert shim.do("connect", again=False, **args)["present"]
        shim.do("wait", messages=5)
        assert _heard(shim, peer) == [f"while away {i}" for i in range(5)]


def test_a_failing_handler_gets_the_message_again(peer, tmp_path):
    """At QoS 1 and 2: what was not committed was not acknowledged."""
    args = {"id": "n", "version": peer.version, "session": str(tmp_path / "n.kv")}
    with Shim(peer.port) as other, Shim(peer.port) as shim:
        other.do("connect", id="o", version=peer.version, clean_session=True)
        shim.do("connect", **args)
        shim.do("subscribe", topic="m", qos=peer.qos)
        shim.do("fail", count=1)
        other.do("publish", topic="m", payload="keep me", qos=peer.qos)
        shim.do("wait", lost=True)
        shim.do("close")
        assert shim.do("connect")["present"]
        shim.do("wait", messages=1)
        assert _heard(shim, peer) == ["keep me"]


class _Receiver:
    """paho at QoS 2, counting."""

    def __init__(self, port: int, topic: str) -> None:
        self.got: list[str] = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="receiver")
        self._client.on_message = lambda _c, _u, m: self.got.append(m.payload.decode())
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe(topic, 2)
        time.sleep(0.3)

    def __enter__(self) -> "_Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture(params=["mosquitto", "mosquitto-5", "aedes"])
def once_out(request, tmp_path):
    with _broker(request.param, request, tmp_path) as broker:
        yield broker


@pytest.fixture(params=["mosquitto", "mosquitto-5"])
def once_in(request, tmp_path):
    """Without aedes 1.2: it sends a PUBLISH again after its PUBREL (MQTT 3.1.1, 4.3.3 forbids)."""
    with _broker(request.param, request, tmp_path) as broker:
        yield broker


@pytest.mark.soak
def test_qos_2_out_is_exactly_once_over_cuts_and_kills(once_out, relay_to, tmp_path):
    """The line is cut and the node killed while messages are under way; each arrives once_out."""
    args = {"id": "n", "version": once_out.version, "session": str(tmp_path / "n.kv")}
    args |= {"timeout_ms": 4000}
    relay, sent = relay_to(once_out.port), []
    with _Receiver(once_out.port, "x") as receiver:
        for life in range(6):
            with Shim(relay.port) as shim:
                shim.do("connect", **args)
                for i in range(4):
                    if i == 2 and life % 2:
                        relay.cut()
                    sent.append(f"{life}.{i}")
                    shim.tell("publish", topic="x", payload=sent[-1], qos=2, wait=False)
                    event = shim.expect("publish")
                    if "error" in event:  # the cut was noticed before: it was not taken
                        sent.pop()
                        shim.do("connect")
                shim.kill()  # with acknowledgements under way
        with Shim(relay.port) as shim:
            shim.do("connect", **args)
            shim.do("wait", inflight=0)
        _soon(lambda: len(receiver.got) >= len(sent))
        time.sleep(0.5)
    assert sorted(receiver.got) == sorted(sent)
    assert len(sent) >= 12


@pytest.mark.soak
def test_qos_2_in_is_exactly_once_over_cuts_and_kills(once_in, relay_to, tmp_path):
    """The application counts in the session's own file: after any kill, each message once_in."""
    args = {"id": "n", "version": once_in.version, "session": str(tmp_path / "n.kv")}
    relay = relay_to(once_in.port)
    with Shim(relay.port) as shim:
        shim.do("connect", **args)
        shim.do("subscribe", topic="m", qos=2)
        shim.do("disconnect")
    with Shim(once_in.port) as other:
        other.do("connect", id="o", version=once_in.version, clean_session=True)
        other.do("publish", topic="m", payload="", qos=2, count=15)
    for life in itertools.count():
        with Shim(relay.port) as shim:
            assert shim.do("connect", **args)["present"]
            end = time.monotonic() + 0.01 * life
            while time.monotonic() < end:
                time.sleep(0.001)
            if life % 2:
                relay.cut()
            shim.kill() if life < 8 else time.sleep(1)
            if life == 8:
                count = shim.do("stats")["count"]
                break
    assert count == 15


def _soon(check, limit_s: float = 10.0) -> None:
    end = time.monotonic() + limit_s
    while not check() and time.monotonic() < end:
        time.sleep(0.02)


def test_qos_2_survives_one_kill_each_way(mosquitto_5, tmp_path):
    """The short form of the two above."""
    args = {"id": "n", "version": 5, "session": str(tmp_path / "n.kv")}
    with _Receiver(mosquitto_5.port, "x") as receiver, Shim(mosquitto_5.port) as shim:
        shim.do("connect", **args)
        shim.do("subscribe", topic="m", qos=2)
        shim.do("publish", topic="x", payload="1", qos=2, wait=False)
        shim.kill()
        with Shim(mosquitto_5.port) as other:
            other.do("connect", id="o", version=5)
            other.do("publish", topic="m", payload="", qos=2, count=9)
        with Shim(mosquitto_5.port) as killed:
            killed.do("connect", **args)
            killed.expect("message")
            killed.kill()
        with Shim(mosquitto_5.port) as last:
            assert last.do("connect", **args)["present"]
            last.do("wait", inflight=0)
            _soon(lambda: last.do("stats")["count"] >= 9)
            last.do("sleep", ms=200)
            assert last.do("stats")["count"] == 9
        _soon(lambda: receiver.got)
        assert receiver.got == ["1"]


def test_the_shim_from_a_command_line(mosquitto_broker):
    commands = [{"do": "connect"}, {"do": "publish", "topic": "a", "payload": "x", "qos": 1}]
    command = [sys.executable, str(SHIM), "127.0.0.1", str(mosquitto_broker.port)]
    command += [json.dumps(c) for c in commands]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["event"] for e in events] == ["connect", "publish"]
    assert not [e for e in events if "error" in e]


# MQTT 5 with mosquitto and paho


@pytest.fixture
def mosquitto_5(mosquitto, tmp_path):
    with Mosquitto(mosquitto, tmp_path, "max_packet_size 2000\nmax_keepalive 30\n") as broker:
        yield broker


def test_5_terms_of_the_broker(mosquitto_5):
    with Shim(mosquitto_5.port) as shim:
        event = shim.do("connect", id="", version=5, keepalive_s=600, session_expiry_s=3600)
        assert event["told"]["server_keepalive_s"] == 30
        assert event["told"]["max_packet_bytes"] == 2000
        assert event["id"] == event["told"]["assigned_client_id"] != ""
        shim.tell("publish", topic="a", payload="x" * 2000, qos=1)
        assert "packets up to 2000 bytes, not" in shim.expect("publish")["error"]
        shim.do("publish", topic="a", payload="x", qos=1)
        shim.do("close")
        assert shim.do("connect")["present"]
        assert shim.do("connect")["id"] == event["id"]


def test_5_properties_cross_to_paho_and_back(mosquitto_5):
    received = []
    other = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    other.on_message = lambda _c, _u, m: received.append(m)
    other.connect("127.0.0.1", mosquitto_5.port)
    other.loop_start()
    other.subscribe("to/paho", 1)
    time.sleep(0.2)
    sent = {"content_type": "text/é", "correlation_data": {"hex": "00ff"}, "user": [["a", "b"]]}
    sent |= {"response_topic": "to/us", "message_expiry_s": 60, "payload_format": 1}
    with Shim(mosquitto_5.port) as shim:
        shim.do("connect", version=5, topic_alias_max=5)
        shim.do("subscribe", topic="to/us", qos=1, properties={"subscription_id": 7})
        for _ in range(3):  # from the second on by topic alias
            shim.do("publish", topic="to/paho", payload="hi", qos=1, properties=sent)
        _soon(lambda: len(received) == 3)
        assert {(m.topic, m.payload) for m in received} == {("to/paho", b"hi")}
        got = received[2].properties
        assert (got.ContentType, got.CorrelationData) == ("text/é", b"\0\xff")
        assert (got.ResponseTopic, got.UserProperty) == ("to/us", [("a", "b")])
        assert got.MessageExpiryInterval <= 60
        back = Properties(PacketTypes.PUBLISH)
        back.UserProperty = ("k", "v")
        back.CorrelationData = got.CorrelationData
        other.publish("to/us", b"answer", 1, properties=back)
        shim.do("wait", messages=1)
        event = next(e for e in shim.seen if e["event"] == "message")
        assert event["properties"]["correlation_data"] == {"hex": "00ff"}
        assert event["properties"]["user"] == [["k", "v"]]
        assert event["properties"]["subscription_id"] == [7]
    other.disconnect()
    other.loop_stop()


def test_5_will_waits_for_its_delay_and_a_return_prevents_it(mosquitto_5):
    will = {"topic": "w", "payload": "gone", "qos": 1}
    args = {"id": "n", "version": 5, "will": will, "session_expiry_s": 60}
    with Shim(mosquitto_5.port) as watcher, Shim(mosquitto_5.port) as shim:
        watcher.do("connect", id="w", version=5)
        watcher.do("subscribe", topic="#", qos=1)
        shim.do("connect", will_properties={"will_delay_s": 1}, **args)
        shim.do("close")
        shim.do("connect")
        watcher.do("sleep", ms=1500)
        assert watcher.messages() == []
        shim.do("disconnect", code=4)  # with the will, please
        watcher.do("wait", messages=1)
        assert watcher.messages() == ["gone"]


def test_5_a_message_that_expired_is_not_delivered(mosquitto_5, tmp_path):
    args = {"id": "n", "version": 5, "session": str(tmp_path / "n.kv")}
    with Shim(mosquitto_5.port) as other, Shim(mosquitto_5.port) as shim:
        other.do("connect", id="o", version=5)
        shim.do("connect", **args)
        shim.do("subscribe", topic="m", qos=1)
        shim.do("disconnect")
        for payload, expiry_s in (("stale", 1), ("fresh", 100)):
            properties = {"message_expiry_s": expiry_s}
            other.do("publish", topic="m", payload=payload, qos=1, properties=properties)
        other.do("sleep", ms=2200)
        shim.do("connect", again=False, **args)
        shim.do("wait", messages=1)
        shim.do("sleep", ms=100)
        assert shim.messages() == ["fresh"]


@pytest.mark.soak
def test_5_an_expired_session_is_gone(mosquitto_5, tmp_path):
    args = {"id": "n", "version": 5, "session": str(tmp_path / "n.kv"), "session_expiry_s": 1}
    with Shim(mosquitto_5.port) as shim:
        shim.do("connect", **args)
        shim.do("publish", topic="a", payload="x", qos=1)
        shim.do("close")
        shim.do("sleep", ms=6500)  # mosquitto looks for expired sessions every five seconds
        assert not shim.do("connect")["present"]


def test_5_a_refusal_is_named(guarded_mosquitto):
    with Shim(guarded_mosquitto.port) as shim:
        shim.tell("connect", version=5, user="bed-3", password="wrong")
        error = shim.expect("connect")["error"]
        assert error in (
            "broker refused: not authorized (0x87)",
            "broker refused: bad user name or password (0x86)",
        )
        shim.do("connect", again=False, version=5, user="bed-3", password="secret")


def test_5_is_refused_in_words_by_brokers_of_3_1_1(tmp_path, thread):
    with nats_server(tmp_path) as broker, Shim(broker.port) as shim:
        shim.tell("connect", version=5, timeout_ms=3000)
        assert "protocol version not accepted" in shim.expect("connect")["error"]
