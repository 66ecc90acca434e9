"""Bad lines and kill -9 of everything at once, over six kinds of link: see chaos.py."""

from pathlib import Path

import pytest
from chaos import Storm, run
from farm import ROOMS
from ledger import judge, payload

pytestmark = pytest.mark.e2e
pytest.importorskip("aiocoap", reason="the Python package aiocoap is not installed")


def _nothing_lost_or_doubled(report: dict, records: int, kills: int) -> None:
    print(f"\n{report}")
    kept = (report["lost"], report["duplicated"], report["given_up"])
    assert kept == (0, 0, 0), report["examples"]
    assert report["records"] >= records
    assert report["kills"] == kills
    assert report["seen_by_gateway"]["conflicts"] == 0
    for name in ROOMS:
        killed = report["killed"].get(name, 0)
        assert report["nodes"][name]["lives"] <= killed + 1  # one may end while it starts
    assert report["datagrams"]["dropped"] > 0
    assert report["radio"]["lost"] > 0
    assert report["radio"]["heard_twice"] > 0


def test_a_round_of_kills(tmp_path: Path, micropython: Path, mosquitto: Path) -> None:
    storm = Storm(1500, 12, seed=1, longest_s=0.3)
    report = run(tmp_path, (micropython, mosquitto), storm)
    _nothing_lost_or_doubled(report, 1500, 12)


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
def test_a_million_records_and_a_thousand_kills(tmp_path, micropython, mosquitto) -> None:
    report = run(tmp_path, (micropython, mosquitto), Storm(1_000_000, 1000, seed=2))
    _nothing_lost_or_doubled(report, 1_000_000, 1000)


def test_the_judge_sees_what_is_lost_and_doubled(tmp_path: Path) -> None:
    """Ten records noted in a life that was killed; the database lacks one, and has one twice."""
    import contextlib
    import struct

    from hedgerow.gateway.database import open_database

    noted = b"".join(struct.pack("<IBI", 1, 1, seq) for seq in range(1, 11))
    (tmp_path / "life-0").write_bytes(noted)
    rows = [(seq, payload(0, seq - 1)) for seq in range(1, 12) if seq != 4]  # 11: not noted
    rows.append((12, payload(0, 2)))
    with contextlib.closing(open_database(tmp_path / "farm.db")) as db, db:
        sql = (
            "INSERT INTO record (device, boot, stream, seq, payload, received_s, time_s, backlog) "
            "VALUES ('n', 1, 1, ?, ?, 0, 0, 0)"
        )
        db.executemany(sql, rows)
    tally = judge(tmp_path, tmp_path / "farm.db", "n")
    assert (tally.created, tally.lost, tally.duplicates) == (11, 1, 1)
