"""The client at both versions and every QoS against each broker: mosquitto, NATS, amqtt, aedes."""

import itertools
import json
import subprocess
import sys
import threading
import time

import paho.mqtt.client as paho
import pytest
from mqtt_peers import SHIM, Shim, aedes_broker, nats_server
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from peers import Mosquitto, PythonBroker, soon

pytestmark = pytest.mark.interop

# (broker, version, highest QoS): what each of them speaks
_KINDS = {
    "mosquitto": (4, 2),
    "mosquitto-5": (5, 2),
    "nats": (4, 1),
    "amqtt": (4, 2),
    "aedes": (4, 2),
}


def _broker(kind, request, tmp_path, **nats):
    """With .version and .qos, what to speak with it. nats: see nats_server."""
    name = kind.split("-")[0]
    if name == "mosquitto":
        broker = Mosquitto(request.getfixturevalue("mosquitto"), tmp_path)
    elif name == "amqtt":
        pytest.importorskip("amqtt", reason="the Python package amqtt is not installed")
        broker = PythonBroker(request.getfixturevalue("thread"))
    else:
        broker = nats_server(tmp_path, **nats) if name == "nats" else aedes_broker(tmp_path)
    broker.version, broker.qos = _KINDS[kind]
    return broker


@pytest.fixture(params=_KINDS)
def any_peer(request, tmp_path):
    with _broker(request.param, request, tmp_path) as broker:
        yield broker


_KEEPERS = [kind for kind in _KINDS if kind != "amqtt"]


@pytest.fixture(params=_KEEPERS)
def peer(request, tmp_path):
    """Without amqtt 0.12: what came for a session while it was away it keeps for itself (from paho
    too), and now and then it sends retained messages twice."""
    with _broker(request.param, request, tmp_path) as broker:
        yield broker


@pytest.fixture(params=_KEEPERS)
def eager_peer(request, tmp_path):
    """The same; NATS repeats what was not acknowledged within a second, not at the next CONNECT.

    On a machine that stands still it repeats more: what is heard of it may be heard twice.
    """
    with _broker(request.param, request, tmp_path, ack_wait_s=1) as broker:
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


def _heard(shim, peer, count: int) -> list[str]:
    """So many different messages, or more, in order.

    At QoS 1 sorted: what NATS gave to a closing connection it repeats later.
    """

    def has_all() -> bool:
        shim.do("stats")  # takes in what came before its answer
        return len(set(shim.messages())) >= count

    soon(has_all, shim.seen)
    return shim.messages() if peer.qos == 2 else sorted(set(shim.messages()))


def test_a_session_resumes_with_what_came_meanwhile(eager_peer, tmp_path):
    peer = eager_peer
    args = {"id": "n", "version": peer.version, "session": str(tmp_path / "n.kv")}
    with Shim(peer.port) as other, Shim(peer.port) as shim:
        other.do("connect", id="o", version=peer.version, clean_session=True)
        assert not shim.do("connect", **args)["present"]
        shim.do("subscribe", topic="m", qos=peer.qos)
        shim.do("disconnect")
        other.do("publish", topic="m", payload="while away ", qos=peer.qos, count=5)
        assert shim.do("connect", again=False, **args)["present"]
        assert _heard(shim, peer, 5) == [f"while away {i}" for i in range(5)]


def test_a_failing_handler_gets_the_message_again(eager_peer, tmp_path):
    """At QoS 1 and 2: what was not committed was not acknowledged."""
    peer = eager_peer
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
        assert _heard(shim, peer, 1) == ["keep me"]


class _Receiver:
    """paho, subscribed once it is made. messages, got: what came, and its payloads as text."""

    def __init__(self, port: int, topic: str, protocol: int = paho.MQTTv311) -> None:
        self.messages: list[paho.MQTTMessage] = []
        subscribed = threading.Event()
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id="receiver", protocol=protocol
        )
        self.client.on_message = lambda _c, _u, m: self.messages.append(m)
        self.client.on_connect = lambda *_: self.client.subscribe(topic, 2)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert subscribed.wait(120)

    @property
    def got(self) -> list[str]:
        return [message.payload.decode() for message in list(self.messages)]

    def __enter__(self) -> "_Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()


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
        soon(lambda: len(receiver.got) >= len(sent), receiver.got)
        time.sleep(0.5)  # too short a time can only miss a message too many
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
            if life < 8:
                shim.kill()
                continue
            soon(lambda: shim.do("stats")["count"] >= 15, shim.seen)
            shim.do("sleep", ms=500)
            assert shim.do("stats")["count"] == 15
            break


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
            soon(lambda: last.do("stats")["count"] >= 9, last.seen)
            last.do("sleep", ms=200)
            assert last.do("stats")["count"] == 9
        soon(lambda: receiver.got, "the message out")
        assert receiver.got == ["1"]


