"""Recordings for --replay: what a good file gives, and what is said of a bad one."""

from pathlib import Path

import pytest

from hedgerow.emulate.replay import Recording
from hedgerow.errors import ConfigError
from hedgerow.sim.recording import load_recording

DAY_S = 86400
FIRST_S = 1530403200  # 2018-07-01 00:00 UTC
GOOD = "date,vwc,temp\n2018-07-01,15.5,20\n2018-07-02,,21\n2018-07-03,14.5,\n2018-07-05,14,22\n"


def load(folder: Path, text: str, **columns: str) -> dict:
    path = folder / "recording.csv"
    path.write_text(text)
    wanted = columns or {"soil.vwc": "vwc", "ground.temp": "temp"}
    return load_recording(path, time_column="date", columns=wanted, utc_offset_s=0)


def test_rows_become_times_and_values(tmp_path: Path) -> None:
    data = load(tmp_path, GOOD)
    assert data["times"] == [FIRST_S + day * DAY_S for day in (0, 1, 2, 4)]
    assert data["hold_s"] == DAY_S
    assert data["columns"]["soil.vwc"] == [15.5, None, 14.5, 14.0]


def test_a_value_holds_for_its_day_and_a_missing_row_is_a_gap(tmp_path: Path) -> None:
    world = Recording(load(tmp_path, GOOD))
    seen = []
    for hours in (-1, 0, 23.9, 24, 49, 73, 97):
        world.advance(FIRST_S + hours * 3600)
        seen.append(world.value("soil.vwc"))
    assert seen == [None, 15.5, 15.5, None, 14.5, None, 14.0]


def test_local_time_and_explicit_offset(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("date,vwc\n2018/07/01,1\n2018-07-01T12:00+00:00,2\n1530489600,3\n")
    data = load_recording(
        path, time_column="date", columns={"soil.vwc": "vwc"}, utc_offset_s=-5 * 3600
    )
    assert [t - FIRST_S for t in data["times"]] == [5 * 3600, 12 * 3600, 24 * 3600]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"\.csv:1: the recording is empty"),
        ("date,vwc,temp\n", r"\.csv:2: the recording has no rows"),
        ("day,vwc,temp\n", r"\.csv:1: no column 'date' \(for time\); it has: day"),
        ("date,vwcs,temp\n", r"\.csv:1: no column 'vwc' \(for soil.vwc\); did you mean 'vwcs'"),
        ("date,vwc,temp\n2018-07-01,x,1\n", r"\.csv:2: column 'vwc': 'x' is not a number"),
        ("date,vwc,temp\n2018-07-01,inf,1\n", r"\.csv:2: column 'vwc': 'inf' is not a number"),
        ("date,vwc,temp\n01.07.2018,1,1\n", r"\.csv:2: '01.07.2018' is not a time"),
        (
            "date,vwc,temp\n2018-07-02,1,1\n2018-07-01,1,1\n",
            r"\.csv:3: time '2018-07-01' is not later",
        ),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(tmp_path, text)


def test_a_missing_or_binary_file_is_an_error_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the recording"):
        load_recording(tmp_path / "no.csv", time_column="date", columns={}, utc_offset_s=0)
    binary = tmp_path / "b.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="cannot read the recording"):
        load_recording(binary, time_column="date", columns={}, utc_offset_s=0)
