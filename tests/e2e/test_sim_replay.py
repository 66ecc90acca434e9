"""`hedgerow sim --replay`: the device's scores and decisions against a NumPy replay."""

import csv
import random
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from replay_oracle import DAY_S, decide, plan_of
from sim_runs import hedgerow, last_json, new_project

from hedge.wire import senml
from hedgerow.sim.stored import stored_in_db

pytestmark = pytest.mark.e2e

COLUMNS = ("E1_s1_vwc_pct", "E1_s1_soil_temp_c", "air_temp_c", "rel_hum_pct", "pressure_pa")
# The oracle knows no filters; those have their own tests.
NO_FILTER = {r"\[\[filter\]\].*?(?=\n# ---)": ""}
FIRST = date(2021, 5, 1)


def made_up_rows(days: int = 60) -> list[list]:
    """A dry spring with a little rain: soil without values for 4 days, no weather for 6, frost."""
    source = random.Random(4)
    vwc, rows = 18.0, []
    for i in range(days):
        vwc = max(vwc * 0.94, 6.0) + (5.0 if source.random() < 0.07 else 0.0)
        air = 14.0 + 8.0 * source.random()
        row = [vwc, air + 2.0, air, 50.0 + 30.0 * source.random(), 100_500 + 900 * source.random()]
        row = [round(value, 3) for value in row]
        if 20 <= i < 24:
            row[0] = ""
        if 30 <= i < 36:
            row[2:] = ["", "", ""]
        if 50 <= i < 53:
            row[1] = -1.0
        rows.append([FIRST + timedelta(i), *row])
    return rows


def write_recording(path: Path, rows: list[list]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["date", *COLUMNS], *rows])
    return path


def as_array(rows: list[list]) -> np.ndarray:
    return np.array([[np.nan if cell == "" else float(cell) for cell in row[1:]] for row in rows])


def records(folder: Path, device: str, stream: int) -> list[list[tuple]]:
    """Decoded records of one stream in order."""
    stored = stored_in_db(folder / "gateway.db", device)
    return [senml.decode(stored[key]) for key in sorted(stored) if key[1] == stream]


def check_against_oracle(folder: Path, name: str, rows: list[list]) -> None:
    first_day = (rows[0][0] - date(1970, 1, 1)).days
    oracle = decide(plan_of(folder), first_day, as_array(rows))
    scores = {
        pack[1][3] // DAY_S: round(pack[1][2] * 10000)
        for pack in records(folder, name, 1)
        if len(pack) > 1 and pack[1][0] == "model.dry_2d"
    }
    seen_days = {day: p for day, p in oracle.dry_2d.items() if day < first_day + len(rows)}
    assert scores.keys() == seen_days.keys()
    for day, p in seen_days.items():
        # One step of the int8 output: the chips' own rounding may move a feature by one count.
        assert scores[day] == pytest.approx(p, abs=10000 / 256 + 1), f"day {day}"
    starts = [
        (int(pack[0][3]), pack[1][2].split(":")[0])
        for pack in records(folder, name, 0)
        if pack[0][0] == "pump" and pack[0][2] is True
    ]
    assert starts == oracle.starts
    assert starts, "a test of decisions needs decisions"


def test_made_up_recording_with_gaps(tmp_path: Path) -> None:
    rows = made_up_rows()
    recording = write_recording(tmp_path / "made_up.csv", rows)
    node_file = new_project(tmp_path, "bed-1", changes=NO_FILTER)
    out = tmp_path / "out"
    result = last_json(
        hedgerow(
            "sim",
            node_file,
            *("--replay", recording, "--json", "--dir", out),
            *("--gateway", "private", "--broker", "python"),
        )
    )
    assert (result["lost"], result["duplicates"]) == (0, 0)
    assert result["records_stored"] == result["records_created"] > 200
    assert result["water_litres"] is None
    check_against_oracle(out, "bed-1", rows)
    told = [(p[0][0], p[0][2]) for p in records(out, "bed-1", 0) if p[0][0].startswith("health.")]
    assert told.count(("health.soil", False)) == told.count(("health.soil", True)) == 1
    assert told.count(("health.air", False)) == told.count(("health.air", True)) == 1


def test_real_recording(tmp_path: Path, need_shared) -> None:
    recording = need_shared("data/agriculture/soil_moisture_daily/soil_daily.csv")
    with recording.open(newline="") as file:
        table = [row for row in csv.DictReader(file) if "2020-05-20" <= row["date"] < "2020-08-20"]
    rows = [[date.fromisoformat(row["date"]), *(row[name] for name in COLUMNS)] for row in table]
    node_file = new_project(tmp_path, "bed-2", changes=NO_FILTER)
    out = tmp_path / "out"
    arguments = ["--replay", recording, "--start", "2020-05-20", "--days", len(rows)]
    arguments += ["--gateway", "private"]
    result = last_json(hedgerow("sim", node_file, *arguments, "--json", "--dir", out))
    assert (result["lost"], result["duplicates"], result["devices"]) == (0, 0, 1)
    check_against_oracle(out, "bed-2", rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--map", "soil.vwc=nope"], "no column 'nope' (for soil.vwc)"),
        (["--map", "soil.vvc=E1_s1_vwc_pct"], "no channel 'soil.vvc'"),
        (["--map", "soil.vwc"], "write CHANNEL=COLUMN"),
        (["--start", "2030-01-01"], "outside the recording"),
        (["--gateway", "http://127.0.0.1:9"], "is `hedgerow gateway` running there?"),
    ],
)
def test_bad_arguments_are_told_in_a_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    recording = write_recording(tmp_path / "r.csv", made_up_rows(3))
    node_file = new_project(tmp_path, "bed-3")
    codes = {"--start": 3, "--gateway": 7, "--map": 2 if "=" not in arguments[1] else 3}
    code = codes[arguments[0]]
    assert said in hedgerow("sim", node_file, "--replay", recording, *arguments, code=code)