def test_the_shim_from_a_command_line(mosquitto_broker):
    commands = [{"do": "connect"}, {"do": "publish", "topic": "a", "payload": "x", "qos": 1}]
    command = [sys.executable, str(SHIM), "127.0.0.1", str(mosquitto_broker.port)]
    command += [json.dumps(c) for c in commands]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
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
    sent = {"content_type": "text/é", "correlation_data": {"hex": "00ff"}, "user": [["a", "b"]]}
    sent |= {"response_topic": "to/us", "message_expiry_s": 60, "payload_format": 1}
    other = _Receiver(mosquitto_5.port, "to/paho", paho.MQTTv5)
    with other, Shim(mosquitto_5.port) as shim:
        shim.do("connect", version=5, topic_alias_max=5)
        shim.do("subscribe", topic="to/us", qos=1, properties={"subscription_id": 7})
        for _ in range(3):  # from the second on by topic alias
            shim.do("publish", topic="to/paho", payload="hi", qos=1, properties=sent)
        soon(lambda: len(other.messages) == 3, other.got)
        assert {(m.topic, m.payload) for m in other.messages} == {("to/paho", b"hi")}
        got = other.messages[2].properties
        assert (got.ContentType, got.CorrelationData) == ("text/é", b"\0\xff")
        assert (got.ResponseTopic, got.UserProperty) == ("to/us", [("a", "b")])
        assert got.MessageExpiryInterval <= 60
        back = Properties(PacketTypes.PUBLISH)
        back.UserProperty = ("k", "v")
        back.CorrelationData = got.CorrelationData
        other.client.publish("to/us", b"answer", 1, properties=back)
        shim.do("wait", messages=1)
        event = next(e for e in shim.seen if e["event"] == "message")
        assert event["properties"]["correlation_data"] == {"hex": "00ff"}
        assert event["properties"]["user"] == [["k", "v"]]
        assert event["properties"]["subscription_id"] == [7]


_WILL_DELAY_S = 3  # mosquitto counts whole seconds: it may be one less


def _with_will(shim, client_id: str, payload: str) -> None:
    will = {"topic": "w", "payload": payload, "qos": 1}
    delay = {"will_delay_s": _WILL_DELAY_S}
    args = {"id": client_id, "version": 5, "session_expiry_s": 60, "again": False}
    shim.do("connect", will=will, will_properties=delay, **args)


def _returned_in_time(shim) -> bool:
    begin_s = time.monotonic()
    shim.do("close")
    shim.do("connect")
    return time.monotonic() - begin_s < _WILL_DELAY_S - 1.5


def test_5_will_waits_for_its_delay_and_a_return_prevents_it(mosquitto_5):
    """That the delay has passed is told by the will of another, who left later for good."""
    with (
        Shim(mosquitto_5.port) as watcher,
        Shim(mosquitto_5.port) as shim,
        Shim(mosquitto_5.port) as other,
    ):
        watcher.do("connect", id="w", version=5)
        watcher.do("subscribe", topic="#", qos=1)
        for attempt in itertools.count():  # a machine that stands still returns too late
            will = f"gone {attempt}"
            _with_will(shim, "n", will)
            if _returned_in_time(shim):
                break
        _with_will(other, "o", "time is over")
        other.do("close")
        soon(lambda: watcher.do("stats") and "time is over" in watcher.messages(), watcher.seen)
        assert will not in watcher.messages()
        shim.do("disconnect", code=4)  # with the will, please
        soon(lambda: watcher.do("stats") and will in watcher.messages(), watcher.seen)
        assert watcher.messages().count(will) == 1


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

        def is_gone() -> bool:
            shim.do("sleep", ms=6500)  # mosquitto looks for expired sessions every five seconds
            present = shim.do("connect")["present"]
            shim.do("close")
            return not present

        soon(is_gone, shim.seen)


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
        shim.tell("connect", version=5)
        assert "protocol version not accepted" in shim.expect("connect")["error"]
