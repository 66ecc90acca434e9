"""hedge.net.coap on the Unix port against libcoap and aiocoap, each as client and as server."""

import binascii
import socket

import pytest
from coap_peers import (
    AiocoapClient,
    AiocoapServer,
    body_of,
    free_udp_port,
    libcoap_client,
    libcoap_observes,
    libcoap_server,
    oscore_context,
)

SECRET = bytes(range(16))
# 14 of the first 43 datagrams. By chance ("-l 30%") five in a row, which end an exchange, would be
# lost in every fourteenth run of 30 exchanges. libcoap takes nine ranges.
_LOST = {"0%": "0%", "30%": "2-3,6,10-11,15,18-19,24,27-28,33,36-37"}
_NEVER_AGAIN_MS = 60000  # nothing is repeated because a machine stands still


@pytest.fixture
def scenario(play):
    """scenario("ask", ...) -> Node running coap_scenarios.py."""

    def start(name, **args):
        from pathlib import Path

        script = Path(__file__).with_name("upy") / "coap_scenarios.py"
        return play(name, script=script, **args)

    return start


@pytest.fixture
def ours(scenario):
    """ours(...) -> a context manager that serves and gives the Node, with .port."""

    def start(**args):
        port = free_udp_port()
        node = scenario("serve", port=port, **args)
        node.port = port
        return node

    return start


def ask(scenario, port, requests, **args):
    with scenario("ask", port=port, requests=requests, **args) as node:
        return node.result()


# Our client


@pytest.mark.parametrize("loss", ["0%", "30%"])
def test_client_against_libcoap(scenario, loss):
    """Blocks both ways, a separate response, an error; 30 % of the server's datagrams dropped.

    Where datagrams are lost the PUT is one block: libcoap 4.3.1 does not know a repeated message,
    and a last block that comes twice makes a new body of zeros and that block. Where none are lost
    none may be repeated, for the same reason.
    """
    requests = [
        ["GET", "", ""],
        ["PUT", "example_data", 1000],
        ["GET", "example_data", "", {"23": 4}],  # Block2: 256 bytes each
        ["GET", ".well-known/core", ""],
        ["GET", "nothing", ""],
    ]
    if loss == "0%":  # a NON is not repeated, and libcoap forgets a separate answer that was lost
        requests += [["GET", "async?1", ""], ["GET", "time", "", {}, "NON"]]
    else:
        requests += [["GET", "nothing", ""]] * 20  # so that some are lost for certain
    timing = {"ack_timeout_ms": _NEVER_AGAIN_MS}
    if loss != "0%":
        timing = {"ack_timeout_ms": 120, "max_retransmit": 8}
    with libcoap_server("-l", _LOST[loss]) as port:
        size = 256 if loss == "0%" else 1024
        result = ask(scenario, port, requests, block_bytes=size, **timing)
    codes = [answer[0] for answer in result["answers"]]
    assert codes.pop(1) in ("2.01", "2.04")  # 2.04: made by the first copy, changed by the second
    assert codes[:4] == ["2.05", "2.05", "2.05", "4.04"]
    assert set(codes[4:]) == {"2.05" if loss == "0%" else "4.04"}
    assert result["answers"][2][2] == binascii.crc32(body_of(1000))
    assert "</time>" in result["answers"][3][1]
    if loss == "0%":
        assert result["answers"][5][1] == "done"
    else:
        assert result["retransmits"] > 0


def test_client_observes_libcoap(scenario):
    with (
        libcoap_server() as port,
        scenario("observe", port=port, resource="time", count=4, different=True) as node,
    ):
        result = node.result()  # the server may tell the second of its first answer once more
    assert len(set(result["values"])) == 4


def test_client_against_aiocoap(scenario, thread):
    pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
    requests = [["GET", "big", ""], ["PUT", "sink", 1300], ["GET", "slow", ""], ["GET", "no", ""]]
    requests += [["GET", "t", "", {}, "NON"]]
    with AiocoapServer(thread) as server:
        result = ask(scenario, server.port, requests, block_bytes=128)
    answers = result["answers"]
    assert [a[0] for a in answers] == ["2.05", "2.04", "2.05", "4.04", "2.05"]
    assert answers[0][2] == binascii.crc32(body_of(1500))
    assert answers[1][1] == f"1300 bytes, crc {binascii.crc32(body_of(1300))}"
    assert answers[2][1] == "late"


