"""Records a second from a node's store to the gateway's commit, and heap, over MQTT and CoAP.

    python tests/bench/uplink.py         prints what each client told, round by round

One gateway, its broker and its database on this computer; a record counts once the gateway's ack
came, which it sends after its commit. Ours reads its store and keeps a window of frames under way.
No peer has a store or an acknowledgement from end to end, so each sends frames made before and
waits for the ack of one before it sends the next: umqtt.simple and a fork of mqtt_as in the Unix
port, aiocoap under CPython. Rounds interleaved, the median counts.

One node alone waits most of the time: the gateway gathers frames for 20 ms before it commits
(writer.py). The fork of mqtt_as waits besides until TCP acknowledged its PUBACK, for 40 ms: it
leaves Nagle's algorithm on.
"""

import asyncio
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / folder) for folder in ("bench", "interop", "unit")]

import heap  # noqa: E402  found through the line above
from old_packages import MQTT_ASYNC, UMQTT, unpacked  # noqa: E402
from scenario import run_scenario  # noqa: E402

from hedge.wire import frame, senml  # noqa: E402
from hedgerow.gateway import Gateway, GatewayConfig  # noqa: E402
from hedgerow.gateway.service import gateway_in_thread  # noqa: E402

_SCRIPT = Path(__file__).with_name("upy") / "mqtt" / "uplink.py"
_ROUNDS = 3
_RECORDS = 600
_FRAMES = {"mqtt_async": 25, "umqtt": 13, "aiocoap": 61}
_RECORDS_A_FRAME = 6  # as many as ours puts into its 200 bytes
_SECRET = bytes(range(16))
_RECORD = senml.encode(1_790_000_000, [("soil.vwc", "%", 21.5)])
_PEERS = {"mqtt_async": MQTT_ASYNC, "umqtt": UMQTT}
_BESIDE = {"mqtt": ("mqtt_async", "umqtt"), "coap": ("aiocoap",)}
_HOW = f"Unix port (64-bit words), hedge frozen, loopback, median of {_ROUNDS} rounds"


def _frames(count: int) -> list[str]:
    """Frames of one stream, nearly full."""
    seqs = range(1, count * _RECORDS_A_FRAME, _RECORDS_A_FRAME)
    records = [_RECORD] * _RECORDS_A_FRAME
    return [frame.pack("bed-3", 1, 1, seq, seq, records).hex() for seq in seqs]


@functools.cache
def _program() -> Path:
    return heap.program()


def _told(scenario: dict, folders: list[Path]) -> dict:
    path = ":".join([*map(str, folders), ".frozen"])
    return run_scenario(_program(), _SCRIPT, scenario, path)


def _ours(gateway: Gateway, folder: Path, kind: str) -> dict:
    cfg = {"kind": kind.split()[0], "host": "127.0.0.1"}
    cfg["port"] = gateway.mqtt_port if kind == "mqtt" else gateway.coap_port
    if "OSCORE" in kind:
        cfg |= {"oscore_secret": _SECRET.hex(), "oscore_numbers": str(folder / "numbers.kv")}
    scenario = {"client": "hedge", "cfg": cfg, "dir": str(folder / "store")}
    return _told(scenario | {"record": _RECORD.hex(), "records": _RECORDS}, [])


def _mqtt_peer(gateway: Gateway, name: str, folder: Path) -> dict:
    scenario = {"client": name, "port": gateway.mqtt_port, "records_a_frame": _RECORDS_A_FRAME}
    return _told(scenario | {"frames": _frames(_FRAMES[name])}, [folder])


def _aiocoap(gateway: Gateway) -> dict:
    """In a process of its own, as the others."""
    command = [sys.executable, __file__, str(gateway.coap_port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


async def _post_all(port: int) -> float:
    """Records a second of aiocoap's client."""
    import aiocoap

    client = await aiocoap.Context.create_client_context()
    begun_s, frames = 0.0, _frames(_FRAMES["aiocoap"])
    for data in frames:
        message = aiocoap.Message(
            code=aiocoap.POST,
            uri=f"coap://127.0.0.1:{port}/up/bed-3",
            payload=bytes.fromhex(data),
        )
        answer = await client.request(message).response
        assert answer.code.is_successful(), answer
        begun_s = begun_s or time.perf_counter()  # as the others: from the first ack on
    took_s = time.perf_counter() - begun_s
    await client.shutdown()
    return (len(frames) - 1) * _RECORDS_A_FRAME / took_s


def _gateway_run(kind: str, run: Callable[[Gateway, Path], dict]) -> dict:
    """One run against a gateway of its own: an empty database, no session."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = {"bed-3": _SECRET} if "OSCORE" in kind else {}
        config = GatewayConfig(
            folder / "farm.db", http_port=0, mqtt_port=0, coap_port=0, coap_keys=keys
        )
        with gateway_in_thread(config) as gateway:
            return run(gateway, folder)


def rounds() -> dict[str, list[dict]]:
    """What each client told, by "kind" or the peer's name; peers not to be had are left out."""
    found: dict[str, list[dict]] = {}
    with tempfile.TemporaryDirectory() as name:
        places = {peer: unpacked(what, _made(Path(name) / peer)) for peer, what in _PEERS.items()}
        runs = {
            kind: lambda g, f, kind=kind: _ours(g, f, kind)
            for kind in ("mqtt", "coap", "coap with OSCORE")
        }
        for peer, place in places.items():
            if place:
                runs[peer] = lambda g, _, peer=peer, place=place: _mqtt_peer(g, peer, place)
        runs["aiocoap"] = lambda g, _: _aiocoap(g)
        for _ in range(_ROUNDS):
            for kind, run in runs.items():
                found.setdefault(kind, []).append(_gateway_run(kind, run))
    return found


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def measure() -> list[dict]:
    """Rates, bytes, heap; the ratio of a rate is the peer's to ours, so that less is better."""
    told = rounds()
    rows = []
    for kind in ("mqtt", "coap", "coap with OSCORE"):
        per_s, held = _median(told[kind])
        rows.append(_row(f"records acked a second, {kind}", per_s, "1/s"))
        for peer in [p for p in _BESIDE.get(kind, ()) if p in told]:
            theirs, _ = _median(told[peer])
            rows.append(_row(f"records acked a second, {kind}, beside {peer}", per_s, "1/s"))
            rows[-1] |= {"peer": peer, "peer_value": theirs, "ratio": theirs / per_s}
        rows.append(_row(f"heap of uplink, store and link, {kind}", held, "B"))
        for peer in [p for p in _PEERS if kind == "mqtt" and p in told]:
            rows.append(_row(f"heap of uplink, store and link, {kind}, beside {peer}", held, "B"))
            theirs = _median(told[peer])[1]
            rows[-1] |= {"peer": f"{peer}, no store", "peer_value": theirs}
            rows[-1]["ratio"] = held / theirs
        sent = told[kind][0]["bytes_sent"] / _RECORDS
        rows.append(_row(f"bytes sent a record, {kind}", sent, "B"))
    return rows


def _median(runs: list[dict]) -> tuple[float, float]:
    keys = "per_s", "held_bytes"
    per_s, held = (statistics.median(run.get(key, 0) for run in runs) for key in keys)
    return per_s, held


def _row(name: str, value: float, unit: str) -> dict:
    return {"name": name, "value": value, "unit": unit, "how": _HOW}


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps({"per_s": asyncio.run(_post_all(int(sys.argv[1])))}))
    else:
        for kind, runs in rounds().items():
            print(kind, runs)
