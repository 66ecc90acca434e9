"""CoAP observation: notifications a second, in and out, beside aiocoap and libcoap; their heap.

    python tests/bench/observe.py        prints the rates, round by round

Both ends that are measured against are bare sockets of this file, the same for all: a server that
sends each notification as a CON once the one before was acknowledged, and an observer that changes
the resource by a PUT as soon as it was told of the change before. Loopback, rounds interleaved;
the median tenth of a round counts, of the rounds the median. Ours runs in MicroPython's
Unix port, aiocoap in CPython, libcoap is C; coap-client -s prints what it is told.
"""

import asyncio
import contextlib
import importlib.util
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / folder) for folder in ("bench", "interop", "unit")]

import coap  # noqa: E402  found through the line above
from coap_peers import free_udp_port, libcoap_program, wait_for_ping  # noqa: E402

from hedgerow.toolchain.unix import find_micropython  # noqa: E402

_ROUNDS = 3
_COUNT = 600
_WARM = 50
_LIMIT_S = 20.0
_PEERS = {"aiocoap": "aiocoap 0.4 under CPython", "libcoap": "libcoap 4.3 (C)"}
_HOW = f"loopback, median of {_ROUNDS} rounds; ours: MicroPython Unix port; ratio: peer to ours"
_KINDS = {"in": "each a CON", "out": "NON or CON as the server likes; ours confirms each eighth"}
_NAMES = {
    "in": "CoAP observed, notifications a second",
    "out": "CoAP observer told, changes a second",
}
_CON, _ACK = 0, 2
_GET, _PUT, _CONTENT = 1, 3, 69
_OBSERVE, _PATH = 6, 11


def _message(
    kind: int, code: int, mid: int, token: bytes, options: bytes, payload: bytes = b""
) -> bytes:
    head = struct.pack(">BBH", 0x40 | kind << 4 | len(token), code, mid)
    return head + token + options + (b"\xff" + payload if payload else b"")


def _path(name: str, after: int) -> bytes:
    """The option Uri-Path, behind option number `after`."""
    return bytes((_PATH - after << 4 | len(name),)) + name.encode()


def _per_s(times_s: list[float]) -> float:
    """Of the moments at which something was done, the median tenth."""
    step = len(times_s) // 10
    spans = zip(times_s[:-step], times_s[step:], strict=True)
    return step / statistics.median(end - begin for begin, end in spans)


class Notifier:
    """The server side of one observation, blocking."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.settimeout(_LIMIT_S)
        self.port = self._sock.getsockname()[1]

    def notify(self, count: int) -> float:
        """Wait for an observer, send it `count` notifications; the rate in 1/s."""
        with self._sock as sock:
            data, addr = sock.recvfrom(2000)
            token = data[4 : 4 + (data[0] & 15)]
            mid = struct.unpack_from(">H", data, 2)[0]
            sock.sendto(_message(_ACK, _CONTENT, mid, token, b"\x61\x01", b"0"), addr)
            times_s = [self._one(addr, n, token) for n in range(2, count + 2)]
        return _per_s(times_s[_WARM:])

    def _one(self, addr: Any, n: int, token: bytes) -> float:
        options = b"\x62" + struct.pack(">H", n)  # Observe: n
        data = _message(_CON, _CONTENT, n, token, options, b"%d" % n)
        self._sock.sendto(data, addr)
        while self._sock.recv(2000)[:4] != struct.pack(">BBH", 0x60, 0, n):
            pass  # not its acknowledgement
        return time.perf_counter()


def change_and_hear(port: int, name: str, count: int) -> float:
    """Observe coap://127.0.0.1:port/name and change it each time one was told; the rate in 1/s."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_LIMIT_S)
        sock.connect(("127.0.0.1", port))
        sock.send(_message(_CON, _PUT, 1, b"", _path(name, 0), b"0"))
        sock.recv(2000)
        sock.send(_message(_CON, _GET, 2, b"obs", b"\x60" + _path(name, _OBSERVE)))
        assert b"obs" in sock.recv(2000)[:8], "not observable"
        times_s = [_change(sock, name, mid) for mid in range(3, count + 3)]
    return _per_s(times_s[_WARM:])


def _change(sock: socket.socket, name: str, mid: int) -> float:
    """PUT; then until both its answer and the notification have come, in either order."""
    sock.send(_message(_CON, _PUT, mid, b"put", _path(name, 0), b"%d" % mid))
    waiting = {b"put", b"obs"}
    while waiting:
        data = sock.recv(2000)
        if data[0] >> 4 & 3 == _CON:
            sock.send(struct.pack(">BB", 0x60, 0) + data[2:4])
        waiting.discard(bytes(data[4 : 4 + (data[0] & 15)]))
    return time.perf_counter()


