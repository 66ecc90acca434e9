"""The demo: everything on this computer, from simulated soil to the page.

    result = asyncio.run(run_demo(DemoOptions(seconds=30), say=print))

Gateway and broker run here; each node is a process of its own. All of them end with this process.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hedgerow.demo.beds import BEDS, UTC_OFFSET_MIN
from hedgerow.demo.farm import Farm
from hedgerow.demo.script import Script, faults
from hedgerow.emulate.weather import load_weather
from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.sim.folder import work_folder
from hedgerow.sim.linkproxy import LinkProxy
from hedgerow.sim.world import Span, field_span, weather_days

Say = Callable[[str], None]

SEASON_START = date(2015, 5, 1)  # the driest summer of the series
SEASON_DAYS = 90
_START_UP_S = 2.0  # of a timed demo's seconds: before the first sample
_DRAIN_S = 2.5  # ... and after the last one
_DAYS_PER_S = 3.6  # most virtual days per second that two cores carry with three nodes
_SHORTEST_DAYS = 14
_ENDLESS_DAYS = 10 * 365
_ENDLESS_DAYS_PER_S = 1.0
_ENDLESS_PERIOD_S = 60.0  # of the fault script
_WEATHER_DAYS = 1461  # then it starts over
_POLL_S = 0.05


@dataclass(frozen=True)
class DemoOptions:
    """`seconds` None runs until cancelled; `folder` None is a temporary one."""

    seconds: float | None = None
    port: int = 8080
    nodes: int = 3
    folder: Path | None = None
    outage: bool = True
    broker: str = "auto"
    seed: int = 1


async def run_demo(options: DemoOptions, say: Say) -> dict[str, Any]:
    """Run it and return the score (keys: sim/score.py). Raises ToolError.

    Cancelling it ends every process it started.
    """
    span, speed = timeline(options.seconds)
    days = min(weather_days(span.days), _WEATHER_DAYS)
    weather = load_weather("seattle", SEASON_START, days, options.seed)
    port = options.port if _is_free(options.port) else 0
    with work_folder(options.folder, "hedgerow-demo-") as folder:
        config = GatewayConfig(
            db=folder / "gateway.db",
            http_port=port,
            mqtt_port=0,
            broker=options.broker,
            note=f"simulated field, {speed:,.0f} times faster; weather: {weather.source}",
            give_time=False,
        )
        async with Gateway(config) as gateway:
            say(f"Hedgerow demo: {gateway.http_url}")
            if port != options.port:
                say(f"port {options.port} is taken, so the page is at another one")
            until = f"{span.days:.0f} days" if options.seconds else "no end (Ctrl-C)"
            say(f"{options.nodes} nodes, broker {gateway.broker_kind}, {SEASON_START} on, {until}")
            say(f"weather: {weather.source}")
            async with LinkProxy(gateway.mqtt_host, gateway.mqtt_port) as link:
                farm = Farm(folder, BEDS[: options.nodes], weather, span, speed, link.port)
                with contextlib.closing(farm):
                    await _live(farm, link, options, say)
                return farm.score(config.db_path)


async def _live(farm: Farm, link: LinkProxy, options: DemoOptions, say: Say) -> None:
    """Start the nodes, follow the script of faults, return when all nodes have ended."""
    farm.start()
    begin_s = time.monotonic()
    period_s = (options.seconds or _ENDLESS_PERIOD_S) - _START_UP_S - _DRAIN_S
    steps = faults(link, farm.nodes[len(farm.nodes) // 2]) if options.outage else []
    script = Script(period_s, steps, repeat=options.seconds is None)
    while farm.running():
        for done in script.step(time.monotonic() - begin_s):
            say(f"{farm.virtual_date()}  {done}")
        await asyncio.sleep(_POLL_S)


def timeline(seconds: float | None) -> tuple[Span, float]:
    """Virtual span of the run, and virtual seconds per second."""
    offset_s = UTC_OFFSET_MIN * 60
    if seconds is None:
        return field_span(SEASON_START, _ENDLESS_DAYS, offset_s), _ENDLESS_DAYS_PER_S * 86400
    live_s = max(seconds - _START_UP_S - _DRAIN_S, 4.0)
    days = max(min(SEASON_DAYS, int(live_s * _DAYS_PER_S)), _SHORTEST_DAYS)
    return field_span(SEASON_START, days, offset_s), days * 86400 / live_s


def _is_free(port: int) -> bool:
    """False if something listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
