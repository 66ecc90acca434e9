"""Publishing at QoS 1: our client beside umqtt.simple and a fork of mqtt_as, in one run.

    python tests/bench/mqtt.py         prints what each client told, round by round

One mosquitto on loopback, messages of 100 bytes, each waiting for its PUBACK; the clients take
turns, five rounds; of a round counts the median of its pieces of 20 messages, of the rounds the
median. All in the Unix port; upy/mqtt/publish.py says what is measured. umqtt.simple writes a
packet in four pieces: the second waits for TCP's delayed ACK, on loopback as on a network.

Where client and broker run decides more than what they do: on one core a write goes straight over
to the reader, on two each message waits twice until a sleeping core wakes, and the same client
makes 13,000 instead of 22,000 messages a second. The kernel chooses anew for each process, so both
places are given here and measured by themselves. On two cores a client that is busy after its
write hides part of the wait, without being quicker.
"""

import contextlib
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / "interop")]

from old_packages import MQTT_ASYNC, UMQTT, unpacked  # noqa: E402  found through the line above
from peers import Mosquitto  # noqa: E402
from scenario import run_scenario  # noqa: E402

from hedgerow import paths  # noqa: E402
from hedgerow.toolchain.unix import find_micropython  # noqa: E402

_SCRIPT = Path(__file__).with_name("upy") / "mqtt" / "publish.py"
_ROUNDS = 5
_COUNTS = {"hedge": 1000, "hedge-5": 1000, "umqtt": 20, "mqtt_async": 1000}
_OURS = {"hedge": "MQTT 3.1.1", "hedge-5": "MQTT 5"}
_PEERS = {"umqtt": UMQTT, "mqtt_async": MQTT_ASYNC}
# The fork of mqtt_as resumes no session and waits without a limit: those cost something here.
_LIMITS = {"umqtt": 1.0, "mqtt_async": 1.25}
_HOW = "Unix port (64-bit words), mosquitto on loopback, 100 bytes a message, median of 5 rounds"
_ONE_CORE, _TWO_CORES = "client and broker on one core", "client and broker on a core each"
_AS_GATEWAY = "set_tcp_nodelay true\n"  # what `hedgerow gateway` gives its mosquitto


def _run(client: str, port: int, path: str) -> dict:
    scenario = {"client": client, "port": port, "count": _COUNTS[client]}
    return run_scenario(find_micropython(), _SCRIPT, scenario, path)


def _median(rounds: list[dict]) -> dict:
    return {key: statistics.median(told[key] for told in rounds) for key in rounds[0]}


@contextlib.contextmanager
def _on(cores: set[int]) -> Iterator[None]:
    """What is started here runs on these cores; wherever it likes if they are none."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _places() -> dict[str, tuple[set[int], set[int]]]:
    """Cores of broker and client, by what to call it."""
    if not hasattr(os, "sched_getaffinity"):  # macOS
        return {"client and broker where the kernel likes": (set(), set())}
    cores = sorted(os.sched_getaffinity(0))
    found = {_ONE_CORE: ({cores[-1]}, {cores[-1]})}
    if len(cores) > 1:
        found[_TWO_CORES] = {cores[-2]}, {cores[-1]}
    return found


def rounds() -> dict[str, dict[str, list[dict]]]:
    """What each client told in each round, by place; peers that could not be had are left out."""
    mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not mosquitto:
        raise FileNotFoundError("mosquitto is not installed (Debian package mosquitto)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = {peer: unpacked(what, _made(folder / peer)) for peer, what in _PEERS.items()}
        clients = [c for c in _COUNTS if c not in places or places[c]]
        path = ":".join(str(p) for p in (paths.firmware_dir(), *filter(None, places.values())))
        found = {}
        for number, (where, cores) in enumerate(_places().items()):
            with contextlib.ExitStack() as stack:
                with _on(cores[0]):
                    broker = Mosquitto(Path(mosquitto), _made(folder / str(number)), _AS_GATEWAY)
                    stack.enter_context(broker)
                stack.enter_context(_on(cores[1]))
                found[where] = _rounds(broker.port, clients, path + ":.frozen")
            clients = [c for c in clients if c != "umqtt"]  # slow, and in no place less so
        return found


def _rounds(port: int, clients: list[str], path: str) -> dict[str, list[dict]]:
    """What each client told, in turns."""
    told = [{c: _run(c, port, path) for c in clients} for _ in range(_ROUNDS)]
    return {client: [one[client] for one in told] for client in clients}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def measure() -> list[dict]:
    """Rates, and heap; the ratio of a rate is the peer's to ours, so that less is better."""
    rows = []
    places = rounds()
    for where, found in places.items():
        told = {client: _median(ours) for client, ours in found.items()}
        for client, name in _OURS.items():
            rows += _rates(name, where, told[client], told)
            if where == next(iter(places)):
                rows += _heaps(name, told[client], told.get("mqtt_async"))
    return rows


def _heaps(name: str, ours: dict, peer: dict | None) -> list[dict]:
    rows = [_row(f"{name} heap of its code, not frozen", ours["code_bytes"])]
    if peer:
        rows.append(_beside(f"{name} heap of a client", ours, peer, "client_bytes"))
        rows.append(_beside(f"{name} heap for a message", ours, peer, "each_bytes"))
    return rows


def _rates(name: str, where: str, ours: dict, told: dict[str, dict]) -> list[dict]:
    more = {"unit": "msg/s", "how": f"{_HOW}; {where}"}
    name += " publish QoS 1 msg/s" + (", a core each" if where == _TWO_CORES else "")
    rows = []
    for peer in [p for p in _PEERS if p in told]:
        theirs = told[peer]["per_s"]
        row = {"peer": peer, "peer_value": theirs, "ratio": theirs / ours["per_s"]}
        row |= {"limit": _LIMITS[peer], "limit_of": "ratio"}
        rows.append(_row(name, ours["per_s"]) | row | more)
        rows[-1]["how"] += "; ratio: peer to ours"
    rows.append(_row(f"{name}, 8 in flight", ours["pipelined_per_s"]) | more)
    return rows


def _row(name: str, value: float) -> dict:
    return {"name": name, "value": value, "unit": "B", "how": _HOW}


def _beside(name: str, ours: dict, peer: dict, key: str) -> dict:
    more = {"peer": "mqtt_async", "peer_value": peer[key], "ratio": ours[key] / peer[key]}
    return _row(name, ours[key]) | more | {"limit": 1.25, "limit_of": "ratio"}


if __name__ == "__main__":
    for place, clients_told in rounds().items():
        for client, found in clients_told.items():
            for told in found:
                print(f"{place}: {client} {told}")