# The clients that are told, and the servers that tell


def _ours(*args: str) -> tuple[list[str], dict[str, str] | None]:
    return coap.command(find_micropython(), *args)


def _python(*args: str) -> tuple[list[str], dict[str, str] | None]:
    """aiocoap, in a process of its own."""
    return [sys.executable, __file__, *args], None


def _client(name: str, port: int) -> tuple[list[str], dict[str, str] | None]:
    if name == "libcoap":
        program = libcoap_program("coap-client")
        return [str(program), "-s", "60", "-B", "60", f"coap://127.0.0.1:{port}/t"], None
    make = _ours if name == "hedge" else _python
    return make("watch", str(port), str(_COUNT))


def _server(name: str, port: int) -> tuple[list[str], dict[str, str] | None]:
    if name == "libcoap":
        program = libcoap_program("coap-server")
        return [str(program), "-A", "127.0.0.1", "-p", str(port), "-v", "2"], None
    make = _ours if name == "hedge" else _python
    return make("serve", str(port))


@contextlib.contextmanager
def _process(command: list[str], env: dict[str, str] | None) -> Iterator[None]:
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=env, **silent) as process:
        try:
            yield
        finally:
            process.kill()


def _told_per_s(name: str) -> float:
    notifier = Notifier()
    with _process(*_client(name, notifier.port)):
        return notifier.notify(_COUNT)


def _telling_per_s(name: str) -> float:
    port = free_udp_port()
    with _process(*_server(name, port)):
        wait_for_ping(port)
        return change_and_hear(port, "example_data" if name == "libcoap" else "t", _COUNT)


def rounds() -> dict[str, dict[str, list[float]]]:
    """{"in": {name: rates}, "out": ...}; peers that are not installed are left out."""
    peers = [p for p, there in _installed().items() if there]
    measures: dict[str, Callable[[str], float]] = {"in": _told_per_s, "out": _telling_per_s}
    found: dict[str, dict[str, list[float]]] = {"in": {}, "out": {}}
    for _ in range(_ROUNDS):
        for way, measured in measures.items():
            for name in ["hedge", *peers]:
                found[way].setdefault(name, []).append(measured(name))
    return found


def _installed() -> dict[str, bool]:
    there = bool(libcoap_program("coap-client") and libcoap_program("coap-server"))
    return {"aiocoap": importlib.util.find_spec("aiocoap") is not None, "libcoap": there}


def measure() -> list[dict]:
    """Rates; the ratio is the peer's to ours, so that less is better."""
    rows = []
    for way, rates in rounds().items():
        ours = statistics.median(rates.pop("hedge"))
        for peer, all_theirs in rates.items():
            theirs = statistics.median(all_theirs)
            row = {"name": _NAMES[way], "value": ours, "unit": "1/s", "peer": _PEERS[peer]}
            row |= {"peer_value": theirs, "ratio": theirs / ours}
            rows.append(row | {"how": f"{_KINDS[way]}; {_HOW}"})
    return rows


# aiocoap's halves, run as `python observe.py watch|serve PORT`


async def _watch(port: int, count: int) -> None:
    import aiocoap

    client = await aiocoap.Context.create_client_context()
    message = aiocoap.Message(code=aiocoap.GET, uri=f"coap://127.0.0.1:{port}/t", observe=0)
    request = client.request(message)
    await request.response
    heard = 0
    async for _ in request.observation:
        heard += 1
        if heard == count:
            return


async def _serve(port: int) -> None:
    import aiocoap
    from aiocoap import resource

    class Shelf(resource.ObservableResource):
        value = b"0"

        async def render_get(self, request: Any) -> Any:
            return aiocoap.Message(payload=self.value)

        async def render_put(self, request: Any) -> Any:
            self.value = request.payload
            self.updated_state()
            return aiocoap.Message(code=aiocoap.CHANGED)

    site = resource.Site()
    site.add_resource(["t"], Shelf())
    where = {"bind": ("127.0.0.1", port), "transports": ["udp6"]}
    await aiocoap.Context.create_server_context(site, **where)
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    if sys.argv[1:]:
        work = {"watch": _watch, "serve": _serve}[sys.argv[1]]
        asyncio.run(work(*map(int, sys.argv[2:])))
    else:
        for way, rates in rounds().items():
            print(way, {name: [round(rate) for rate in found] for name, found in rates.items()})
