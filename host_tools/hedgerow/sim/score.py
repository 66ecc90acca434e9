"""The JSON line that `hedgerow sim` and `hedgerow demo` end with.

    score = Score()
    score.add_node(node, log, stored)
    score.as_dict()

A value that has no meaning in the run (water in a recording, which cannot answer) is null.
"""

from collections.abc import Mapping
from typing import Any

from hedgerow.sim.audit import Key, NodeLog, Tally, compare
from hedgerow.sim.node_run import NodeRun
from hedgerow.sim.timer import timer_totals

_SUMS = ("raw_bytes", "sent_bytes", "inferences", "actuations", "outages")
_WATER = ("water_litres", "water_litres_timer", "dry_days", "dry_days_timer")


class Score:
    """Sums over the nodes of a run."""

    def __init__(self) -> None:
        self.devices = 0
        self.tally = Tally()
        self._sums = dict.fromkeys(_SUMS, 0)
        self._water: dict[str, float] = {}
        self._decision_us: dict[int, int] = {}

    def add_node(self, node: NodeRun, log: NodeLog, stored: Mapping[Key, bytes]) -> None:
        """Count one node after its run."""
        self.devices += 1
        self.tally.add(compare(node.name, log, stored))
        boots = node.stats()
        for stats in boots:
            for key in _SUMS:
                self._sums[key] += stats["node"].get(key, 0)
            _merge(self._decision_us, stats["node"].get("decision_us_histogram", {}))
        if node.world["kind"] == "field" and boots:
            self._add_water(node, boots[-1]["world"])

    def _add_water(self, node: NodeRun, own: Mapping[str, float]) -> None:
        timer = timer_totals(node.world, node.span)
        values = (own["litres"], timer["litres"], own["dry_days"], timer["dry_days"])
        for key, value in zip(_WATER, values, strict=True):
            self._water[key] = self._water.get(key, 0) + value

    def as_dict(self) -> dict[str, Any]:
        """The keys of the JSON line, in order."""
        tally = self.tally
        return {
            "devices": self.devices,
            "records_created": tally.created,
            "records_stored": tally.stored,
            "lost": tally.lost,
            "duplicates": tally.duplicates,
            **self._sums,
            **{key: _rounded(self._water.get(key)) for key in _WATER},
            "decision_ms_p50": _percentile_ms(self._decision_us, 0.50),
            "decision_ms_p99": _percentile_ms(self._decision_us, 0.99),
            "dropped": tally.dropped,
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _merge(into: dict[int, int], histogram: Mapping[str, int]) -> None:
    for us, count in histogram.items():
        into[int(us)] = into.get(int(us), 0) + count


def _percentile_ms(histogram: Mapping[int, int], share: float) -> float | None:
    """Upper edge of the bin that holds this share of the decisions."""
    left = share * sum(histogram.values())
    for us in sorted(histogram):
        left -= histogram[us]
        if left <= 0:
            return us / 1000
    return None
