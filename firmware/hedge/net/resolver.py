"""Host names to addresses over UDP, while the event loop goes on.

    resolver.servers = ["192.168.1.1"]      # Wi-Fi sets what DHCP said
    address = await resolver.look_up("gateway.farm")

MicroPython's getaddrinfo() blocks, for many seconds if the server is silent. An answer is kept for
its TTL, 60 s to a day. When no server answers, an expired one is used: an address that worked
is worth a try (RFC 8767), and costs the farmer nothing if it does not.
"""

import asyncio
import random
import time

from ..core.errors import FrameError, LinkError
from . import dns_message

_TIMEOUT_MS = 1500
_ROUNDS = 2  # of all servers
_MIN_TTL_S = 60
_MAX_TTL_S = 86400
_MAX_NAMES = 8  # kept
_MAX_STRAY = 16  # datagrams that answer something else, for one question
_PORT = 53

servers = []  # addresses, or (address, port); empty: getaddrinfo() has to do
_kept = {}  # name: [address, ticks_ms, seconds it is good for]


def is_address(host):
    """True for an IPv4 or IPv6 address, which needs no look-up."""
    if ":" in host:
        return True
    parts = host.split(".")
    return len(parts) == 4 and all([part.isdigit() and len(part) < 4 for part in parts])


def asks_servers(host):
    """True if look_up() is the way: a name that a DNS server can know."""
    return bool(servers) and not (
        is_address(host) or host == "localhost" or host.endswith(".local")
    )


def forget(host):
    """A cached address did not work."""
    if host in _kept:
        _kept[host][2] = 0


async def look_up(host, open_udp=None):
    """IPv4 address of host. Raises LinkError; NoSuchName forgets what was kept.

    open_udp: (address, port) -> what coap.udp.Udp offers, for tests.
    """
    kept = _kept.get(host)
    if kept and time.ticks_diff(time.ticks_ms(), kept[1]) < kept[2] * 1000:
        return kept[0]
    try:
        address, ttl_s = await _ask_all(host, open_udp or _udp)
    except dns_message.NoSuchName:
        _kept.pop(host, None)
        raise
    except LinkError:
        if kept:
            return kept[0]
        raise
    _keep(host, address, min(max(ttl_s, _MIN_TTL_S), _MAX_TTL_S))
    return address


def _keep(host, address, ttl_s):
    if len(_kept) >= _MAX_NAMES and host not in _kept:
        _kept.pop(next(iter(_kept)))
    _kept[host] = [address, time.ticks_ms(), ttl_s]


def _udp(address, port):
    from .coap.udp import Udp

    return Udp.to(address, port)


async def _ask_all(host, open_udp):
    fault = None
    for _ in range(_ROUNDS):
        for server in servers:
            address, port = server if isinstance(server, tuple) else (server, _PORT)
            try:
                return await _ask(host, open_udp(address, port))
            except dns_message.NoSuchName:
                raise
            except asyncio.TimeoutError:
                fault = fault or LinkError("no address for %s: DNS server silent" % host)
            except (LinkError, OSError) as e:
                fault = e
    if isinstance(fault, LinkError):
        raise fault
    raise LinkError("no address for %s: %r" % (host, fault))


async def _ask(host, udp):
    number = random.getrandbits(16)
    faults = []
    try:
        udp.send(dns_message.query(number, host), None)
        return await asyncio.wait_for_ms(_listen(host, udp, number, faults), _TIMEOUT_MS)
    except asyncio.TimeoutError:
        if not faults:
            raise
    finally:
        udp.close()
    raise LinkError("no address for %s: %s" % (host, faults[0]))


async def _listen(host, udp, number, faults):
    """The first good answer; garbage may come before it, and a forger must guess the number."""
    while len(faults) < _MAX_STRAY:
        data, _ = await udp.recv()
        try:
            return dns_message.answer(data, number, host)
        except FrameError as e:
            faults.append(e)
    raise LinkError("no address for %s: %s" % (host, faults[0]))
