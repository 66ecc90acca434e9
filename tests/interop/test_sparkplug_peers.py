"""Sparkplug B through mosquitto, every payload read by Eclipse Tahu's codec (npm)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mqtt_peers import npm_package
from observer import Observer
from ports import free_port

from hedge.wire import cbor, frame, senml
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread

_HERE = Path(__file__).parent
_PACKAGE = ("sparkplug-payload", "1.0.3")  # EPL-2.0: runs beside the tests, in no product
_NOW_S = 1_790_000_000
_EDGE = "hedgerow"


@pytest.fixture(scope="module")
def codec():
    """codec(["hex" or JSON, ...]) -> the other form of each."""
    package = npm_package(*_PACKAGE)
    command = [shutil.which("node"), str(_HERE / "sparkplug_payload.cjs"), str(package)]

    def run(lines):
        text = "\n".join(lines)
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


class Host:
    """A host application: what it heard, decoded, with the order checked."""

    def __init__(self, observer, codec):
        self.observer = observer
        self._codec = codec

    def kinds(self):
        return [topic.split("/")[2] for topic, _ in self.observer.heard]

    def wait(self, kind, count=1):
        self.observer.wait(lambda: self.kinds().count(kind) >= count)

    def wait_name(self, kind, name):
        """A message of this kind with this metric."""
        self.observer.wait(
            lambda: any(
                topic.split("/")[2] == kind and name.encode() in data
                for topic, data in self.observer.heard
            )
        )

    def messages(self):
        """[(kind, device, {metric: its table}, payload)] in order."""
        heard = list(self.observer.heard)
        found = []
        for (topic, _), line in zip(heard, self._codec([d.hex() for _, d in heard]), strict=True):
            space, group, kind, edge, *device = topic.split("/")
            assert (space, group, edge) == ("spBv1.0", "farm", _EDGE)
            table = json.loads(line)
            assert "error" not in table, (topic, table)
            metrics = {metric["name"]: metric for metric in table.get("metrics", [])}
            found.append((kind, device[0] if device else "", metrics, table))
        return found

    def command(self, metrics, device=""):
        (line,) = self._codec([json.dumps({"timestamp": _NOW_S * 1000, "metrics": metrics})])
        topic = f"spBv1.0/farm/{'D' if device else 'N'}CMD/{_EDGE}"
        topic += f"/{device}" if device else ""
        self.observer.publish(topic, bytes.fromhex(line))


@pytest.fixture
def host(mosquitto_broker, codec):
    kinds = ("NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH")
    topics = [f"spBv1.0/farm/{kind}/#" for kind in kinds]
    with Observer("127.0.0.1", mosquitto_broker.port, *topics) as observer:
        yield Host(observer, codec)


def _config(tmp_path, broker):
    where = f"mqtt://127.0.0.1:{broker.port}"
    return GatewayConfig(
        tmp_path / "farm.db", http_port=0, broker=where, sparkplug=("farm", _EDGE)
    )


def _frame(seq, *entries):
    return frame.pack("bed-1", 1, 1, seq, seq, [senml.encode(_NOW_S + seq, list(entries))])


def _up(host, seq, *entries):
    host.observer.publish("hedge/bed-1/up", _frame(seq, *entries))


def _speak(host):
    info = {"name": "Bed one", "actuators": ["pump"]}
    host.observer.publish("hedge/bed-1/info", cbor.encode(info), retain=True)
    host.observer.publish("hedge/bed-1/status", b"online", retain=True)
    entries = [("soil.vwc", "%", 23.5), ("pump", None, True), ("rule", None, "water: dry")]
    _up(host, 1, *entries)
    host.wait_name("DBIRTH", "soil.vwc")


def _seqs(messages):
    return [int(table["seq"]) for kind, _, _, table in messages if kind != "NDEATH"]


def test_a_session_from_birth_to_death(tmp_path, mosquitto_broker, host):
    with gateway_in_thread(_config(tmp_path, mosquitto_broker)):
        host.wait("NBIRTH")
        _speak(host)
        _up(host, 2, ("soil.vwc", "%", 23.0))
        host.wait("DDATA")
        host.observer.publish("hedge/bed-1/status", b"offline", retain=True)
        host.wait("DDEATH")
    host.wait("NDEATH")
    messages = host.messages()
    assert _seqs(messages) == list(range(len(messages) - 1))
    kind, _, metrics, birth = messages[0]
    assert (kind, birth["seq"]) == ("NBIRTH", "0")
    assert (metrics["bdSeq"]["type"], metrics["bdSeq"]["value"]) == ("Int64", "0")
    assert metrics["Node Control/Rebirth"]["value"] is False
    births = [metrics for kind, device, metrics, _ in messages if kind == "DBIRTH"]
    assert {n: (m["type"], m["value"]) for n, m in births[-1].items()} == {
        "soil.vwc": ("Double", 23.5),
        "pump": ("Boolean", True),
        "rule": ("String", "water: dry"),
    }
    assert births[-1]["soil.vwc"]["properties"]["engUnit"]["value"] == "%"
    assert births[-1]["soil.vwc"]["timestamp"] == str((_NOW_S + 1) * 1000)
    data = [metrics for kind, _, metrics, _ in messages if kind == "DDATA"]
    assert [(n, m["value"]) for n, m in data[-1].items()] == [("soil.vwc", 23)]
    kind, _, metrics, death = messages[-1]
    assert (kind, metrics["bdSeq"]["value"], "seq" in death) == ("NDEATH", "0", False)


def test_a_rebirth_is_given_when_asked_for_and_nothing_else(tmp_path, mosquitto_broker, host):
    rebirth = {"name": "Node Control/Rebirth", "type": "Boolean", "value": True}
    with gateway_in_thread(_config(tmp_path, mosquitto_broker)):
        _speak(host)
        host.command([{**rebirth, "value": False}])
        host.command([{"name": "pump", "type": "Boolean", "value": False}], "bed-1")
        host.observer.publish(f"spBv1.0/farm/NCMD/{_EDGE}", b"\x12\xff")
        before = host.kinds().count("DBIRTH")
        assert host.kinds().count("NBIRTH") == 1
        host.command([rebirth])
        host.wait("DBIRTH", before + 1)
    messages = host.messages()
    births = [at for at, message in enumerate(messages) if message[0] == "NBIRTH"]
    assert len(births) == 2
    second = messages[births[1] :]
    assert [m[0] for m in second[:2]] == ["NBIRTH", "DBIRTH"]
    assert _seqs(second)[:2] == [0, 1]
    assert messages[births[0]][2]["bdSeq"]["value"] == second[0][2]["bdSeq"]["value"]
    assert set(second[1][2]) == {"soil.vwc", "pump", "rule"}


def test_a_lost_connection_is_a_new_session(tmp_path, mosquitto_broker, codec):
    topics = ("spBv1.0/farm/NBIRTH/#", "spBv1.0/farm/DBIRTH/#")
    with gateway_in_thread(_config(tmp_path, mosquitto_broker)):
        for number in (0, 1):
            with Observer("127.0.0.1", mosquitto_broker.port, *topics) as observer:
                host = Host(observer, codec)
                _ask_for_birth(host)
                host.wait("NBIRTH")
                assert host.messages()[0][2]["bdSeq"]["value"] == str(number)
            mosquitto_broker.kill()
            mosquitto_broker.start()


def _ask_for_birth(host):
    """Until it is there: the gateway may connect before the observer, or after it."""
    for _ in range(30):
        host.command([{"name": "Node Control/Rebirth", "type": "Boolean", "value": True}])
        if host.observer.sees(lambda: "NBIRTH" in host.kinds(), 1):
            return


def test_the_broker_tells_the_death_of_a_gateway_that_was_killed(tmp_path, mosquitto_broker, host):
    where = f"mqtt://127.0.0.1:{mosquitto_broker.port}"
    command = [str(Path(sys.executable).with_name("hedgerow")), "gateway", "--broker", where]
    command += ["--sparkplug", "farm", "--db", str(tmp_path / "farm.db")]
    command += ["--http-port", str(free_port())]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))
    try:
        host.wait("NBIRTH")
        assert "NDEATH" not in host.kinds()
    finally:
        process.kill()
        process.wait(120)
    host.wait("NDEATH")
    (birth, *_, death) = host.messages()
    assert death[2]["bdSeq"]["value"] == birth[2]["bdSeq"]["value"]
