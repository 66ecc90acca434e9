"""The nodes of the demo: planted, run together on one timeline, scored."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hedgerow import paths
from hedgerow.demo.beds import AREA_M2, Bed, node_text
from hedgerow.emulate.weather import Weather
from hedgerow.sim.audit import read_log
from hedgerow.sim.node_run import NodeRun
from hedgerow.sim.prepare import load_plan, with_uplink
from hedgerow.sim.score import Score
from hedgerow.sim.stored import stored_in_db
from hedgerow.sim.world import Span, field_world

SAMPLE_S = 1200
_DRAIN_S = 15.0  # real time; the log is empty within one or two


class Farm:
    """Owns the node processes; close() ends them."""

    def __init__(
        self,
        folder: Path,
        beds: Sequence[Bed],
        weather: Weather,
        span: Span,
        speed: float,
        mqtt_port: int,
    ) -> None:
        self._span, self._speed, self._weather = span, speed, weather
        self._wall_start_s = time.time() + 0.3  # the interpreters start meanwhile
        self.nodes = [self._plant(folder, bed, i, mqtt_port) for i, bed in enumerate(beds)]

    def _plant(self, folder: Path, bed: Bed, index: int, mqtt_port: int) -> NodeRun:
        """Write the node's file as a user would, compile it, point it at the demo's link."""
        node_file = folder / bed.name / "node.toml"
        node_file.parent.mkdir(parents=True, exist_ok=True)
        model = paths.share_dir("models") / "soil_dry" / "soil_dry.hgm"
        node_file.write_text(node_text(bed, model_file=model, sample_s=SAMPLE_S), "utf-8")
        plan, dry_pct = load_plan(node_file)
        world = field_world(
            plan, self._weather, seed=index, soil=bed.soil, area_m2=AREA_M2, dry_pct=dry_pct
        )
        return NodeRun(
            with_uplink(plan, "127.0.0.1", mqtt_port),
            world,
            node_file.parent,
            self._span,
            speed=self._speed,
            wall_start_s=self._wall_start_s,
            drain_s=_DRAIN_S,
        )

    def start(self) -> None:
        """Power on."""
        for node in self.nodes:
            node.start()

    def running(self) -> bool:
        """False once every node has ended. Raises DeviceError if one crashed."""
        alive = [node.running() for node in self.nodes]  # ask each: it restarts after a reset
        return any(alive)

    def virtual_date(self) -> str:
        """The day it is in the field."""
        now_s = self._span.start_s + max(node.progress() for node in self.nodes)
        return f"{datetime.fromtimestamp(now_s, UTC):%Y-%m-%d}"

    def score(self, db: Path) -> dict[str, Any]:
        """Compare the nodes' own logs with the database; call after running() is False."""
        score = Score()
        for node in self.nodes:
            score.add_node(node, read_log(node.store_dir), stored_in_db(db, node.name))
        return score.as_dict()

    def close(self) -> None:
        """End all processes; harmless if they have ended."""
        for node in self.nodes:
            node.kill()
