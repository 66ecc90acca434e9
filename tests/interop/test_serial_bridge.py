"""`hedgerow bridge` between nodes on serial lines and a real broker, and what can go wrong.

What waits for time-outs, half a minute in all, is in the soak.
"""

import contextlib
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from gateway_stub import GatewayStub
from peers import Mosquitto, soon
from ports import free_port
from serial_node import SerialNode

from hedgerow.bridge.bridge import Bridge
from hedgerow.cli.bridge import command
from hedgerow.device.link_errors import PortError
from hedgerow.errors import ToolError
from hedgerow.gateway.broker.external import parse_url
from hedgerow.gateway.mqtt import BrokerAddress

pytestmark = pytest.mark.interop


class Story:
    """A bridge that notes what it told and passed on."""

    def __init__(self, broker_port, ports, **options):
        self.told, self.texts = [], []
        address = options.pop("address", None) or BrokerAddress("127.0.0.1", broker_port)
        self.bridge = Bridge(
            ports,
            address,
            told=self.told.append,
            on_text=lambda name, line: self.texts.append((name, line)),
            **options,
        )

    def __enter__(self):
        self.bridge.__enter__()
        return self

    def __exit__(self, *raised):
        self.bridge.__exit__(*raised)

    def wait_for(self, text):
        soon(lambda: any(text in told for told in self.told), (text, self.told))


@pytest.fixture
def play(micropython, tmp_path):
    """play("uplink", ...) -> SerialNode, a context manager."""

    def start(scenario, name="tty", **args):
        return SerialNode(micropython, scenario, tmp_path / name, **args)

    return start


def all_arrived(gateway, records, device="bed-3"):
    rows = gateway.rows(device)
    assert sorted(int(p.split()[2]) for p in rows.values()) == list(range(records))


def test_uplink_and_the_log_beside_it(mosquitto_broker, play, tmp_path):
    port = mosquitto_broker.port
    args = {"device": "bed-3", "dir": str(tmp_path / "log"), "records": 300, "quiet": False}
    node = play("uplink", ack_timeout_ms=60000, **args)
    with GatewayStub(port) as gateway:
        with Story(port, [node.address]) as story, node:  # a bridge is there when it asks
            result = node.result()
            assert result["pending"] == 0
            all_arrived(gateway, 300)
            assert (result["stats"]["outages"], result["stats"]["bad_acks"]) == (0, 0)
            soon(lambda: any("session 1" in line for _, line in story.texts), story.texts)
            assert not any("#~" in line for _, line in story.texts)
        soon(lambda: gateway.status[-1][1] == b"offline", gateway.status)


def test_two_boards_at_once(mosquitto_broker, play, tmp_path):
    port = mosquitto_broker.port
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(GatewayStub(port))
        nodes = []
        for name in ("bed-3", "bed-4"):
            args = {"device": name, "dir": str(tmp_path / f"log-{name}"), "records": 60}
            nodes.append(stack.enter_context(play("uplink", name, **args)))
        stack.enter_context(Story(port, [node.address for node in nodes]))
        assert [node.result()["pending"] for node in nodes] == [0, 0]
        all_arrived(gateway, 60, "bed-3")
        all_arrived(gateway, 60, "bed-4")


@pytest.mark.soak
def test_a_board_found_later_and_a_name_that_is_taken(
    mosquitto_broker, play, tmp_path, monkeypatch
):
    monkeypatch.setattr("hedgerow.bridge.bridge._SCAN_S", 0.2)
    port = mosquitto_broker.port
    found = []
    args = {"device": "bed-3", "records": 10}
    with GatewayStub(port) as gateway, Story(port, [], find=lambda: list(found)) as story:
        with play("uplink", dir=str(tmp_path / "a"), **args) as node:
            found.append(node.address)
            story.wait_for("bed-3: online")
            with play("uplink", "other", dir=str(tmp_path / "b"), **args) as other:
                found.append(other.address)
                story.wait_for(f"the board at {node.address} is called bed-3 too")
            assert node.result()["pending"] == 0
        all_arrived(gateway, 10)


