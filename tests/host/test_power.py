"""[power] of a node file: what is refused, what is predicted, and what is said to be unknown."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hedgerow.boards import board_names, load_board
from hedgerow.cli.check import command
from hedgerow.config import check_file, compile_file
from hedgerow.drivers import drivers
from hedgerow.power import predict, table

GOOD = Path(__file__).parent / "configs" / "good.toml"
MODELS = Path(__file__).parent.parent.parent / "models"


def _node(tmp_path, power, board="RPI_PICO_W", **changes):
    """good.toml with another [power] and board; changes: regular expression -> text."""
    text = GOOD.read_text(encoding="utf-8").replace("../../../models", str(MODELS))
    text = text[: text.index("[power]")].replace("RPI_PICO_W", board) + power
    if board == "ESP32_GENERIC":
        pins = {"GP26": "IO34", "GP16": "IO4", "GP28": "IO35", "GP15": "IO13"}
        changes = {**pins, **changes}
    for old, new in changes.items():
        text, count = re.subn(old, new, text)
        assert count, old
    path = tmp_path / "node.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("power", "board", "told"),
    [
        ('[power]\nsleep = "deep"', "RPI_PICO_W", 'cannot sleep deeply.*expected "light"'),
        ('[power]\nsleep = "dep"', "ESP32_GENERIC", "did you mean deep"),
        ("[power]\nuplink_every_s = 5", "ESP32_GENERIC", "60"),
        ("[power]\nawake_max_s = 1000\n", "ESP32_GENERIC", "longer than sample_s = 900"),
        ("[power]\nself_discharge_pct = 3", "ESP32_GENERIC", "needs battery_mah"),
        ("[power]\nbattery_mah = -1", "ESP32_GENERIC", "battery_mah"),
        ("[power]\nbatery_mah = 1", "ESP32_GENERIC", "did you mean battery_mah"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, power, board, told):
    faults = [str(fault) for fault in check_file(_node(tmp_path, power, board))]
    assert any(re.search(told, fault) for fault in faults), faults


def test_a_sensor_that_counts_pulses_is_warned_of(tmp_path):
    rain = '[[sensor]]\nname = "rain"\ndriver = "rain_gauge"\npin = "GP14"\n\n[power]\n'
    faults = check_file(_node(tmp_path, rain + 'sleep = "light"'))
    assert [f.warning for f in faults if "counts nothing while the node sleeps" in str(f)] == [
        True
    ]


def test_without_power_there_is_no_prediction(tmp_path):
    plan = compile_file(_node(tmp_path, ""))
    assert plan["power"] is None
    assert predict(plan) is None


def test_a_day_by_hand(tmp_path):
    """ESP32: 96 wake-ups; reading takes 751 (DS18B20) + 13 ms (BME280, first) of 44 mA."""
    power = '[power]\nsleep = "deep"\nwake_ms = 500\nlink_s = 4\nuplink_when = "schedule"\n'
    power += (
        "uplink_every_s = 21600\nbattery_mah = 3000\nself_discharge_pct = 3.044\nextra_ua = 50\n"
    )
    plan = compile_file(_node(tmp_path, power, "ESP32_GENERIC"))
    prediction = predict(plan)
    rows = {row.phase: row for row in prediction.rows}
    assert rows["sense"].seconds == pytest.approx(96 * 0.764)
    assert rows["sense"].ua == pytest.approx(44000 + 50 + (750 * 999.25 + 10 * 713.9) / 760, abs=1)
    assert rows["idle"].seconds == pytest.approx(96 * 0.5 + 1800)  # the pump keeps it awake
    assert rows["link"].mah == pytest.approx(4 * 4 * 100.05 / 3600, rel=1e-3)
    assert rows["sleep"].ua == 60
    seconds = sum(
        r.seconds
        for r in prediction.rows
        if r.phase in ("sense", "store", "link", "idle", "sleep")
    )
    assert seconds == pytest.approx(86400)
    assert rows["standby"].ua == pytest.approx(5000 + 0.1 + 0.75 + 3700000 / 200000, rel=0.01)
    assert prediction.self_discharge_mah == pytest.approx(3.0, rel=1e-3)
    days = 3000 / (prediction.total_mah + prediction.self_discharge_mah)
    assert prediction.days == pytest.approx(days)
    assert prediction.largest.phase == "standby"
    assert prediction.largest.of == "soil"


def test_what_is_unknown_is_named_and_not_counted(tmp_path):
    power = '[power]\nsleep = "light"\nbattery_mah = 1000'
    plan = compile_file(_node(tmp_path, power, "RPI_PICO2_W"))
    prediction = predict(plan)
    said = table(prediction)
    for text in (
        "current at work of RPI_PICO2_W (active_ma)",
        "light sleep current of RPI_PICO2_W (sleep_ua)",
        "current of pump (current_ma)",
        "time of a link session (link_s)",
        "at most",
        "at least",
    ):
        assert text in said, said
    assert {row.phase for row in prediction.rows if row.mah is None} == {
        "sense", "store", "link", "idle", "sleep", "pump",
    }  # fmt: skip


def test_measured_values_of_the_node_file_count(tmp_path):
    power = (
        '[power]\nsleep = "light"\nactive_ma = 25\nlink_s = 5\nradio_ma = 70\nsleep_ua = 1800\n'
    )
    changes = {r"max_on_s = 1800": "max_on_s = 1800\ncurrent_ma = 70"}
    rows = {r.phase: r for r in predict(compile_file(_node(tmp_path, power, **changes))).rows}
    assert [rows[phase].ua for phase in ("store", "link", "sleep")] == [25000, 70000, 1800]
    assert rows["pump"].mah == pytest.approx(rows["pump"].seconds * 70 / 3600)
    assert rows["pump"].most


def test_check_prints_it_and_json_has_it(tmp_path):
    path = _node(tmp_path, '[power]\nsleep = "deep"\nbattery_mah = 2600\n', "ESP32_GENERIC")
    text = CliRunner().invoke(command, [str(path)]).output
    assert "largest of what is known: standby" in text
    assert re.search(r"battery of 2600 mAh .*: at most \d+ days", text)
    found = json.loads(CliRunner().invoke(command, [str(path), "--json"]).output)["power"]
    assert found["largest"] == "standby"
    assert found["days"] > 1
    assert {"phase", "s", "ua", "mah", "at_most", "of"} == set(found["phases"][0])


def test_a_chip_draws_more_at_work_than_at_rest():
    known = [entry for entry in drivers().values() if "active_ua" in entry]
    assert len(known) >= 10
    for entry in known:
        assert entry["active_ua"] >= entry["standby_ua"] > 0, entry["chip"]


def test_every_current_has_a_source_and_sleeping_takes_less():
    found = [load_board(name).currents for name in board_names()]
    assert sum(currents is not None for currents in found) >= 12
    for currents in filter(None, found):
        assert len(currents.source) > 20
        falling = (
            currents.radio_ua,
            currents.active_ua,
            currents.light_sleep_ua,
            currents.deep_sleep_ua,
        )
        known = [ua for ua in falling if ua is not None]
        assert known == sorted(known, reverse=True)
