"""Judges a database by what the nodes noted beside their stores, not by the stores themselves.

tally = judge(folder_of_ledger, rows_of(db, "bed-3"), "bed-3")
tally.lost, tally.duplicates
"""

import sqlite3
import struct
from collections.abc import Mapping
from pathlib import Path

from hedge.wire import senml
from hedgerow.sim.audit import Key, NodeLog, Tally, compare
from hedgerow.sim.stored import stored_in_db

_ENTRY = struct.Struct("<IBI")  # as upy/chaos_node.py writes it
ENTRY_BYTES = _ENTRY.size
_LIFE = 1 << 24
_NAME_S = 1790000000


def payload(life: int, place: int) -> bytes:
    return senml.encode(_NAME_S, [("n", None, life * _LIFE + place)])


def read_ledger(folder: Path) -> tuple[dict[Key, bytes], set[bytes]]:
    """Records whose append returned; payloads that a killed life may have appended besides.

    The second: at most one a life, appended and not yet noted when the process was killed.
    """
    noted: dict[Key, bytes] = {}
    open_ends = set()
    for path in folder.glob("life-*"):
        life, data = int(path.name[5:]), path.read_bytes()
        whole = len(data) // _ENTRY.size
        for place, key in enumerate(_ENTRY.iter_unpack(data[: whole * _ENTRY.size])):
            assert key not in noted, f"{key} was given out twice: {path}"
            noted[key] = payload(life, place)
        open_ends.add(payload(life, whole))
    return noted, open_ends


def judge(ledger: Path, db: Path, device: str) -> Tally:
    """Lost: noted, and not stored. Duplicates: stored twice, altered, or never made."""
    noted, open_ends = read_ledger(ledger)
    stored = stored_in_db(db, device)
    known = dict(noted)
    for key, data in stored.items():
        if key not in known and data in open_ends:
            known[key] = data
            open_ends.discard(data)  # a second copy of it is a duplicate
    return compare(device, NodeLog(known, 0, 0), stored)


def counted(db: Path) -> Mapping[str, int]:
    """What the gateway noticed: frames' records it had already, gaps, conflicts."""
    queries = {
        "repeats": "SELECT coalesce(sum(duplicates), 0) FROM device",
        "gaps": "SELECT count(*) FROM gap",
        "conflicts": "SELECT count(*) FROM conflict",
    }
    with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as reader:
        return {name: reader.execute(sql).fetchone()[0] for name, sql in queries.items()}
