"""What our CoAP client and server said, as Wireshark reads it; OSCORE opened with its own AES-CCM.

Debian's 4.0 calls options it does not know malformed: Request-Tag of RFC 9175 is younger.
"""

from pathlib import Path

import pytest
from coap_peers import (
    AiocoapClient,
    AiocoapServer,
    LossyRelay,
    body_of,
    free_udp_port,
    oscore_context,
)
from tshark_peer import RAW_IP, dissect, udp

pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
pytestmark = pytest.mark.interop

_SECRET, _SALT = bytes(range(16)), b"salt"
_PORT = 5683
# Ids of client and server, secret, salt, id context, algorithm.
_CELLS = ("01", "", _SECRET.hex(), _SALT.hex(), "", "AES-CCM-16-64-128 (CCM*)")
_CONTEXT = "uat:oscore_contexts:" + ",".join(f'"{cell}"' for cell in _CELLS)
_NEVER_AGAIN_S = 60  # each message is heard once, though a machine may stand still
_TOO_YOUNG = ["Invalid Option Number 292", "malformed: Malformed Packet"]
_CONTENT, _NOT_FOUND = 69, 132
_REQUESTS = [
    ["GET", "big", ""],
    ["PUT", "sink", 1300],
    ["GET", "slow", ""],
    ["GET", "no", ""],
    ["GET", "t", "", {}, "NON"],
]


class Tap(LossyRelay):
    """Loses nothing and keeps each datagram: (port of the client, whether it sent it, bytes)."""

    def __init__(self, thread, target):
        super().__init__(thread, target, seed=1, loss=0.0, double=0.0)
        self.heard = []

    def _upward(self, data, node):
        self.heard.append((node[1], True, data))
        super()._upward(data, node)

    def _send_down(self, data, node):
        self.heard.append((node[1], False, data))
        super()._send_down(data, node)

    def layers(self, protocol="coap", *options):
        packets = [udp(data, _PORT, up=up, client_port=port) for port, up, data in self.heard]
        return dissect(RAW_IP, packets, protocol, *options)


@pytest.fixture(autouse=True)
def patient_aiocoap(monkeypatch):
    from aiocoap.numbers import TransportTuning

    monkeypatch.setattr(TransportTuning, "ACK_TIMEOUT", float(_NEVER_AGAIN_S))


@pytest.fixture
def scenario(play):
    """scenario("ask", ...) -> Node running coap_scenarios.py."""
    args = {"script": Path(__file__).with_name("upy") / "coap_scenarios.py"}
    args["ack_timeout_ms"] = _NEVER_AGAIN_S * 1000
    return lambda name, **more: play(name, **args, **more)


@pytest.fixture
def need_oscore():
    pytest.importorskip("lakers", reason="aiocoap's extra oscore is not installed")


def _keys(folder, sender, recipient):
    hexes = {"secret": _SECRET, "salt": _SALT, "sender": sender, "recipient": recipient}
    return {n: v.hex() for n, v in hexes.items()} | {"kv": str(folder / "numbers.kv")}


def _ask_and_observe(scenario, port, **args):
    """Values that the node was notified of."""
    with scenario("ask", port=port, requests=_REQUESTS, block_bytes=128, **args) as node:
        assert [a[0] for a in node.result()["answers"]] == ["2.05", "2.04", "2.05", "4.04", "2.05"]
    with scenario("observe", port=port, resource="t", count=3, **args) as node:
        return [v.encode() for v in node.result()["values"]]


def _faultless(layers, protocol):
    """No problem but that with Request-Tag, and that only in the blocks of our PUT."""
    for layer in layers:
        in_put = layer.get(f"{protocol}.opt.uri_path") == "sink"
        assert layer.problems in ([], _TOO_YOUNG if in_put else []), layer


def _seen(layers, protocol, code):
    """Payloads of the messages of this code; what is declared to be text has lines, no name."""
    found = [x for x in layers if x.get(f"{protocol}.code") == str(code)]
    return [x.bytes("data.data") or (x.get("") or "").encode() for x in found]