def test_client_observes_aiocoap(scenario, thread):
    pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
    with (
        AiocoapServer(thread) as server,
        scenario("observe", port=server.port, resource="t", count=5) as node,
    ):
        values = [int(v) for v in node.result()["values"]]
    assert values == sorted(set(values))


def test_client_over_dtls(scenario, certificates):
    """libcoap with a certificate; a wrong authority and a wrong name are told apart."""
    files = ["-c", str(certificates / "server.pem"), "-j", str(certificates / "server.key"), "-n"]
    requests = [["PUT", "example_data", 1000], ["GET", "example_data", ""]]
    good = {"ca": str(certificates / "ca.pem"), "server_hostname": "broker.test"}
    with libcoap_server(*files) as port:
        result = ask(scenario, port + 1, requests, **good)
        assert [a[0] for a in result["answers"]] == ["2.01", "2.05"]
        assert result["answers"][1][2] == binascii.crc32(body_of(1000))
        other = dict(good, ca=str(certificates / "other-ca.pem"))
        name = dict(good, server_hostname="else.test")
        for changed, text in ((other, "not correctly signed"), (name, "does not match")):
            with scenario("ask", port=port + 1, requests=requests, **changed) as node:
                assert text in node.expect("error")["reason"]


# Our server


def test_server_against_libcoap(ours):
    with ours() as node:
        node.expect("ready")
        url = f"coap://127.0.0.1:{node.port}"
        assert b"21.5" in libcoap_client(f"{url}/t")
        assert b"late" in libcoap_client(f"{url}/slow")
        assert body_of(1500) in libcoap_client(f"{url}/big")
        assert b"4.04" in libcoap_client(f"{url}/nothing")
        assert b'</t>;ct=0;rt="shelf";obs' in libcoap_client(f"{url}/.well-known/core")
        body = body_of(1700)
        said = libcoap_client(f"{url}/sink", "-m", "put", "-b", "128", payload=body)
        assert f"1700 bytes, crc {binascii.crc32(body)}".encode() in said
        said = libcoap_client(f"{url}/sink", "-m", "put", "-b", "128", payload=body_of(3000))
        assert b"4.13" in said
        libcoap_client(f"{url}/t", "-m", "put", "-N", "-B", "1", payload=b"22.5")
        assert b"22.5" in libcoap_client(f"{url}/t", "-N")


def test_server_is_observed_by_libcoap(ours):
    with ours(tick=4, ack_timeout_ms=_NEVER_AGAIN_MS) as node:
        node.expect("ready")
        said = libcoap_observes(f"coap://127.0.0.1:{node.port}/t", 8)
    values = [int(line) for line in said if line.strip().isdigit()]
    assert len(values) >= 3
    assert values == sorted(set(values))


@pytest.mark.soak
def test_server_with_libcoap_dropping_a_third(ours):
    body = body_of(1000)
    with ours() as node:
        node.expect("ready")
        url = f"coap://127.0.0.1:{node.port}/sink"
        for _ in range(5):
            said = libcoap_client(
                url, "-l", "30%", "-m", "put", "-b", "256", payload=body, limit_s=90
            )
            assert f"1000 bytes, crc {binascii.crc32(body)}".encode() in said


def test_server_against_aiocoap(ours, thread):
    pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
    with ours() as node:
        node.expect("ready")
        with AiocoapClient(thread, node.port) as client:
            assert client.ask("GET", "t") == ("2.05", b"21.5")
            assert client.ask("GET", "slow") == ("2.05", b"late")
            assert client.ask("GET", "big") == ("2.05", body_of(1500))
            body = body_of(2000)
            text = f"2000 bytes, crc {binascii.crc32(body)}".encode()
            assert client.ask("PUT", "sink", body) == ("2.04", text)
            assert client.ask("GET", "nothing")[0] == "4.04"
            assert client.ask("PUT", "t", b"23", if_match=[b"wrong"])[0] == "4.12"
            etag_of = client.ask("PUT", "t", b"23", if_match=[b""])
            assert etag_of[0] == "2.04"

            async def change(n):
                await client.put("t", b"value %d" % n)

            values = client.observe("t", 4, change)
            assert values == [b"23", b"value 1", b"value 2", b"value 3"]