@pytest.mark.soak
def test_noise_half_lines_and_repl_text_cost_no_record(mosquitto_broker, play, tmp_path):
    port = mosquitto_broker.port
    noise = (b"\x00\xff\xfe\n", b"#~Uabc", b"\r\n>>> ", b"#~aAAAA00000000\n", b"x" * 9000)
    args = {"device": "bed-3", "dir": str(tmp_path / "log"), "records": 100, "pace_ms": 10}
    with (
        GatewayStub(port) as gateway,
        play("uplink", ack_timeout_ms=300, **args) as node,
        Story(port, [node.address]) as story,
    ):
        story.wait_for("bed-3: online")
        for i in range(15):
            node.garble(to_node=noise[i % 5][:300], to_host=noise[(i + 2) % 5])
            node.lose(40 * (i % 3))
            time.sleep(0.05)
        result = node.result()
        assert result["pending"] == 0
        all_arrived(gateway, 100)
        assert story.bridge.sessions[node.address].damaged > 0


@pytest.mark.soak
def test_unplugged_and_plugged_in_again(mosquitto_broker, play, tmp_path):
    port = mosquitto_broker.port
    args = {"device": "bed-3", "dir": str(tmp_path / "log"), "records": 150, "pace_ms": 20}
    node = play("uplink", ack_timeout_ms=60000, **args)
    with GatewayStub(port) as gateway:
        with Story(port, [node.address]) as story, node:
            story.wait_for("bed-3: online")
            soon(lambda: "bed-3" in gateway.gateways, "a frame")
            node.unplug()
            soon(lambda: gateway.status[-1][1] == b"offline", gateway.status)
            node.plug_in()
            result = node.result()
            assert result["pending"] == 0
            all_arrived(gateway, 150)
            assert result["stats"]["outages"] >= 1
        soon(lambda: gateway.status[-1][1] == b"offline", gateway.status)
    assert [s[1] for s in gateway.status] == [b"online", b"offline"] * 2, story.told


@pytest.mark.soak
def test_broker_dead_at_first_then_killed_in_the_midst(mosquitto_broker, play, tmp_path):
    broker = mosquitto_broker
    broker.kill()
    args = {"device": "bed-3", "dir": str(tmp_path / "log"), "records": 100, "pace_ms": 30}
    with (
        play("uplink", ack_timeout_ms=1000, quiet=False, **args) as node,
        Story(broker.port, [node.address]) as story,
    ):
        story.wait_for("cannot be reached")
        broker.start()
        with GatewayStub(broker.port) as gateway:
            story.wait_for("bed-3: online")
            soon(lambda: "bed-3" in gateway.gateways, "a frame")
            broker.kill()
            story.wait_for("bed-3: lost the broker")
            broker.start()
            assert node.result()["pending"] == 0
            all_arrived(gateway, 100)
        assert any("bridge: lost the broker" in line for _, line in story.texts)


def test_a_bridge_that_takes_over_is_greeted_at_once(mosquitto_broker, play, tmp_path):
    """Only its word can: the node would wait ten minutes for an ack, and again to connect."""
    port = mosquitto_broker.port
    never = {"ack_timeout_ms": 600000, "retry_min_ms": 600000}
    args = {"device": "bed-3", "dir": str(tmp_path / "log"), "records": 60, "pace_ms": 10}
    with GatewayStub(port) as gateway, play("uplink", **never, **args) as node:
        with Story(port, [node.address]) as story:
            soon(lambda: "bed-3" in gateway.gateways, "a frame")
            story.bridge.sessions[node.address]._id = b""  # killed: no goodbye
        with Story(port, [node.address]):
            assert node.result()["pending"] == 0
        all_arrived(gateway, 60)


