"""Start-up: from spawning MicroPython to the node's first decision."""

import json
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

from sim_runs import new_project

from hedgerow.emulate.weather import load_weather
from hedgerow.sim.node_run import NodeRun
from hedgerow.sim.prepare import load_plan
from hedgerow.sim.world import field_span, field_world

_RUNS = 7
_START = date(2015, 5, 1)


def measure() -> list[dict]:
    """One row: the median of several starts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        node_file = new_project(folder, "bench", 900)
        times = [_one_start(node_file, folder / str(i)) for i in range(_RUNS)]
    how = f"spawn to the first decision, soil template from .py files, median of {_RUNS}; "
    how += "device time virtual, so the 0.76 s that the sensors convert are not in it"
    value = round(statistics.median(times) * 1000, 1)
    return [{"name": "start_up", "value": value, "unit": "ms", "how": how}]


def _one_start(node_file: Path, folder: Path) -> float:
    plan, dry_pct = load_plan(node_file)
    plan["uplink"] = None
    weather = load_weather("seattle", _START, 4)
    world = field_world(plan, weather, seed=1, dry_pct=dry_pct)
    node = NodeRun(plan, world, folder, field_span(_START, 0.005, 0))
    begin = time.time()
    node.start()
    try:
        while node.running():
            time.sleep(0.005)
    finally:
        node.kill()
    return json.loads(next(folder.glob("stats-*.json")).read_text())["first_tick_wall_s"] - begin
