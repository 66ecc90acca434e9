"""kill -9 of node, gateway and broker at random moments under load: 0 lost, 0 duplicated.

A real node (MicroPython, its own log, real MQTT) against a gateway process with its mosquitto. At
the end everything runs again, the node empties its log, and the log is compared with SQLite.
"""

import random
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from gateway_process import GatewayProcess
from peers import soon

from hedgerow.config import compile_file
from hedgerow.emulate.weather import load_weather
from hedgerow.sim.audit import compare, read_log
from hedgerow.sim.node_run import NodeRun
from hedgerow.sim.prepare import simulated, with_uplink
from hedgerow.sim.stored import stored_in_db
from hedgerow.sim.world import field_span, field_world

pytestmark = pytest.mark.e2e

HEDGEROW = Path(sys.executable).with_name("hedgerow")
SAMPLE_S = 300
SPEED = 9_000.0  # 30 ticks a second, each with several records
LOG_BYTES = 16_000_000  # the link is down most of the time: nothing may be dropped for space
DAYS = 1000
_DRAIN_S = 150


def busy_node(folder: Path, port: int) -> NodeRun:
    """A soil node that records every sample of every channel."""
    command = [str(HEDGEROW), "new", "busy", "--dir", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    node_file = folder / "busy" / "node.toml"
    text = node_file.read_text().replace("sample_s = 900", f"sample_s = {SAMPLE_S}")
    text = text.replace("deadband = 0.5", "deadband = 0.0")
    text = text.replace("summary_s = 86400", f"summary_s = {SAMPLE_S}")
    node_file.write_text(text)
    plan = with_uplink(simulated(compile_file(node_file), node_file.parent), "127.0.0.1", port)
    plan["store"] = dict(plan["store"], max_bytes=LOG_BYTES)
    weather = load_weather("seattle", date(2015, 5, 1), 1461)
    span = field_span(date(2015, 5, 1), DAYS, 0)
    world = field_world(plan, weather, seed=1)
    return NodeRun(plan, world, node_file.parent, span, speed=SPEED, drain_s=_DRAIN_S)


def torment(folder: Path, kills_each: int, seed: int) -> None:
    dice = random.Random(seed)
    gateway = GatewayProcess(folder)
    gateway.start()
    node = busy_node(folder, gateway.mqtt_port)
    victims = ["node", "gateway", "broker"] * kills_each
    dice.shuffle(victims)
    try:
        node.start()
        _wait_for_records(node, gateway, 1)  # of the first boot
        for victim in victims:
            time.sleep(dice.uniform(0.05, 1.0))
            assert node.running()
            kill(victim, node, gateway, dice)
        _wait_for_records(node, gateway, 50 * kills_each + 1)
        node.kill()
        node.end_soon(3600)
        node.start()
        soon(lambda: not node.running(), "the node to empty its log", _DRAIN_S + 60)
        judge(node, gateway, kills_each)
    finally:
        node.kill()
        gateway.close()


def _wait_for_records(node: NodeRun, gateway: GatewayProcess, count: int) -> None:
    soon(lambda: len(stored_in_db(gateway.db, node.name)) >= count, f"{count} records")


def kill(victim: str, node: NodeRun, gateway: GatewayProcess, dice: random.Random) -> None:
    if victim == "node":
        node.kill()
        time.sleep(dice.uniform(0, 0.2))
        node.start()
    elif victim == "gateway":
        gateway.kill()
        time.sleep(dice.uniform(0, 0.2))
        gateway.start()
    else:
        gateway.kill_broker()


def judge(node: NodeRun, gateway: GatewayProcess, kills_each: int) -> None:
    assert node.drained
    log = read_log(node.store_dir)
    tally = compare(node.name, log, stored_in_db(gateway.db, node.name))
    print(f"\n{3 * kills_each} kills, {tally.created} records, {len(node.stats())} boots")
    assert (tally.lost, tally.duplicates, tally.dropped) == (0, 0, 0), tally.examples
    assert tally.created > 50 * kills_each
    boots = {boot for boot, _, _ in log.records}
    # One boot a start, and no number twice; a node killed while it starts may have taken none.
    assert kills_each / 2 < len(boots) <= node.kills + 1
    assert max(boots) - min(boots) <= node.kills


def test_three_kills_each(tmp_path: Path, mosquitto: Path) -> None:
    torment(tmp_path, 3, seed=11)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_fifty_kills_each(tmp_path: Path, mosquitto: Path) -> None:
    torment(tmp_path, 50, seed=12)