# OSCORE


def keys_of(tmp_path, sender, recipient):
    """The node's half; its counters stay in tmp_path."""
    return {
        "secret": SECRET.hex(),
        "salt": b"salt".hex(),
        "sender": sender.hex(),
        "recipient": recipient.hex(),
        "kv": str(tmp_path / "numbers.kv"),
    }


@pytest.fixture
def oscore():
    pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
    pytest.importorskip("lakers", reason="aiocoap's extra oscore is not installed")


def test_oscore_client_against_aiocoap(oscore, scenario, thread, tmp_path):
    """Twice each: the second node goes on behind the first one's numbers."""
    requests = [["GET", "big", ""], ["PUT", "sink", 1300], ["GET", "slow", ""]]
    keys = keys_of(tmp_path, b"\x01", b"")
    with AiocoapServer(thread, SECRET, tmp_path / "server") as server:
        for _ in range(2):
            answers = ask(scenario, server.port, requests, oscore=keys)["answers"]
            assert [a[0] for a in answers] == ["2.05", "2.04", "2.05"]
            assert answers[0][2] == binascii.crc32(body_of(1500))
        with scenario("observe", port=server.port, resource="t", count=4, oscore=keys) as node:
            values = [int(v) for v in node.result()["values"]]
    assert values == sorted(set(values))


def test_oscore_client_proves_itself_to_an_aiocoap_that_crashed(
    oscore, scenario, thread, tmp_path
):
    """B.1.2: its replay window is lost, so it answers with Echo first."""
    keys = keys_of(tmp_path, b"\x01", b"")
    folder = tmp_path / "server"
    with AiocoapServer(thread, SECRET, folder) as server:
        ask(scenario, server.port, [["GET", "t", ""]], oscore=keys)
    state = folder / "sequence.json"
    state.write_text(state.read_text().split('"received"')[0] + '"received": "unknown"}')
    with AiocoapServer(thread, SECRET, folder) as server:
        answers = ask(scenario, server.port, [["PUT", "sink", 20]], oscore=keys)["answers"]
    assert answers[0][0] == "2.04"


def test_oscore_server_against_aiocoap(oscore, ours, thread, tmp_path):
    """The server has just started: aiocoap's first request is met with Echo."""
    keys = keys_of(tmp_path, b"", b"\x01")
    with ours(oscore=keys, secure=True) as node:
        node.expect("ready")
        context = oscore_context(tmp_path / "client", SECRET, b"\x01", b"")
        with AiocoapClient(thread, node.port, context) as client:
            assert client.ask("POST", "count") == ("2.04", b"1")
            assert client.ask("POST", "count") == ("2.04", b"2")
            assert client.ask("GET", "t") == ("2.05", b"21.5")
            assert client.ask("GET", "big") == ("2.05", body_of(1500))
            body = body_of(2000)
            text = f"2000 bytes, crc {binascii.crc32(body)}".encode()
            assert client.ask("PUT", "sink", body) == ("2.04", text)

            async def change(n):
                await client.put("t", b"value %d" % n)

            assert client.observe("t", 3, change) == [b"21.5", b"value 1", b"value 2"]
        with AiocoapClient(thread, node.port) as client:
            assert client.ask("GET", "t")[0] == "4.01"


# Multicast


def _has_multicast() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            member = socket.inet_aton("224.0.1.187") + socket.inet_aton("127.0.0.1")
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        except OSError:
            return False
    return True


@pytest.mark.skipif(not _has_multicast(), reason="no multicast on the loopback interface")
def test_servers_are_found_by_multicast(ours, scenario):
    port = free_udp_port()
    with ours(group_port=port) as one, ours(group_port=port) as two:
        one.expect("ready")
        two.expect("ready")
        for _ in range(10):  # who asks waits for 0.9 s, and a machine may stand still for longer
            with scenario("discover", port=port, query="rt=shelf", wait_ms=900) as node:
                found = node.result()["found"]
            if len(found) >= 2:
                break
        with scenario("discover", port=port, query="rt=none", wait_ms=400) as node:
            assert node.result()["found"] == []
    assert [host for host, _ in found] == ["127.0.0.1", "127.0.0.1"]
    assert [links for _, links in found] == [[["/t", {"rt": "shelf", "ct": "0", "obs": ""}]]] * 2
