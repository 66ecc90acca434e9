"""The scripted network faults: each breaks a Site and repairs it.

says: what the node's log must have named; "" where a fault has no words of its own (silence is
not told apart from distance). carries: data still comes while it lasts. at_start: the node
starts into it, because what it knows from before would hide it. quick: in the default suite.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from site_parts import Site

_YEAR_S = 31536000
_BUSY_4 = b"\x20\x02\x00\x03"  # CONNACK, return code 3: server unavailable
_BAD_PASSWORD_4 = b"\x20\x02\x00\x04"
_QUOTA_5 = b"\x20\x03\x00\x97\x00"  # CONNACK with reason 0x97, no properties
_BUSY_5 = b"\x20\x03\x00\x89\x00"
_PORTAL = b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Fault:
    name: str
    breaks: Callable[[Site], Any]
    repairs: Callable[[Site], Any]
    node: dict[str, Any] = field(default_factory=dict)
    says: str = ""
    at_start: bool = False
    quick: bool = False
    tls: bool = False
    carries: bool = False
    heals: bool = False  # nobody repairs it: the time counts from the break


def _road(name: str, *args: Any) -> Callable[[Site], None]:
    return lambda site: site.road_do(name, *args)


def _both(*hands: Callable[[Site], Any]) -> Callable[[Site], None]:
    def do(site: Site) -> None:
        for hand in hands:
            hand(site)

    return do


def _air(ssid: str = "farm", **how: Any) -> Callable[[Site], None]:
    return lambda site: site.air(ssid, **how)


def _wifi(port_of: str, *networks: str) -> dict[str, Any]:
    rows = [[ssid, f"key of {ssid}"] for ssid in networks or ("farm",)]
    return {"networks": rows, "port_of": port_of}


_HOME = {"on": True, "key": "key of farm", "dhcp": True, "address": "10.0.0.2"}


def _radio(name: str, port_of: str, says: str, quick: bool = False, **how: Any) -> Fault:
    """One at the access point, whose packets stop with it."""

    def breaks(site: Site) -> None:
        site.air("farm", on=False)
        site.road_do("forget")
        time.sleep(1.5)  # the access point restarts; the node polls ten times a second
        site.air("farm", **how)

    name = f"Wi-Fi, {port_of}: {name}"
    return Fault(name, breaks, _air(**_HOME), _wifi(port_of), says, quick=quick)


def _dns(name: str, says: str, **how: Any) -> Fault:
    def breaks(site: Site) -> None:
        for key, value in how.items():
            setattr(site.dns, key, getattr(site.dns, value) if key == "answer" else value)

    def repairs(site: Site) -> None:
        site.dns.answer, site.dns.delay_s = site.dns.good, 0.0

    return Fault(f"DNS: {name}", breaks, repairs, {"host": "gateway.farm"}, says, at_start=True)


def _moved(site: Site) -> None:
    """The name leads to an address where nobody is; the repair is a look-up."""
    site.dns.address = "127.0.0.9"


def _back(site: Site) -> None:
    site.dns.address = "127.0.0.1"


def _rogue(name: str, answer: bytes, says: str, version: int = 4, quick: bool = False) -> Fault:
    return Fault(
        name,
        lambda site: site.lead_astray(answer),
        lambda site: site.lead_home(),
        {"version": version},
        says,
        quick=quick,
    )


def _tls(name: str, kind: str, says: str) -> Fault:
    return Fault(
        f"TLS: {name}",
        lambda site: (site.road_do("lead_to", site.tls_ports[kind]), site.cut_once()),
        lambda site: (site.road_do("lead_to", site.tls_ports["good"]), site.cut_once()),
        says=says,
        tls=True,
    )


def _shape(
    name: str, shape: Callable[[bytes, bool], Awaitable[bytes]], carries: bool = True
) -> Fault:
    return Fault(name, _road("mistreat", shape), _road("mistreat", None), carries=carries)


async def _late(data: bytes, _up: bool) -> bytes:
    await asyncio.sleep(3)
    return data


async def _lossy(data: bytes, _up: bool) -> bytes:
    """What 30 % loss does to a TCP stream: waits for retransmission, doubled at each loss."""
    wait_s = 0.2
    while random.random() < 0.3:
        await asyncio.sleep(wait_s)
        wait_s *= 2
    return data


async def _narrow(data: bytes, up: bool) -> bytes:
    """Large packets vanish: so does all that follows on the connection."""
    if up and len(data) > 100:
        await asyncio.sleep(3600)
    return data


def _mtu(site: Site) -> None:
    """Full frames come once there is something to catch up on."""
    site.road_do("stall")
    time.sleep(2)
    site.road_do("mistreat", _narrow)
    site.road_do("restore")


async def _one_way(data: bytes, up: bool) -> bytes:
    return data if up else b""


async def _dribble(data: bytes, _up: bool) -> bytes:
    await asyncio.sleep(len(data) / 200)
    return data


def _deaf(is_deaf: bool) -> Callable[[Site], None]:
    def do(site: Site) -> None:
        site.gateway.deaf = is_deaf

    return do


def _restored(site: Site) -> None:
    """An older database takes over: another generation, the last records missing."""
    found = site.gateway.gateways["bed-3"]
    found.generation += 1
    for key in sorted(found.rows)[-3:]:
        del found.rows[key]


def _nothing(_site: Site) -> None:
    """It repairs itself."""


def _jump(by_s: int) -> Fault:
    return Fault(
        f"clock jumps by {by_s // _YEAR_S:+d} year",
        lambda site: site.control(clock_s=int(time.time()) + by_s),
        lambda site: site.control(clock_s=int(time.time())),
        carries=True,
    )


FAULTS = (
    _radio("access point gone", "esp32", "farm: not found", on=False),
    _radio("access point gone", "rp2", "farm: not found", on=False),
    _radio("password changed", "esp32", "farm: wrong password", on=True, key="new"),
    _radio("DHCP gives nothing", "rp2", "farm: no address from DHCP", dhcp=False, on=True),
    Fault(
        "Wi-Fi, rp2: another address",
        _both(_air(address="10.0.0.77"), _road("forget")),
        _nothing,
        _wifi("rp2"),
        heals=True,
    ),
    Fault(
        "Wi-Fi: another network stands in",
        _both(_air(on=False), _road("forget")),
        _air("yard", key="key of yard"),
        _wifi("esp32", "farm", "yard"),
        "farm: not found",
    ),
    _dns("no such name", "the name does not exist", answer="no_such_name"),
    _dns("silence", "DNS server silent", answer="silence"),
    _dns("garbage", "DNS: ", answer="garbage"),
    _dns("server failure", "DNS server error 2", answer="failure"),
    _dns("slow", "DNS server silent", delay_s=5.0),
    Fault("DNS: wrong address", _moved, _back, {"host": "gateway.farm"}, at_start=True),
    Fault("reset of all connections", _road("cut"), _road("restore")),
    Fault("accepts, carries nothing", _both(_road("cut"), _road("hang")), _road("restore")),
    Fault("half-open: everything stalls", _road("stall"), _both(_road("cut"), _road("restore"))),
    Fault("stall, then what was held arrives", _road("stall"), _road("restore")),
    Fault("NAT forgets the connection", _road("forget"), _nothing, heals=True),
    _shape("only one way", _one_way, carries=False),
    _shape("30 % loss", _lossy),
    _shape("3 s late each way", _late),
    _shape("200 bytes a second", _dribble),
    Fault("MTU black hole: over 100 bytes vanish", _mtu, _road("mistreat", None),
          carries=True),
    Fault("broker killed", lambda s: s.broker.kill(), lambda s: s.broker.start(), quick=True),
    Fault("broker loses its sessions", lambda s: s.broker_without_memory(),
          lambda s: s.broker.start()),
    _rogue("broker: bad password", _BAD_PASSWORD_4, "bad user name or password", quick=True),
    _rogue("broker: unavailable", _BUSY_4, "unavailable"),
    _rogue("broker: quota exceeded", _QUOTA_5, "quota", 5),
    _rogue("broker: server busy", _BUSY_5, "busy", 5),
    _rogue("captive network: HTTP redirect", _PORTAL, "", quick=True),
    _rogue("broker answers garbage", bytes(range(255, 0, -3)), ""),
    _tls("certificate expired", "expired", "expired"),
    _tls("wrong name", "name", "does not match"),
    _tls("wrong authority", "authority", "not correctly signed by the trusted CA"),
    Fault("gateway off", lambda s: s.gateway_off(), lambda s: s.gateway_on()),
    Fault("gateway's disk is full: no acks", _deaf(True), _deaf(False),
          says="no ack"),
    Fault("gateway's database is an older one", _restored, _nothing, heals=True),
    _jump(_YEAR_S),
    _jump(-_YEAR_S),
)  # fmt: skip
