"""CoAP: requests a second, heap of its parts and of an observation, what OSCORE costs.

The peer is aiocoap's client under CPython, asking the same server in the same run. microCoAPy, the
other client for MicroPython, is on no package index and so not measured here.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / folder) for folder in ("bench", "interop", "unit")]

import heap  # noqa: E402  found through the line above
from coap_peers import free_udp_port  # noqa: E402

from hedgerow import paths  # noqa: E402
from hedgerow.toolchain.unix import find_micropython  # noqa: E402

_COUNT = 2000
_SCRIPT = Path(__file__).with_name("upy") / "coap_times.py"
_HOW = "MicroPython Unix port, loopback, 64-bit words"


def measure() -> list[dict]:
    """Rows; see the top."""
    program = find_micropython()
    ours, theirs = _requests(program)
    rows = [
        _row("CoAP, 200-byte frames confirmed a second", ours, "1/s", f"one at a time; {_HOW}")
        | {"peer": "aiocoap 0.4 under CPython", "peer_value": theirs, "ratio": ours / theirs}
    ]
    for name, value in _tell(program, "heap").items():
        rows.append(_row(f"CoAP heap, {name.replace('_', ' ')}", value, "B", _HOW))
    rows.append(_frozen_link())
    cost = _tell(program, "oscore")
    how = f"seal a 200-byte frame, open its answer; {_HOW}"
    rows.append(_row("OSCORE, a frame and its answer", cost["us"], "us", how))
    rows.append(_row("OSCORE, bytes more a frame", cost["bytes"] - cost["clear_bytes"], "B", how))
    return rows


def _frozen_link() -> dict:
    """Heap of the link object and its modules, the code in flash as on a board."""
    frozen = heap.program()
    coap, mqtt = (_tell(frozen, "link", kind)["held"] for kind in ("coap", "mqtt"))
    row = _row("CoAP link, heap, code frozen", coap, "B", "Unix port with hedge frozen in")
    return row | {"peer": "our MQTT link", "peer_value": mqtt, "ratio": coap / mqtt}


def _requests(program: Path) -> tuple[float, float]:
    """Requests a second of our client and of aiocoap's."""
    with _server(program) as port:
        ours = _tell(program, "ask", str(port), str(_COUNT))["per_s"]
        return ours, asyncio.run(_aiocoap_per_s(port))


async def _aiocoap_per_s(port: int) -> float:
    import aiocoap

    client = await aiocoap.Context.create_client_context()
    begin_s = time.perf_counter()
    for _ in range(_COUNT // 4):
        message = aiocoap.Message(
            code=aiocoap.POST, uri=f"coap://127.0.0.1:{port}/t", payload=bytes(200)
        )
        await client.request(message).response
    took_s = time.perf_counter() - begin_s
    await client.shutdown()
    return _COUNT // 4 / took_s


def command(program: Path, *args: str) -> tuple[list[str], dict[str, str]]:
    """Of upy/coap_times.py, and its environment."""
    folders = ".frozen" if "hedge" in program.name else f"{paths.firmware_dir()}:.frozen"
    env = dict(os.environ, MICROPYPATH=folders)
    return [str(program), str(_SCRIPT), *args], env


def _tell(program: Path, *args: str) -> dict:
    line, env = command(program, *args)
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def _server(program: Path) -> Iterator[int]:
    port = free_udp_port()
    line, env = command(program, "serve", str(port))
    with subprocess.Popen(line, env=env, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout
            server.stdout.readline()
            yield port
        finally:
            server.kill()


def _row(name: str, value: float, unit: str, how: str) -> dict:
    row = {"name": name, "value": value, "unit": unit, "how": how}
    return row | {"peer": None, "peer_value": None, "ratio": None}
