"""Run one node file on this computer: `hedgerow sim`, and the function for scripts.

result = asyncio.run(simulate(SimOptions(Path("node.toml"), days=30), say=print))
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from hedge.store.files_start import claim_boot
from hedge.store.kv import write_map
from hedgerow.config.uplink_kinds import links_of
from hedgerow.emulate.weather import load_weather
from hedgerow.sim.audit import read_log
from hedgerow.sim.far_end import FarEnd, PrivateGateway, far_end
from hedgerow.sim.folder import work_folder
from hedgerow.sim.node_run import NodeRun
from hedgerow.sim.prepare import load_plan
from hedgerow.sim.score import Score
from hedgerow.sim.world import (
    Span,
    field_span,
    field_world,
    replay_span,
    replay_world,
    weather_days,
)

Say = Callable[[str], None]
Progress = Callable[[float, float], None]

_DEFAULT_START = date(2015, 5, 1)  # the driest summer of the weather series
_DEFAULT_DAYS = 30.0
_DRAIN_S = 30.0
_NUMBERS_FROM_S = 1_767_225_600  # 2026-01-01
_NUMBERS_A_SECOND = 64  # a run takes longer than it sends frames
_POLL_S = 0.02  # a node that sleeps deeply starts again after each


@dataclass(frozen=True)
class SimOptions:
    """replay None: the simulated field. gateway: a URL, "private", or None: the
    one at the usual address if it answers, else a private one.

    columns: changes to [replay.columns], channel -> column. speed: virtual seconds per second, 0
    is as fast as possible. folder None: a temporary one, removed at the end.
    """

    node_file: Path
    replay: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    weather: str = "seattle"
    days: float | None = None
    start: date | None = None
    speed: float = 0.0
    gateway: str | None = None
    folder: Path | None = None
    seed: int = 0
    broker: str = "auto"


def _silent(_days: float, _of_days: float) -> None:
    pass


async def simulate(options: SimOptions, say: Say, progress: Progress = _silent) -> dict[str, Any]:
    """Run the node to the end of its time and return the score (sim/score.py).

    progress(virtual days, of days) is called while it runs. The gateway is one that runs, or a
    private one for the time of the run. Raises ToolError; cancelling it ends the node.
    """
    plan, dry_pct = load_plan(options.node_file)
    world, span, source = _world(options, plan, dry_pct)
    say(f"{plan['node']['name']}: {span.days:.0f} days of {source}")
    with work_folder(options.folder, "hedgerow-sim-") as folder:
        key_hex = (plan.get("uplink") or {}).get("key")
        async with far_end(options.gateway, folder, source, options.broker, key_hex) as far:
            private = isinstance(far, PrivateGateway)
            say(f"{'a private gateway for this run' if private else 'gateway'}: {far.url}")
            plan = far.attach(plan)
            node = NodeRun(
                plan, world, folder / "node", span, speed=options.speed, drain_s=_DRAIN_S
            )
            return await _judge(node, far, say, progress)


async def _judge(node: NodeRun, far: FarEnd, say: Say, progress: Progress) -> dict[str, Any]:
    """Run the node, then compare its log with what the gateway holds of this run."""
    first_boot = far.last_boot(node.name) + 1
    _begin_boots_at(node.store_dir, first_boot)
    if any(link.get("oscore_secret") for link in links_of(node.plan.get("uplink"))):
        _begin_numbers_anew(node.store_dir, node.name)
    await _live(node, progress)
    if not node.drained:
        say(f"not everything was acknowledged within {_DRAIN_S:.0f} s")
        for text in [*node.link_troubles(), *far.refusals()]:
            say(f"  {text}")
    stored = {key: data for key, data in far.stored(node.name).items() if key[0] >= first_boot}
    score = Score()
    score.add_node(node, read_log(node.store_dir), stored)
    return score.as_dict()


async def _live(node: NodeRun, progress: Progress) -> None:
    try:
        node.start()
        while node.running():
            progress(node.progress() / 86400, node.span.days)
            await asyncio.sleep(_POLL_S)
        progress(node.span.days, node.span.days)
    finally:
        node.kill()


def _begin_boots_at(store_dir: Path, boot: int) -> None:
    """A fresh log would count boots from 1 and repeat the keys of an earlier run."""
    if boot > 1:
        store_dir.mkdir(parents=True, exist_ok=True)
        claim_boot(str(store_dir), boot - 1)


def _begin_numbers_anew(store_dir: Path, device: str) -> None:
    """OSCORE numbers that no earlier run has used: a fresh folder knows of none."""
    store_dir.mkdir(parents=True, exist_ok=True)
    first = (int(time.time()) - _NUMBERS_FROM_S) * _NUMBERS_A_SECOND
    write_map(str(store_dir / "oscore.kv"), {device: first}, False)


def _world(
    options: SimOptions, plan: dict[str, Any], dry_pct: float | None
) -> tuple[dict[str, Any], Span, str]:
    """(world, span, where it comes from in words)."""
    offset_s = plan["node"]["offset_s"]
    if options.replay is not None:
        world = replay_world(plan, options.replay, dict(options.columns))
        span = replay_span(world, options.start, options.days, offset_s)
        return world, span, f"the recording {options.replay.name}"
    days = _DEFAULT_DAYS if options.days is None else options.days
    start = options.start or _DEFAULT_START
    weather = load_weather(options.weather, start, weather_days(days), options.seed)
    world = field_world(plan, weather, seed=options.seed, dry_pct=dry_pct)
    source = f"a simulated field; weather: {weather.source}"
    return world, field_span(start, days, offset_s), source