@pytest.mark.soak
def test_a_bridge_that_is_killed_and_started_again(mosquitto_broker, play, tmp_path):
    broker = mosquitto_broker
    args = {"device": "bed-3", "dir": str(tmp_path / "log"), "records": 100, "pace_ms": 30}
    with GatewayStub(broker.port) as gateway, play("uplink", ack_timeout_ms=500, **args) as node:
        with bridge_command(node.address, broker.port):
            soon(lambda: "bed-3" in gateway.gateways, "a frame")
        soon(lambda: gateway.status[-1][1] == b"offline", gateway.status)
        with bridge_command(node.address, broker.port) as second:
            assert node.result()["pending"] == 0
            all_arrived(gateway, 100)
            node.kill()
            second.terminate()
            _, said = second.communicate(timeout=120)
    assert "bed-3: online" in said
    assert "Traceback" not in said
    assert "bridge: ended" in said


@contextlib.contextmanager
def bridge_command(port, broker_port):
    """The process; killed at the end, if it still runs."""
    command = [sys.executable, "-c", "from hedgerow.cli.main import main; main()", "bridge"]
    command += ["--port", port, "--broker", f"mqtt://127.0.0.1:{broker_port}"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_two_tools_on_one_port(mosquitto_broker, play):
    port = mosquitto_broker.port
    with (
        play("contract", device="bed-3") as node,
        Story(port, [node.address]),
        pytest.raises(PortError, match="another program has it open"),
    ):
        Story(port, [node.address]).__enter__()


def test_bad_options_are_told_before_a_port_is_touched(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    for options, told in (
        (["--broker", "mqtts://127.0.0.1", "--ca", str(tmp_path / "ca.pem")], "no certificate of"),
        (["--broker", "mqtt://127.0.0.1", "--ca", str(tmp_path / "ca.pem")], "with mqtts://"),
        (["--broker", "http://127.0.0.1"], "expected mqtt:// or mqtts://"),
        (["--user", "farm"], "--user and --password-file belong together"),
        ([], "/dev/none: there is no such port"),
    ):
        done = CliRunner().invoke(command, ["--port", "/dev/none", *options])
        assert isinstance(done.exception, ToolError), done.output
        assert told in str(done.exception)


@pytest.mark.soak
def test_a_board_that_falls_silent_is_told_offline(mosquitto_broker, play, tmp_path, monkeypatch):
    monkeypatch.setattr("hedgerow.bridge.session._SPARE_S", 2 - 1.5 * 60)
    port = mosquitto_broker.port
    args = {"device": "bed-3", "dir": str(tmp_path / "log"), "records": 3}
    with (
        GatewayStub(port) as gateway,
        play("uplink", **args) as node,
        Story(port, [node.address]) as story,
    ):
        story.wait_for("bed-3: online")
        node.process.send_signal(signal.SIGSTOP)
        story.wait_for("silent for 2 s: offline")
        soon(lambda: gateway.status[-1][1] == b"offline", gateway.status)
        node.process.send_signal(signal.SIGCONT)


@pytest.mark.soak
def test_a_broker_with_accounts(guarded_mosquitto, play, tmp_path):
    port = guarded_mosquitto.port
    args = {"device": "bed-3", "dir": str(tmp_path / "log"), "records": 3}
    wrong = BrokerAddress("127.0.0.1", port, "bed-3", "wrong")
    with play("uplink", quiet=False, **args) as node:
        with Story(port, [node.address], address=wrong) as story:
            story.wait_for("broker refused: ")
        right = BrokerAddress("127.0.0.1", port, "bed-3", "secret")
        with Story(port, [node.address], address=right) as story:
            story.wait_for("bed-3: online")


@pytest.mark.soak
def test_a_broker_with_tls(mosquitto, play, tmp_path, certificates):
    port = free_port()
    extra = f"listener {port} 127.0.0.2\n"  # the address in the certificate
    extra += f"certfile {certificates}/server.pem\nkeyfile {certificates}/server.key\n"
    args = {"device": "bed-3", "dir": str(tmp_path / "log"), "records": 3}
    with Mosquitto(mosquitto, tmp_path, extra) as broker, play("uplink", **args) as node:
        for ca, told in (("other-ca.pem", "certificate is not trusted"), ("ca.pem", "online")):
            address = parse_url(f"mqtts://127.0.0.2:{port}", None, None, ca=certificates / ca)
            with Story(broker.port, [node.address], address=address) as story:
                story.wait_for(told)
