"""What goes wrong during a node's life: the node goes on, and its records say what was lost."""

import asyncio
import time
from datetime import date
from pathlib import Path

import pytest
from sim_runs import new_project

from hedge.wire import senml
from hedgerow.emulate.weather import load_weather
from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.sim.audit import compare, read_log
from hedgerow.sim.node_run import NodeRun
from hedgerow.sim.prepare import load_plan, with_uplink
from hedgerow.sim.stored import stored_in_db
from hedgerow.sim.world import DAY_S, field_span, field_world

pytestmark = pytest.mark.e2e

START = date(2015, 7, 1)  # hot and dry: without water it is dry within days
# A soil that the template's limits fit: dry below 9.95 %.
SOIL = {"field_capacity": 0.15, "wilting_point": 0.05, "saturation": 0.4}


def make_node(
    folder: Path, days: float, *, plan_changes=None, changes=None, **settings
) -> NodeRun:
    """A soil node without uplink unless plan_changes gives it one."""
    plan, dry_pct = load_plan(new_project(folder, "bed-1", 3600, changes))
    plan["uplink"] = None
    plan.update(plan_changes(plan) if plan_changes else {})
    weather = load_weather("seattle", START, int(days) + 4)
    world = field_world(plan, weather, seed=1, soil=SOIL, dry_pct=dry_pct)
    return NodeRun(plan, world, folder / "node", field_span(START, days, 0), **settings)


def finish(node: NodeRun, limit_s: float = 200.0) -> None:
    end = time.monotonic() + limit_s
    try:
        while node.running():
            assert time.monotonic() < end, "the node did not end"
            time.sleep(0.02)
    finally:
        node.kill()


def events(node: NodeRun) -> list[tuple[float, str, object, str]]:
    """(virtual days since start, name, value, text) of the events in the node's own log."""
    found = []
    for key, payload in sorted(read_log(node.store_dir).records.items()):
        if key[1] == 0:
            pack = senml.decode(payload)
            text = pack[1][2] if len(pack) > 1 and isinstance(pack[1][2], str) else ""
            days = (pack[0][3] - node.span.start_s) / DAY_S
            found.append((days, pack[0][0], pack[0][2], text))
    return found


def faults_of(sensor: str, fault: str, from_day: float, to_day: float) -> list[dict]:
    start_s = field_span(START, 1, 0).start_s
    span = {"from_s": start_s + int(from_day * DAY_S), "to_s": start_s + int(to_day * DAY_S)}
    return [{"sensor": sensor, "fault": fault, **span}]


@pytest.mark.parametrize(
    ("sensor", "fault", "reason"),
    [
        ("soil", "absent", "cut"),
        ("soil", "stuck", "stuck"),
        ("ground", "crc", "crc"),
        ("ground", "absent", "19"),
        ("ground", "short", "short"),
        ("air", "bus", ""),
    ],
)
def test_a_failed_sensor_is_told_never_waters_and_comes_back(
    tmp_path: Path, sensor: str, fault: str, reason: str
) -> None:
    # Soil that neither dries nor drains at night reads the same for hours: more than a night.
    changes = {"stuck_after = 0": "stuck_after = 30"} if fault == "stuck" else None
    faults = faults_of(sensor, fault, 6, 10)
    node = make_node(tmp_path, 16, changes=changes, faults=faults)
    node.start()
    finish(node)
    seen = events(node)
    told = [(when, value, text) for when, name, value, text in seen if name == f"health.{sensor}"]
    assert [value for _, value, _ in told] == [False, True]
    assert 6 <= told[0][0] < (7.5 if fault == "stuck" else 6.2)
    assert reason in told[0][2]
    assert 10 <= told[1][0] < 10.1
    starts = [when for when, name, value, _ in seen if name == "pump" and value is True]
    assert any(when < 6 for when in starts)
    assert any(when > 10 for when in starts)
    if sensor != "air":  # without weather the plain rule may water
        assert not any(told[0][0] < when < 10 for when in starts)
    stats = node.stats()[-1]["node"]
    assert stats["tick_errors"] == 0
    assert stats["decisions"] == 16 * 24 + 1 or stats["decisions"] == 16 * 24


def test_a_node_whose_start_takes_long_misses_nothing(tmp_path: Path) -> None:
    node = make_node(tmp_path, 2, speed=2 * DAY_S, wall_start_s=time.time() - 60)
    node.start()
    finish(node)
    assert node.stats()[-1]["node"]["decisions"] in (2 * 24, 2 * 24 + 1)


def test_garbage_at_the_end_of_the_log_costs_nothing_else(tmp_path: Path) -> None:
    node = make_node(tmp_path, 200, speed=4 * DAY_S)
    node.start()
    while node.progress() < 3 * DAY_S:
        assert node.running()
        time.sleep(0.02)
    node.kill()
    before = read_log(node.store_dir).records
    segments = [path for path in node.store_dir.iterdir() if path.stat().st_size > 200]
    assert segments
    with max(segments, key=lambda path: path.stat().st_mtime).open("ab") as file:
        file.write(b"\x07\x00garbage after a power cut")
    node.end_soon(3600)
    node.start()
    finish(node)
    after = read_log(node.store_dir)
    assert before.items() <= after.records.items()
    assert {boot for boot, _, _ in after.records} == {boot for boot, _, _ in before} | {
        max(boot for boot, _, _ in before) + 1
    }


def test_a_wrong_password_keeps_the_node_working_and_its_records(
    tmp_path: Path, mosquitto: Path
) -> None:
    asyncio.run(_wrong_then_right_password(tmp_path))


async def _wrong_then_right_password(folder: Path) -> None:
    config = GatewayConfig(
        db=folder / "g.db",
        http_port=0,
        mqtt_port=0,
        broker="mosquitto",
        user="farm",
        password="right",
        give_time=False,
    )
    async with Gateway(config) as gateway:

        def uplink(plan: dict) -> dict:
            found = with_uplink(plan, gateway.mqtt_host, gateway.mqtt_port)["uplink"]
            return {"uplink": dict(found, user="farm", password="wrong")}

        node = make_node(folder, 8, plan_changes=uplink, drain_s=1.5)
        node.start()
        await asyncio.to_thread(finish, node)
        assert not node.drained
        stats = node.stats()[-1]
        assert stats["pending"] == stats["node"]["records_created"] > 20
        assert stats["node"]["actuations"] > 0
        assert "refused" in (folder / "node" / "node.log").read_text()

        node.plan["uplink"]["password"] = "right"
        node._settings["drain_s"] = 120.0
        node.end_soon(60)
        node.start()
        await asyncio.to_thread(finish, node)
        assert node.drained
        stored = stored_in_db(config.db_path, node.name)
        tally = compare(node.name, read_log(node.store_dir), stored)
        assert (tally.lost, tally.duplicates) == (0, 0)
