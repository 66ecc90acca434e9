"""Lost and duplicated records: what each node's own log says it created against what is stored.

tally = compare(created, stored, dropped)
tally.lost, tally.duplicates
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Key = tuple[int, int, int]  # boot, stream, seq


@dataclass(frozen=True)
class NodeLog:
    """A node's log as it lies on its disk: every record, and what it gave up knowingly."""

    records: Mapping[Key, bytes]
    dropped: int
    corrupt: int


@dataclass
class Tally:
    """Sums over nodes; lost and duplicates must be 0. `examples` names the first few."""

    created: int = 0
    stored: int = 0
    dropped: int = 0
    lost: int = 0
    duplicates: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Sum up another node's."""
        for name in ("created", "stored", "dropped", "lost", "duplicates"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.examples += other.examples


def read_log(store_dir: Path) -> NodeLog:
    """Read a node's log, acknowledged segments included (needs keep_acked)."""
    from hedge.store import audit

    log = audit(str(store_dir))
    records: dict[Key, bytes] = {}
    for boot, stream, seq, payload in log:
        records[boot, stream, seq] = bytes(payload)
    return NodeLog(records, sum(log.dropped.values()), log.corrupt)


def compare(device: str, log: NodeLog, stored: Mapping[Key, bytes]) -> Tally:
    """Created in the log and not stored: lost, but for what the node dropped and counted.

    Stored but unknown to the log (beyond what it dropped), or other than in the log: duplicate.
    So is a payload stored under more keys than the log has it.
    """
    missing = [key for key in log.records if key not in stored]
    foreign = [key for key in stored if key not in log.records]
    altered = [key for key in log.records if stored.get(key, log.records[key]) != log.records[key]]
    repeated = (Counter(stored.values()) - Counter(log.records.values())).total()
    dropped = log.dropped + log.corrupt
    examples = [f"{device} lost {key}" for key in missing[:3]]
    examples += [f"{device} altered or foreign {key}" for key in (altered + foreign)[:3]]
    # A dropped record is no longer in the log either; the ones that are missing were not dropped.
    return Tally(
        created=len(log.records) + dropped,
        stored=len(stored),
        dropped=dropped,
        lost=len(missing),
        duplicates=len(altered) + max(len(foreign) - dropped, repeated - len(foreign), 0),
        examples=examples,
    )
