"""The plan: what PLAN.md promises, and what the board makes of it."""

import json
import re
from pathlib import Path

from hedgerow.config import compile_file, schema
from hedgerow.config.summary import duration, kept_bytes_a_day, summary
from hedgerow.drivers import drivers

CONFIG = Path(__file__).parents[2] / "host_tools" / "hedgerow" / "config"
MODELS = Path(__file__).parents[2] / "models"
GOOD = Path(__file__).parent / "configs" / "good.toml"


def _example():
    text = (CONFIG / "PLAN.md").read_text(encoding="utf-8")
    return json.loads(re.search(r"```json\n(.*?)```", text, re.S)[1])


def _shape(value):
    """Keys of all dicts, the first of each list."""
    if isinstance(value, dict):
        return {
            key: _shape(inner) for key, inner in value.items() if key not in ("args", "columns")
        }
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_shape(value[0])]
    return None


def test_the_plan_has_the_keys_of_its_documentation():
    plan, example = compile_file(GOOD), _example()
    for part in (plan, example):
        part["board"]["buses"] = {}
        part["uplink"] = {key: None for key in part["uplink"] if key in ("kind", "host", "port")}
    assert _shape(plan) == _shape(example)


def test_it_is_json_of_whole_numbers():
    plan = compile_file(GOOD)
    assert json.loads(json.dumps(plan)) == plan
    for key in ("sensors", "filters", "model", "actuators", "rules", "records"):
        assert "." not in re.sub(r'"[^"]*"', "", json.dumps(plan[key])), key


def test_values_in_channel_scale():
    plan = compile_file(GOOD)
    rule = plan["rules"][0]
    window = ["window", 240, 480, 127]
    dry, soil, ground, healthy = rule["when"][1][:4]
    assert dry == [">=", 7, 5000, 5000]
    assert soil == ["<", 0, 1400, 1500]
    assert ground == [">", 1, 200, 200]
    assert healthy == ["healthy", [0, 1, 2]]
    assert rule["when"][1][4] == window
    assert plan["actuators"][0]["max_s_per_day"] == 1800
    assert plan["actuators"][0]["args"]["max_on_ms"] == 1800000
    assert plan["filters"] == [[0, "median", 3], [2, "ema", 64, 256]]
    assert plan["node"]["offset_s"] == -18000
    assert plan["model"]["at_s"] == [18000]


def test_nested_conditions():
    when = compile_file(GOOD)["rules"][1]["when"]
    assert when[1][0] == ["any", [["top", [6, 7, 8], 0], ["unknown", 6]]]
    assert when[1][1] == ["not", ["between", 2, -500, 4000]]
    assert when[1][2] == ["window", 22 * 60, 2 * 60, 1 << 5 | 1 << 6]


def test_pins_and_buses_are_cpu_numbers():
    plan = compile_file(GOOD)
    assert [sensor["bus"] for sensor in plan["sensors"]] == [
        ["adc", 26], ["onewire", 16], ["i2c", "i2c0"], ["adc", 28],
    ]  # fmt: skip
    assert plan["board"]["buses"]["i2c0"]["sda"] == 4


def test_equal_settings_have_equal_hashes(tmp_path):
    assert compile_file(GOOD)["node"]["hash"] == compile_file(GOOD)["node"]["hash"]


def test_the_plan_of_the_template_is_small():
    assert len(json.dumps(compile_file(GOOD), separators=(",", ":"))) < 4096


def test_every_sensor_driver_can_be_named_in_a_node_file():
    assert {entry["kind"] for entry in drivers().values()} == {"sensor", "actuator"}


def test_the_reference_in_the_readme_is_the_schema():
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    assert schema.reference() in text, "run: python -m hedgerow.config.schema"


def test_summary_is_one_line():
    plan = compile_file(GOOD)
    assert "\n" not in summary(plan)
    assert 300 < kept_bytes_a_day(plan) < 5000


def test_durations_in_words():
    assert [duration(s) for s in (45, 900, 7200, 86400, 172800)] == [
        "45 s", "15 min", "2 h", "1 day", "2 days",
    ]  # fmt: skip


def test_the_slowest_chip_sets_the_speed_of_its_bus(tmp_path):
    text = GOOD.read_text(encoding="utf-8")
    at = text.index("[[sensor]]")
    row = '[[sensor]]\nname = "gas"\ndriver = "scd4x"\nbus = "i2c0"\n\n'
    path = tmp_path / "node.toml"
    text = text[:at] + row + text[at:]
    path.write_text(text.replace("../../../models", str(MODELS)), encoding="utf-8")
    assert compile_file(GOOD)["board"]["buses"]["i2c0"]["freq_hz"] == 400000
    assert compile_file(path)["board"]["buses"]["i2c0"]["freq_hz"] == 100000
