"""Six nodes on six kinds of link, bad lines, and kill -9 of everything: nothing lost or doubled.

    python tests/faults/kill/chaos.py --records 1000000 --kills 1000 --seed 1

MQTT 3.1.1 and 5, HTTP, CoAP, a serial line with its bridge, LoRaWAN with its network server; one
mosquitto, one gateway with SQLite. TCP lines are cut, stalled and hung; 30 % of CoAP's datagrams
are lost, 10 % doubled, 20 % late; bytes of the serial line are lost; 30 % of the radio's packets
are lost at each receiver. Victims of SIGKILL: each node, broker, gateway, bridge, network server.
Prints a JSON.
"""

import argparse
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

from farm import Farm  # noqa: E402  found through the line above
from ledger import counted, judge  # noqa: E402
from peers import soon  # noqa: E402

from hedgerow.sim.audit import Tally  # noqa: E402

_VICTIMS = ("gateway", "gateway", "broker", "broker", "bridge", "lns")  # beside each node once
_DRAIN_S = 900


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
        soon(
            lambda: self._over() or (farm.made() >= self.records and farm.has_suffered()),
            f"{self.records} records, and losses on every bad line",
            120 + self.records / 50,
        )
        return told


def run(folder: Path, programs: tuple[Path, Path], storm: Storm) -> dict:
    """The report. programs: MicroPython, mosquitto."""
    begin_s = time.monotonic()
    with Farm(folder, programs, storm.records, storm.seed) as farm:
        killed = storm.torment(farm)
        farm.enough.touch()
        farm.calm()
        told = {node.name: node.node.result(_DRAIN_S) for node in farm.nodes}
        fates = ("passed", "dropped", "doubled", "delayed")
        lines = {fate: getattr(farm.relay, fate) for fate in fates}
        report = {"seed": storm.seed, "kills": killed.total(), "killed": dict(killed)}
        report |= {"line_faults": dict(farm.weather.faults), "datagrams": lines}
        report |= {"radio": farm.field.report()}
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
