"""The situations of loop_gap.py: sites of tests/faults/net, and what breaks and heals them."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / "interop"), str(_TESTS / "unit"), str(_TESTS / "faults" / "net")]

from authority import Authority  # noqa: E402  found through the line above
from fault_table import FAULTS  # noqa: E402
from serial_node import SerialNode  # noqa: E402
from site_parts import Site, free_port  # noqa: E402

from hedgerow import paths  # noqa: E402
from hedgerow.bridge.bridge import Bridge  # noqa: E402
from hedgerow.emulate.modem.on_pty import ModemOnPty  # noqa: E402
from hedgerow.emulate.modem.sim7080 import Sim7080  # noqa: E402
from hedgerow.gateway.mqtt import BrokerAddress  # noqa: E402

Hand = Callable[[Any], Any]
_IMPATIENT = {"timeout_ms": 1000}  # so that it gives up, and tries again, within a situation


class GapSite(Site):
    """A Site whose node finds what the sites below add to it."""

    def start_node(self) -> None:
        folders = [paths.firmware_dir(), paths.host_tools_dir(), _TESTS / "interop" / "upy"]
        self._node_args = {"path": folders, **self._node_args, **self.more_args()}
        super().start_node()

    def more_args(self) -> dict[str, Any]:
        """Arguments of the node that are known only once the site is there."""
        return {}


class TlsSite(GapSite):
    """The road leads to TLS; each new connection is a handshake with a P-256 certificate."""

    def __init__(self, *parts: Any) -> None:
        *parts, extra = parts
        folder = parts[3]
        authority = Authority("bench CA")
        (folder / "ca.pem").write_bytes(authority.pem)
        authority.issue(folder, "good", "broker.test")
        self.port = free_port()
        extra += f"listener {self.port} 127.0.0.1\n"
        extra += f"certfile {folder}/good.pem\nkeyfile {folder}/good.key\n"
        super().__init__(*parts, extra)

    def more_args(self) -> dict[str, Any]:
        self.road_do("lead_to", self.port)
        ca = str(self.folder / "ca.pem")
        return {"tls": True, "ca": ca, "server_hostname": "broker.test"}


class TwoLinksSite(GapSite):
    """The preferred broker is behind the road, the other one is reached directly."""

    def more_args(self) -> dict[str, Any]:
        first = {"kind": "mqtt", "host": "127.0.0.1", "port": self.road.port} | _IMPATIENT
        links = [first, dict(first, port=self.broker.port)]
        return {"kind": "failover", "links": links, "after_failures": 1, "return_s": 1}


class ModemSite(GapSite):
    """A simulated SIM7080 on a pty."""

    def __enter__(self) -> "ModemSite":
        super().__enter__()
        self.modem = ModemOnPty(Sim7080, self.folder / "modem").__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        self.modem.__exit__()

    def more_args(self) -> dict[str, Any]:
        modem = {"kind": "cellular", "pty": self.modem.address, "model": "sim7080"}
        return modem | {"host": "127.0.0.1", "apn": "internet", "register_s": 2}


class SerialSite(GapSite):
    """The node's console is a pty with a bridge at it."""

    bridge: Bridge | None = None

    def start_node(self) -> None:
        super().start_node()
        self.bridge_comes()

    def make_node(self, micropython: Path, args: dict[str, Any]) -> SerialNode:
        del args["kind"]
        return SerialNode(micropython, "net", self.folder / "tty", **args)

    def bridge_comes(self) -> None:
        address = BrokerAddress("127.0.0.1", self.broker.port)
        self.bridge = Bridge([str(self.folder / "tty")], address).__enter__()

    def bridge_goes(self) -> None:
        if self.bridge:
            self.bridge.__exit__()
            self.bridge = None

    def __exit__(self, *raised: object) -> None:
        self.bridge_goes()
        super().__exit__(*raised)


@dataclass(frozen=True)
class Situation:
    """breaks, repairs: hands on the site. carries: records come before it, and after a repair."""

    name: str
    breaks: Hand
    repairs: Hand
    node: dict[str, Any]
    site: type[GapSite] = GapSite
    lasts_s: float = 4.0
    carries: bool = True


def _fault(name: str, fault: str) -> Situation:
    found = next(one for one in FAULTS if one.name == fault)
    node = _IMPATIENT | found.node
    return Situation(name, found.breaks, found.repairs, node, carries=not found.at_start)


def _roams(site: Site) -> None:
    site.air("yard", key="key of yard", on=True)
    site.air("farm", on=False)


def _returns(site: Site) -> None:
    site.air("farm", on=True)
    site.air("yard", on=False)


def _nothing(_site: Site) -> None:
    """It is as it should be."""


def _do(name: str, *args: Any) -> Hand:
    return lambda site: site.road_do(name, *args)


def _names(answer: str) -> Hand:
    return lambda site: setattr(site.dns, "answer", getattr(site.dns, answer))


def _modem(**faults: Any) -> Hand:
    def do(site: ModemSite) -> None:
        for name, value in faults.items():
            setattr(site.modem.faults, name, value)
        site.modem.do(Sim7080.lose_network)

    return do


def _hangs(site: Site) -> None:
    site.road_do("cut")
    site.road_do("hang")


_TWO_NETWORKS = {
    "networks": [["farm", "key of farm"], ["yard", "key of yard"]],
    "port_of": "esp32",
}
SITUATIONS = (
    _fault("wifi_down_esp32", "Wi-Fi, esp32: access point gone"),
    _fault("wifi_down_rp2", "Wi-Fi, rp2: access point gone"),
    _fault("wifi_wrong_key", "Wi-Fi, esp32: password changed"),
    Situation("wifi_roaming", _roams, _returns, _TWO_NETWORKS),
    _fault("broker_silent", "accepts, carries nothing"),
    _fault("broker_half_open", "half-open: everything stalls"),
    _fault("broker_gone", "broker killed"),
    Situation("dns_dead", _names("silence"), _names("good"), {"host": "gateway.farm"},
              carries=False),
    Situation("tls_handshake", lambda site: site.cut_once(), _nothing, {}, TlsSite),
    Situation("coap_dns_dead", _names("silence"), _names("good"),
              {"kind": "coap", "host": "gateway.farm"}, carries=False),
    Situation("http_silent", _hangs, _do("restore"), _IMPATIENT | {"kind": "http"},
              carries=False),
    Situation("serial_bridge_gone", lambda site: site.bridge_goes(),
              lambda site: site.bridge_comes(), _IMPATIENT, SerialSite),
    Situation("modem_silent", _modem(deaf=True), _modem(deaf=False), _IMPATIENT, ModemSite),
    Situation("modem_errors", _modem(denied=True, garble=7),
              _modem(denied=False, garble=0), _IMPATIENT, ModemSite),
    Situation("failover", _hangs, _do("restore"), {}, TwoLinksSite),
    Situation("sntp_dns_dead", _names("silence"), _names("good"),
              {"time_servers": ["time.farm", "127.0.0.1"]}),
)  # fmt: skip


@contextlib.contextmanager
def started(situation: Situation, thread: Any, micropython: Path, mosquitto: Path,
            folder: Path) -> Iterator[GapSite]:  # fmt: skip
    """Its site, with a node that runs; the road carries unless the situation starts broken."""
    parts = (thread, micropython, mosquitto, folder, dict(situation.node), "")
    with situation.site(*parts) as site:
        if "networks" in situation.node:
            site.air("farm", key="key of farm")
        if not situation.carries:
            situation.breaks(site)
        site.start_node()
        yield site