def test_our_client(scenario, thread):
    """Blocks both ways, separate responses, an error, NON, an observation, a ping."""
    with AiocoapServer(thread) as server, Tap(thread, server.port) as tap:
        values = _ask_and_observe(scenario, tap.port)
        layers = tap.layers()
    assert len(layers) == len(tap.heard)
    _faultless(layers, "coap")
    assert [x for x in _seen(layers, "coap", _CONTENT) if x.isdigit()][1:4] == values
    assert b"late" in _seen(layers, "coap", _CONTENT)
    blocks = [x for x in layers if x.get("coap.code") == "3"]
    sent = b"".join(x.bytes("coap.block_payload") for x in blocks)
    assert sent == body_of(1300)
    assert [int(x.get("coap.opt.block_number")) for x in blocks] == list(range(11))
    assert blocks[0].get("coap.opt.size1") == "1300"
    assert "1500" in [x.get("coap.block.reassembled.length") for x in layers]


def test_our_client_with_oscore(need_oscore, scenario, thread, tmp_path):
    """tshark derives the keys itself, opens each message and checks its tag.

    It opens by token: the answer to the observation's cancellation, the last one, it takes for
    one to the first request of that token, whose number differs.
    """
    keys = _keys(tmp_path, b"\x01", b"")
    with (
        AiocoapServer(thread, _SECRET, tmp_path / "server") as server,
        Tap(thread, server.port) as tap,
    ):
        values = _ask_and_observe(scenario, tap.port, oscore=keys)
        layers = tap.layers("oscore", _CONTEXT)
    assert layers.pop().problems == ["Authentication tag check failed"]
    _faultless(layers, "oscore")
    assert {x.get("oscore.opt.uri_path") for x in layers} >= {"big", "sink", "slow", "no", "t"}
    content = _seen(layers, "oscore", _CONTENT)
    assert [x for x in content if x.isdigit()][1:4] == values
    assert b"".join(x for x in content if len(x) > 100) == body_of(1500)
    sent = b"".join(_seen(layers, "oscore", 3))
    assert sent == body_of(1300)
    assert len(_seen(layers, "oscore", _NOT_FOUND)) == 1


def test_a_wrong_secret_opens_nothing(need_oscore, scenario, thread, tmp_path):
    keys = _keys(tmp_path, b"\x01", b"")
    with (
        AiocoapServer(thread, _SECRET, tmp_path / "server") as server,
        Tap(thread, server.port) as tap,
    ):
        with scenario("ask", port=tap.port, requests=[["GET", "t", ""]], oscore=keys) as node:
            node.result()
        layers = tap.layers("oscore", _CONTEXT.replace(_SECRET.hex(), bytes(16).hex()))
    assert [x.problems for x in layers] == [["Authentication tag check failed"]] * 2


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "oscore"])
def test_our_server(need_oscore, scenario, thread, tmp_path, secure):
    """Asked by aiocoap: blocks, a separate response, links, an observation; no warning."""
    protocol = "oscore" if secure else "coap"
    port = free_udp_port()
    args = {"oscore": _keys(tmp_path, b"", b"\x01"), "secure": True} if secure else {}
    context = oscore_context(tmp_path / "client", _SECRET, b"\x01", b"") if secure else None

    async def change(n):
        await client.put("t", b"value %d" % n)

    with scenario("serve", port=port, **args) as node, Tap(thread, port) as tap:
        node.expect("ready")
        with AiocoapClient(thread, tap.port, context) as client:
            assert client.ask("GET", "big") == ("2.05", body_of(1500))
            assert client.ask("GET", "slow") == ("2.05", b"late")
            assert client.ask("GET", "nothing")[0] == "4.04"
            client.observe("t", 3, change)
        layers = tap.layers(protocol, _CONTEXT)
    heard = [x for x in layers if x.get(f"{protocol}.code") in map(str, (_CONTENT, _NOT_FOUND))]
    assert [x.problems for x in heard if x.problems] == []
    content = [x for x in _seen(layers, protocol, _CONTENT) if 0 < len(x) < 20]
    assert content == [b"late", b"21.5", b"value 1", b"value 2"]
