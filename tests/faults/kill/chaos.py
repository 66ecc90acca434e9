"""Five nodes on five kinds of link, bad lines, and kill -9 of everything: nothing lost or doubled.

    python tests/faults/kill/chaos.py --records 1000000 --kills 1000 --seed 1

MQTT 3.1.1 and 5, HTTP, CoAP, a serial line with its bridge; one mosquitto, one gateway with
SQLite. TCP lines are cut, stalled and hung; 30 % of CoAP's datagrams are lost, 10 % doubled, 20 %
late; bytes of the serial line are lost. Victims of SIGKILL: each node, broker, gateway, bridge.
Prints a JSON.
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent.parent / "interop")]

from bad_lines import BadWeather  # noqa: E402  found through the line above
from coap_peers import LossyRelay, free_udp_port  # noqa: E402
from gateway_process import GatewayProcess, hedgerow, wait_until  # noqa: E402
from ledger import ENTRY_BYTES, counted, judge  # noqa: E402
from node import Node  # noqa: E402
from peers import LoopThread, Mosquitto  # noqa: E402
from serial_node import SerialNode  # noqa: E402

from hedgerow.sim.audit import Tally  # noqa: E402

_SCRIPT = _HERE / "upy" / "chaos_node.py"
# Records that may wait in a node's store: the slower the link, the fewer.
ROOMS = {"mqtt": 3000, "mqtt5": 3000, "http": 3000, "serial": 800, "coap": 300}
_FULL = 10_000  # with fewer to make the rooms are smaller in proportion
_VICTIMS = ("gateway", "gateway", "broker", "broker", "bridge")  # beside each node once
_DRAIN_S = 900


class Killable:
    """A node with its store and ledger, over all its lives."""

    def __init__(self, farm: "Farm", name: str, cfg: dict, room: int) -> None:
        self.name, self.ledger = name, farm.folder / f"{name}-ledger"
        self.ledger.mkdir()
        self.place = farm.folder / f"{name}-tty"
        self._micropython = farm.micropython
        self._args = {"script": _SCRIPT, "device": name, "cfg": cfg, "room": room}
        self._args |= {
            "store": str(farm.folder / f"{name}-store"),
            "pace_ms": 10,
        }
        self._args |= {"ledger": str(self.ledger), "enough": str(farm.enough)}
        self.node = self._made()

    def _made(self) -> Node:
        if self._args["cfg"]["kind"] == "serial":
            return SerialNode(self._micropython, "", self.place, **self._args)
        return Node(self._micropython, "", **self._args)

    def start(self) -> None:
        self.node = self._made().__enter__()

    def kill(self) -> None:
        assert self.node.process.poll() is None, f"{self.name} ended: {self._last_words()}"
        self.node.kill()

    def _last_words(self) -> str:
        with contextlib.suppress(AssertionError):
            self.node.expect("nothing that is ever said", 1)
        return " / ".join(self.node.seen[-8:])

    def lose(self, n_bytes: int) -> None:
        self.node.lose(n_bytes)


class Bridge:
    def __init__(self, folder: Path, place: Path, broker_port: int) -> None:
        self._log = (folder / "bridge.log").open("ab")
        broker = f"mqtt://127.0.0.1:{broker_port}"
        self._arguments = ["bridge", "--port", str(place), "--broker", broker, "--quiet"]

    def start(self) -> None:
        self._process = hedgerow(self._arguments, self._log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._log.close()


class Farm:
    """Everything that runs; a context manager."""

    def __init__(self, folder: Path, programs: tuple[Path, Path], records: int, seed: int) -> None:
        self.folder, self.enough = folder, folder / "enough"
        self.micropython = programs[0]
        self._mosquitto, self._records, self._seed = programs[1], records, seed
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Farm":
        with contextlib.ExitStack() as stack:
            self._build(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *raised) -> None:
        self._stack.__exit__(*raised)

    def _build(self, stack: contextlib.ExitStack) -> None:
        thread = LoopThread()
        stack.callback(thread.close)
        self.broker = stack.enter_context(Mosquitto(self._mosquitto, self.folder))
        coap_port = free_udp_port()
        url = f"mqtt://127.0.0.1:{self.broker.port}"
        self.gateway = GatewayProcess(self.folder, url, coap_port)
        stack.callback(self.gateway.close)
        self.gateway.start()
        self.weather = BadWeather(thread, self._seed)
        stack.callback(self.weather.close)
        relay = LossyRelay(thread, coap_port, self._seed, loss=0.3, double=0.1, late=0.2)
        self.relay = stack.enter_context(relay)
        self.weather.over_datagrams(relay)
        self.nodes = [self._node(name, cfg) for name, cfg in self._links().items()]
        self._start_nodes(stack)

    def made(self) -> int:
        """Records in the ledgers."""
        files = [path for node in self.nodes for path in node.ledger.iterdir()]
        return sum(path.stat().st_size for path in files) // ENTRY_BYTES

    def _links(self) -> dict[str, dict]:
        def line(port: int) -> dict:
            return {"host": "127.0.0.1", "port": self.weather.line_to(port).port}

        quick = {"kind": "mqtt", "timeout_ms": 2500, "keepalive_s": 5}
        return {
            "mqtt": quick | line(self.broker.port),
            "mqtt5": quick | line(self.broker.port) | {"version": 5},
            "http": {"kind": "http", "timeout_ms": 2500} | line(self.gateway.http_port),
            "coap": {"kind": "coap", "host": "127.0.0.1", "port": self.relay.port},
            "serial": {"kind": "serial", "keepalive_s": 5},
        }

    def _node(self, name: str, cfg: dict) -> Killable:
        return Killable(self, name, cfg, ROOMS[name] * min(self._records, _FULL) // _FULL)

    def _start_nodes(self, stack: contextlib.ExitStack) -> None:
        for node in self.nodes:
            node.start()
            stack.callback(lambda node=node: node.node.kill())
        serial = next(node for node in self.nodes if node.name == "serial")
        self.bridge = Bridge(self.folder, serial.place, self.broker.port)
        self.bridge.start()
        stack.callback(self.bridge.close)
        self.weather.over_cable(serial.lose)


class Storm:
    """What is to be done: records at least, over all nodes, and kills.

    longest_s: from one kill to the next. spared: victims that are not killed. limit_s: when it
    ends though less was done; what was made is judged all the same.
    """

    def __init__(
        self,
        records: int,
        kills: int,
        seed: int,
        longest_s: float = 1.0,
        spared: tuple[str, ...] = (),
        limit_s: float = float("inf"),
    ) -> None:
        self.records, self.seed = records, seed
        self._kills, self._longest_s, self._spared = kills, longest_s, spared
        self._dice = random.Random(seed)
        self._end_s = time.monotonic() + limit_s

    def _over(self) -> bool:
        return time.monotonic() >= self._end_s

    def _victims(self, names: list[str]) -> Iterator[str]:
        """Rounds of all, each in an order of its own."""
        names = [name for name in names if name not in self._spared]
        left = self._kills
        while True:
            for name in self._dice.sample(names, len(names)):
                if not left or self._over():
                    return
                left -= 1
                yield name

    def torment(self, farm: Farm) -> Counter:
        """Kill one after the other; a victim comes back after a moment. How many of each."""
        told: Counter = Counter()
        nodes = {node.name: node for node in farm.nodes}
        for name in self._victims([*nodes, *_VICTIMS]):
            victim = nodes.get(name) or getattr(farm, name)
            time.sleep(self._dice.uniform(0.02, self._longest_s))
            victim.kill()
            time.sleep(self._dice.uniform(0, 0.3))
            victim.start()
            told[name] += 1
        wait_until(
            lambda: self._over() or farm.made() >= self.records,
            60 + self.records / 50,
            f"{self.records} records",
        )
        return told


def run(folder: Path, programs: tuple[Path, Path], storm: Storm) -> dict:
    """The report. programs: MicroPython, mosquitto."""
    begin_s = time.monotonic()
    with Farm(folder, programs, storm.records, storm.seed) as farm:
        killed = storm.torment(farm)
        farm.enough.touch()
        farm.weather.calm()
        told = {node.name: node.node.result(_DRAIN_S) for node in farm.nodes}
        fates = ("passed", "dropped", "doubled", "delayed")
        lines = {fate: getattr(farm.relay, fate) for fate in fates}
        report = {"seed": storm.seed, "kills": killed.total(), "killed": dict(killed)}
        report |= {"line_faults": dict(farm.weather.faults), "datagrams": lines}
        report |= {"seen_by_gateway": counted(farm.gateway.db)}
        report |= _judged(farm, told)
    return report | {"took_s": round(time.monotonic() - begin_s)}


def _judged(farm: Farm, told: dict[str, dict]) -> dict:
    total = Tally()
    nodes = {}
    for node in farm.nodes:
        tally = judge(node.ledger, farm.gateway.db, node.name)
        total.add(tally)
        given_up = told[node.name]["dropped"] + told[node.name]["refused"]
        nodes[node.name] = {"records": tally.created, "given_up": given_up}
        nodes[node.name]["lives"] = len(list(node.ledger.iterdir()))
    return {
        "nodes": nodes,
        "records": total.created,
        "lost": total.lost,
        "duplicated": total.duplicates,
        "given_up": sum(one["given_up"] for one in nodes.values()),
        "examples": total.examples,
    }


def main() -> int:
    from hedgerow.gateway.broker.mosquitto import find_mosquitto
    from hedgerow.toolchain.unix import find_micropython

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="then less will do")
    options = parser.parse_args()
    mosquitto = find_mosquitto() or parser.error("mosquitto is not installed")
    with tempfile.TemporaryDirectory() as name:
        programs = find_micropython(), Path(mosquitto)
        limit_s = options.minutes * 60
        storm = Storm(options.records, options.kills, options.seed, limit_s=limit_s)
        report = run(Path(name), programs, storm)
    print(json.dumps(report, indent=1))
    return 1 if report["lost"] or report["duplicated"] or report["given_up"] else 0


if __name__ == "__main__":
    sys.exit(main())
