"""One contract for every link, and the uplink over each of them with a real store and broker.

That nothing blocks the node's loop meanwhile is measured, not tested: tests/bench/loop_gap.py.
"""

import pytest
from gateway_stub import GatewayStub
from link_rows import INFO, ROWS, go_file
from peers import soon

from hedgerow import paths

pytestmark = pytest.mark.interop

_PATIENT_MS = 60000  # no ack is overdue because a machine stands still
_LINKS = ("mqtt", "mqtt-5", "umqtt-hedge", "umqtt-simple")


@pytest.fixture(params=_LINKS)
def link(request):
    """Arguments of make_link for each kind, and where its client comes from."""
    if request.param.startswith("mqtt"):
        return {"kind": "mqtt", "version": 5 if request.param == "mqtt-5" else 4}
    client = request.param.split("-")[1]
    folders = [paths.firmware_dir()]
    if client == "simple":
        folders.append(request.getfixturevalue("real_umqtt"))
    return {"kind": "umqtt", "client": client, "path": folders}


@pytest.mark.parametrize("kind", ROWS)
def test_contract(request, kind):
    """Frames arrive unchanged, answers come back, close may be repeated, a lost peer raises."""
    with ROWS[kind](request) as row, row.play("contract") as node:
        assert node.expect("connected")["kept"] is False
        node.expect("closed")
        soon(row.has_left, "its goodbye")
        go_file(request).touch()
        node.expect("ready")
        row.kill()
        node.contract(kept=row.kept, lost=row.lost)
        assert set(row.infos()) == {INFO}
        assert row.statuses() in ([], [b"online", b"offline", b"online"])


def test_bytes_sent_are_those_on_the_wire(mosquitto_broker, play, link, relay_to, tmp_path):
    relay = relay_to(mosquitto_broker.port)
    gateway = GatewayStub(mosquitto_broker.port, echo=True)
    args = {"port": relay.port, "device": "bed-3", "go": str(tmp_path / "go"), **link}
    with gateway, play("contract", **args) as node:
        node.expect("closed")
        soon(lambda: relay.ended == 1, "the end of the first session")
        (tmp_path / "go").touch()
        sent = node.expect("ready")["bytes_sent"]
        soon(lambda: len(relay.from_node) >= sent, f"{sent} bytes on the wire")
        relay.cut()
        assert node.result()["more"] == sent
    assert abs(sent - len(relay.from_node)) <= 4  # a PUBACK may cross the measurement


def _drain(gateway: GatewayStub, records: int) -> None:
    rows = gateway.rows()
    payloads = sorted(int(p.split()[2]) for p in rows.values())
    assert payloads == list(range(records)), "lost or invented records"


def test_uplink_over_a_good_line(broker, play, link, tmp_path):
    if broker.name == "amqtt" and link.get("version") == 5:
        pytest.skip("amqtt speaks MQTT 3.1.1 only")
    args = {"port": broker.port, "dir": str(tmp_path / "log"), "records": 300}
    args["ack_timeout_ms"] = _PATIENT_MS
    with GatewayStub(broker.port) as gateway, play("uplink", **args, **link) as node:
        result = node.result()
        assert result["pending"] == 0
        _drain(gateway, 300)
    stats = result["stats"]
    assert (stats["outages"], stats["bad_acks"]) == (0, 0)


def test_uplink_over_a_line_that_flaps(broker, play, relay_to, tmp_path):
    """Cut again and again while records are made; each goes to the gateway, none is invented.

    The line goes by what the node sent, not by time: on a fast machine or a slow one it is cut
    four times, in the middle of frames that no one acknowledged. It is cut in a session: what goes
    again while one begins, eight frames, is not half of that.
    """
    relay = relay_to(broker.port)
    relay.cuts_left, relay.cut_at_bytes = 4, 4000
    args = {"port": relay.port, "dir": str(tmp_path / "log"), "records": 600, "pace_ms": 5}
    with GatewayStub(broker.port) as gateway:
        with play("uplink", kind="mqtt", ack_timeout_ms=1000, **args) as node:
            result = node.result()
        assert result["pending"] == 0
        _drain(gateway, 600)
    assert relay.cuts_left == 0
    assert result["stats"]["outages"] >= 4


def test_uplink_outlives_kills_of_broker_and_node(mosquitto_broker, play, tmp_path):
    """The node is killed mid-way and started again on its log; so is the broker."""
    broker, go = mosquitto_broker, tmp_path / "go"
    args = {"kind": "mqtt", "port": broker.port, "dir": str(tmp_path / "log"), "pace_ms": 5}
    with GatewayStub(broker.port) as gateway:
        with play("uplink", records=1_000_000, **args) as node:
            soon(lambda: gateway.count() > 30, "records of the first life")
            node.kill()
        args |= {"records": 200, "holds": {"100": str(go)}, "ack_timeout_ms": 1000}
        with play("uplink", **args) as node:
            assert node.expect("ready")["boot"] == 2
            soon(lambda: gateway.count(boot=2) > 30, "records of the second life")
            broker.kill()
            go.touch()
            broker.start()
            result = node.result()
        assert result["pending"] == 0
        assert result["stats"]["outages"] >= 1
        rows = gateway.rows()
        boots = [sorted(k[2] for k in rows if k[:2] == (b, s)) for b in (1, 2) for s in (0, 1, 2)]
        assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in boots)
        assert sum(len(seqs) for seqs in boots[3:]) == 200
        assert len(boots[0]) > 5


def test_uplink_outlasts_a_silent_gateway(mosquitto_broker, play, tmp_path):
    args = {"port": mosquitto_broker.port, "dir": str(tmp_path / "log"), "records": 30}
    with GatewayStub(mosquitto_broker.port) as gateway:
        gateway.deaf = True
        with play("uplink", kind="mqtt", ack_timeout_ms=150, quiet=False, **args) as node:
            node.wait_said("gateway silent: 3 ack time-outs")
            gateway.deaf = False
            result = node.result()
        assert result["pending"] == 0
        _drain(gateway, 30)
    assert result["stats"]["ack_timeouts"] >= 3
    assert result["stats"]["outages"] >= 1


@pytest.mark.parametrize("client", ["hedge", "simple"])
def test_code_written_for_umqtt(broker, play, client, request):
    folders = [paths.firmware_dir()]
    if client == "simple":
        folders.append(request.getfixturevalue("real_umqtt"))
    with play("umqtt", port=broker.port, client=client, path=folders) as node:
        result = node.result()
    got = [["u/one", "qos 0"], ["u/three", "text"], ["u/two", "qos 1"]]
    assert result == {"event": "result", "present": False, "got": got, "nothing": [None, None]}


def test_umqtt_says_that_the_password_is_wrong(guarded_mosquitto, play):
    args = {"client": "hedge", "user": "bed-3", "password": "wrong"}
    with play("umqtt", port=guarded_mosquitto.port, **args) as node:
        assert node.result()["refused"] in (4, 5)
