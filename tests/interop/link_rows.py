"""Every kind of link with the least it needs at its other end: rows of test_links' contract.

A row is a context manager over pytest's request; it gives a Row. A new kind of link is a row here.
LoRaWAN has none: README.md says why.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from coap_peers import AiocoapServer
from espnow_site import EspnowSite
from gateway_stub import GatewayStub
from http_peer import EchoServer
from node import Node
from peers import Mosquitto, free_port
from serial_node import SerialNode

from hedgerow import paths
from hedgerow.bridge.bridge import Bridge
from hedgerow.emulate.modem.on_pty import ModemOnPty
from hedgerow.emulate.modem.sim800 import Sim800
from hedgerow.emulate.modem.sim7080 import Sim7080
from hedgerow.gateway.mqtt import BrokerAddress

DEVICE = "bed-3"
INFO = b"\xa1dnameebed-3"
_BOTH = ("LinkError", "OSError")


@dataclass
class Row:
    """play(scenario) -> a Node, a context manager. kill(): the peer goes away.

    kept: what the second connect() says. lost: what the link raises once the peer is gone.
    infos() -> what the peer was told of the node. statuses() -> of its coming and going; empty
    where the link has no such message. has_left() -> has it said goodbye, where it does?
    """

    play: Callable[[str], Any]
    kill: Callable[[], None]
    kept: bool
    lost: tuple[str, ...]
    infos: Callable[[], list[bytes]]
    statuses: Callable[[], list[bytes]] = field(default=list)
    has_left: Callable[[], bool] = lambda: True


@contextlib.contextmanager
def _stub(request: pytest.FixtureRequest) -> Iterator[tuple[Mosquitto, GatewayStub]]:
    broker = request.getfixturevalue("mosquitto_broker")
    with GatewayStub(broker.port, echo=True) as gateway:
        yield broker, gateway


def _told(gateway: GatewayStub) -> dict[str, Any]:
    """A status that comes twice in a row counts once: ESP-NOW repeats what was not answered."""
    return {
        "infos": lambda: list(gateway.info.values()),
        "statuses": lambda: [s for s, _ in groupby(x[1] for x in gateway.status)][:3],
        "has_left": lambda: gateway.status[-1][1] == b"offline",
    }


def go_file(request: pytest.FixtureRequest) -> Path:
    """Without it a node that has closed its link does not open it again."""
    return request.getfixturevalue("tmp_path") / "go"


def _args(request: pytest.FixtureRequest) -> dict[str, str]:
    return {"device": DEVICE, "go": str(go_file(request))}


def _player(request: pytest.FixtureRequest, **args: Any) -> Callable[[str], Node]:
    micropython = request.getfixturevalue("micropython")
    return lambda scenario: Node(micropython, scenario, **_args(request), **args)


def _mqtt(**how: Any) -> Any:
    """version, or client (of umqtt) and path, a function of request."""

    @contextlib.contextmanager
    def row(request: pytest.FixtureRequest) -> Iterator[Row]:
        args = {k: v(request) if callable(v) else v for k, v in how.items()}
        with _stub(request) as (broker, gateway):
            play = _player(request, port=broker.port, **args)
            kept = args["kind"] == "mqtt"
            yield Row(play, broker.kill, kept, _BOTH, **_told(gateway))

    return row


def _folders(request: pytest.FixtureRequest) -> list[Path]:
    return [paths.firmware_dir(), request.getfixturevalue("real_umqtt")]


def _cellular(model: str, modem_type: Any) -> Any:
    """Through the modem's own TCP."""

    @contextlib.contextmanager
    def row(request: pytest.FixtureRequest) -> Iterator[Row]:
        folder = request.getfixturevalue("tmp_path") / "modem"
        args = {"kind": "cellular", "model": model, "apn": "internet"}
        with ModemOnPty(modem_type, folder) as modem, _stub(request) as (broker, gateway):
            play = _player(request, pty=modem.address, port=broker.port, **args)
            yield Row(play, broker.kill, True, ("LinkError",), **_told(gateway))

    return row


@contextlib.contextmanager
def _espnow(request: pytest.FixtureRequest) -> Iterator[Row]:
    """The relay tells that it lost the broker."""
    folder = request.getfixturevalue("tmp_path")
    with (
        _stub(request) as (broker, gateway),
        EspnowSite(request.getfixturevalue("micropython"), folder) as site,
    ):
        site.relay(broker.port)
        args = {"kind": "espnow", "channel": 1, **_args(request)}
        play = lambda scenario: site.make(2, scenario, **args)  # noqa: E731
        yield Row(play, broker.kill, False, ("LinkError",), **_told(gateway))


@contextlib.contextmanager
def _serial(request: pytest.FixtureRequest) -> Iterator[Row]:
    """`hedgerow bridge` between the line and the broker."""
    place = request.getfixturevalue("tmp_path") / "tty"
    micropython = request.getfixturevalue("micropython")
    with contextlib.ExitStack() as stack:
        broker, gateway = stack.enter_context(_stub(request))
        node = SerialNode(micropython, "contract", place, **_args(request))

        @contextlib.contextmanager
        def play(_: str) -> Iterator[SerialNode]:
            with node, Bridge([node.address], BrokerAddress("127.0.0.1", broker.port)):
                yield node

        yield Row(play, broker.kill, False, ("LinkError",), **_told(gateway))


@contextlib.contextmanager
def _http(request: pytest.FixtureRequest) -> Iterator[Row]:
    """No sessions: that the server is gone shows at the next frame."""
    with EchoServer() as server:
        play = _player(request, kind="http", port=server.port, lost_at_frame=True)
        infos = lambda: server.bodies.get(f"/api/info/{DEVICE}", [])  # noqa: E731
        yield Row(play, server.kill, False, ("OSError",), infos)


@contextlib.contextmanager
def _coap(request: pytest.FixtureRequest) -> Iterator[Row]:
    """As HTTP; the node repeats itself faster than RFC 7252 wants, which would take 45 s."""
    pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")
    with contextlib.ExitStack() as stack:
        server = AiocoapServer(request.getfixturevalue("thread"))
        stack.enter_context(server)
        kill = stack.pop_all().close
        play = _player(
            request, kind="coap", port=server.port, lost_at_frame=True, repeat_after_ms=30
        )
        yield Row(play, kill, False, ("LinkError",), lambda: server.infos)


@contextlib.contextmanager
def _failover(request: pytest.FixtureRequest) -> Iterator[Row]:
    """Over the second of two links, the first being dead."""
    with _stub(request) as (broker, gateway):
        ports = (free_port(), broker.port)
        links = [{"kind": "mqtt", "host": "127.0.0.1", "port": port} for port in ports]
        play = _player(request, kind="failover", links=links, after_failures=1)
        yield Row(play, broker.kill, True, _BOTH, **_told(gateway))


ROWS = {
    "mqtt": _mqtt(kind="mqtt"),
    "mqtt-5": _mqtt(kind="mqtt", version=5),
    "umqtt-hedge": _mqtt(kind="umqtt", client="hedge"),
    "umqtt-simple": _mqtt(kind="umqtt", client="simple", path=_folders),
    "cellular-sim7080": _cellular("sim7080", Sim7080),
    "cellular-sim800": _cellular("sim800", Sim800),
    "espnow": _espnow,
    "serial": _serial,
    "http": _http,
    "coap": _coap,
    "failover": _failover,
}
