"""Decision latency in three states of the link: down, connecting, sending a backlog.

decision: from the last sensor's answer to the pump's command, model included, as the node itself
counts it (hedge.node: decision_us). wake_late: by how much real time the control task's waits end
late, which is where a blocking network would show. One node on the Unix port, real MQTT through a
relay that fails on purpose; 30 ticks a second, the model runs at each. Gateway and broker share
the machine.
"""

import asyncio
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

from sim_runs import new_project

from hedgerow.emulate.weather import load_weather
from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.sim.linkproxy import LinkProxy
from hedgerow.sim.node_run import NodeRun
from hedgerow.sim.prepare import load_plan, with_uplink
from hedgerow.sim.world import field_span, field_world

_SAMPLE_S = 60
_TICKS_PER_S = 30
_WINDOW_S = 8.0
_BACKLOG = 7000  # records; some 700 a second go out, and 160 are made
_START = date(2015, 5, 1)
_HOW = (
    "Unix port, 30 ticks/s, model each tick, real MQTT through a failing relay, "
    "gateway on the same 2 cores; bins of 1/8 octave"
)


def measure() -> list[dict]:
    """Four rows per state."""
    return asyncio.run(_measure())


async def _measure() -> list[dict]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = GatewayConfig(db=folder / "g.db", http_port=0, mqtt_port=0, give_time=False)
        async with (
            Gateway(config) as gateway,
            LinkProxy(gateway.mqtt_host, gateway.mqtt_port) as link,
        ):
            node = _node(folder, link.port)
            try:
                return await _three_states(node, link)
            finally:
                node.kill()


def _node(folder: Path, port: int) -> NodeRun:
    changes = {
        r'at = "05:00"[^\n]*': f"every_s = {_SAMPLE_S}",
        r"deadband = 0\.5": "deadband = 0.0",
    }
    plan, dry_pct = load_plan(new_project(folder, "bench", _SAMPLE_S, changes))
    plan["store"]["max_bytes"] = 4_000_000  # the backlog of the whole measurement
    weather = load_weather("seattle", _START, 1461)
    world = field_world(plan, weather, seed=1, dry_pct=dry_pct)
    plan = with_uplink(plan, "127.0.0.1", port)
    span = field_span(_START, 1400, 0)
    speed = float(_SAMPLE_S * _TICKS_PER_S)
    return NodeRun(plan, world, folder / "node", span, speed=speed, hold_records=0)


async def _three_states(node: NodeRun, link: LinkProxy) -> list[dict]:
    link.cut()
    node.start()
    while not (node.stats() and node.stats()[-1]["node"]["inferences"] > 100):
        assert node.running()
        await asyncio.sleep(0.1)
    rows = await _watch(node, "link_down")
    link.hang()
    rows += await _watch(node, "link_connecting")
    while node.stats()[-1]["pending"] < _BACKLOG:
        assert node.running()
        await asyncio.sleep(0.1)
    link.restore()
    while not node.stats()[-1]["up"]:
        await asyncio.sleep(0.1)
    rows += await _watch(node, "backfilling")
    assert node.stats()[-1]["pending"] > 0, "the backlog was gone before the measurement ended"
    return rows


async def _watch(node: NodeRun, state: str) -> list[dict]:
    before = _histograms(node)
    await asyncio.sleep(_WINDOW_S)
    after = _histograms(node)
    return [
        _row(f"{what}_{state}_p{percent}", after[what] - before[what], percent)
        for what in after
        for percent in (50, 99)
    ]


def _histograms(node: NodeRun) -> dict[str, Counter]:
    stats = node.stats()[-1]
    found = {
        "decision": stats["node"]["decision_us_histogram"],
        "wake_late": stats["late_us_histogram"],
    }
    return {
        what: Counter({int(us): count for us, count in bins.items()})
        for what, bins in found.items()
    }


def _row(name: str, histogram: Counter, percent: int) -> dict:
    left = histogram.total() * percent / 100
    assert left > 100, "too few decisions"
    for us in sorted(histogram):
        left -= histogram[us]
        if left <= 0:
            break
    how = f"{_HOW}; {histogram.total()} counted"
    return {"name": name, "value": us / 1000, "unit": "ms", "how": how}
