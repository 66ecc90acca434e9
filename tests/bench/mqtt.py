"""Publishing at QoS 1: our client beside umqtt.simple and a fork of mqtt_as, in one run.

    python tests/bench/mqtt.py         prints what each client told, round by round

One mosquitto on loopback, messages of 100 bytes, each waiting for its PUBACK; the clients take
turns, five rounds; of rates the best tenth counts: what a busy computer adds is not theirs.
All in the Unix port; upy/mqtt/publish.py says what is measured. umqtt.simple writes a packet in
four pieces: the second waits for TCP's delayed ACK, on loopback as on a network.
"""

import os
import shutil
import sys
import tempfile
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
_PEERS = {"umqtt": UMQTT, "mqtt_async": MQTT_ASYNC}
# The fork of mqtt_as resumes no session and waits without a limit: those cost something here.
_LIMITS = {"umqtt": 1.0, "mqtt_async": 1.25}
_HOW = (
    "Unix port (64-bit words), mosquitto on loopback, 100 bytes a message, best tenth of 5 rounds"
)


def _run(client: str, port: int, path: str) -> dict:
    scenario = {"client": client, "port": port, "count": _COUNTS[client]}
    return run_scenario(find_micropython(), _SCRIPT, scenario, path)


def _best(rounds: list[dict]) -> dict:
    """The highest of a rate, the least of bytes."""
    keys = rounds[0]
    return {k: (max if k.endswith("per_s") else min)(told[k] for told in rounds) for k in keys}


def rounds() -> dict[str, list[dict]]:
    """What each client told in each round; peers that could not be had are left out."""
    mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not mosquitto:
        raise FileNotFoundError("mosquitto is not installed (Debian package mosquitto)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = {peer: unpacked(what, _made(folder / peer)) for peer, what in _PEERS.items()}
        clients = [c for c in _COUNTS if c not in places or places[c]]
        path = ":".join(str(p) for p in (paths.firmware_dir(), *filter(None, places.values())))
        with Mosquitto(Path(mosquitto), _made(folder / "broker")) as broker:
            told = [
                {c: _run(c, broker.port, path + ":.frozen") for c in clients}
                for _ in range(_ROUNDS)
            ]
    return {client: [one[client] for one in told] for client in clients}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def measure() -> list[dict]:
    """Rates, and heap; the ratio of a rate is the peer's to ours, so that less is better."""
    told = {client: _best(found) for client, found in rounds().items()}
    rows = []
    for client, version in (("hedge", "3.1.1"), ("hedge-5", "5")):
        ours = told[client]
        for peer in [p for p in _PEERS if p in told]:
            rows.append(
                _rate(f"MQTT {version} publish QoS 1 msg/s", ours["per_s"], peer, told[peer])
            )
        rows.append(
            _row(f"MQTT {version} publish QoS 1 msg/s, 8 in flight", ours["pipelined_per_s"])
        )
        rows[-1]["unit"] = "msg/s"
        if "mqtt_async" in told:
            peer = told["mqtt_async"]
            rows.append(_beside(f"MQTT {version} heap of a client", ours, peer, "client_bytes"))
            rows.append(_beside(f"MQTT {version} heap for a message", ours, peer, "each_bytes"))
        rows.append(_row(f"MQTT {version} heap of its code, not frozen", ours["code_bytes"]))
    return rows


def _row(name: str, value: float) -> dict:
    return {"name": name, "value": value, "unit": "B", "how": _HOW}


def _rate(name: str, per_s: float, peer: str, told: dict) -> dict:
    more = {"unit": "msg/s", "peer": peer, "peer_value": told["per_s"]}
    more |= {"ratio": told["per_s"] / per_s, "limit": _LIMITS[peer], "limit_of": "ratio"}
    return _row(name, per_s) | more | {"how": _HOW + "; ratio: peer to ours"}


def _beside(name: str, ours: dict, peer: dict, key: str) -> dict:
    more = {"peer": "mqtt_async", "peer_value": peer[key], "ratio": ours[key] / peer[key]}
    return _row(name, ours[key]) | more | {"limit": 1.25, "limit_of": "ratio"}


if __name__ == "__main__":
    for client, found in rounds().items():
        for told in found:
            print(client, told)
