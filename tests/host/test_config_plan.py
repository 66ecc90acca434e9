"""The plan: what PLAN.md promises, and what the board makes of it."""

import json
import re
from pathlib import Path

import pytest

from hedgerow.config import compile_file, schema
from hedgerow.config.summary import duration, kept_bytes_a_day, summary
from hedgerow.drivers import drivers
from hedgerow.errors import ConfigError

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


def test_the_uplink_says_its_version_and_its_files(tmp_path):
    more = 'tls = true\nca = "ca.pem"\ncert = "ca.pem"\ncert_key = "own.key"\nversion = 5\n'
    pem = "-----BEGIN {0}-----\nMAA=\n-----END {0}-----\n"
    (tmp_path / "ca.pem").write_text(pem.format("CERTIFICATE"))
    (tmp_path / "own.key").write_text(pem.format("PRIVATE KEY"))
    path = _with_sensor(tmp_path, 'driver = "soil_probe"\npin = "GP27"\ndry_mv = 1\nwet_mv = 9')
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[uplink]\n", "[uplink]\n" + more), encoding="utf-8")
    uplink = compile_file(path)["uplink"]
    named = [uplink[key] for key in ("version", "ca", "cert", "cert_key")]
    assert named == [5, "ca.pem", "ca.pem", "own.key"]


def test_equal_settings_have_equal_hashes(tmp_path):
    assert compile_file(GOOD)["node"]["hash"] == compile_file(GOOD)["node"]["hash"]


def test_the_plan_of_the_template_is_small():
    assert len(json.dumps(compile_file(GOOD), separators=(",", ":"))) < 4096


def _with_sensor(tmp_path, row, section="sensor"):
    """good.toml with one more sensor, or actuator."""
    text = GOOD.read_text(encoding="utf-8")
    at = text.index("[[sensor]]")
    path = tmp_path / "node.toml"
    text = f'{text[:at]}[[{section}]]\nname = "extra"\n{row}\n\n{text[at:]}'
    path.write_text(text.replace("../../../models", str(MODELS)), encoding="utf-8")
    return path


def _place_of(entry):
    """Keys of a row that say where it is."""
    if entry["pins"]:
        named = zip(entry["pins"], ("GP10", "GP11", "GP12", "GP13"), strict=False)
        return "pins = {" + ", ".join(f'{role[0]} = "{pin}"' for role, pin in named) + "}"
    where = {"i2c": 'bus = "i2c1"', "spi": 'bus = "spi1"\npin = "GP13"', "adc": 'pin = "GP27"'}
    where["uart"] = 'bus = "uart0"'
    return where.get(entry["bus"], 'pin = "GP14"')


def _row_of(name):
    entry = drivers()[name]
    params = entry["params"].items()
    needed = "".join(f"\n{key} = {p[2]}" for key, p in params if p[1] is None)
    return f'driver = "{name}"\n{_place_of(entry)}{needed}'


def _usable(kind):
    return [n for n, e in drivers().items() if e["kind"] == kind and not e["program_only"]]


@pytest.mark.parametrize("name", _usable("sensor"))
def test_a_node_file_names_every_sensor_driver(name, tmp_path):
    entry = drivers()[name]
    plan = compile_file(_with_sensor(tmp_path, _row_of(name)))
    part = next(p for p in plan["sensors"] if p["name"] == "extra")
    assert part["bus"][0] == entry["bus"]
    assert len(part["channels"]) == len(entry["channels"])


@pytest.mark.parametrize("name", _usable("actuator"))
def test_a_node_file_names_every_actuator_driver(name, tmp_path):
    row = f"max_on_s = 30\n{_row_of(name)}"
    plan = compile_file(_with_sensor(tmp_path, row, "actuator"))
    part = next(p for p in plan["actuators"] if p["name"] == "extra")
    assert part["bus"][0] == drivers()[name]["bus"]
    assert part["args"]["max_on_ms"] == 30000


@pytest.mark.parametrize("name", [n for n, e in drivers().items() if e["program_only"]])
def test_a_driver_that_is_for_programs_says_why(name, tmp_path):
    with pytest.raises(ConfigError, match=f"{name} is for programs: ") as told:
        compile_file(_with_sensor(tmp_path, f'driver = "{name}"\nbus = "i2c0"'))
    assert drivers()[name]["program_only"] in str(told.value)


def test_pins_are_in_the_order_of_the_driver(tmp_path):
    row = 'driver = "hcsr04"\npins = { echo = "GP11", trigger = "GP10" }'
    plan = compile_file(_with_sensor(tmp_path, row))
    assert next(p for p in plan["sensors"] if p["name"] == "extra")["bus"] == ["echo", [10, 11]]


def test_a_chip_on_spi_has_a_bus_and_a_chip_select(tmp_path):
    plan = compile_file(_with_sensor(tmp_path, 'driver = "mcp3008"\nbus = "spi1"\npin = "GP13"'))
    part = next(p for p in plan["sensors"] if p["name"] == "extra")
    assert part["bus"] == ["spi", ["spi1", 13]]
    table = plan["board"]["buses"]["spi1"]
    assert (table["kind"], table["freq_hz"]) == ("spi", min(table["freq_hz"], 1350000))
    assert {"sck", "mosi", "miso"} <= set(table)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('driver = "mcp3008"\nbus = "spi0"', "no pin for mcp3008"),
        ('driver = "mcp3008"\npin = "GP13"', "no bus for mcp3008"),
        ('driver = "mcp3008"\nbus = "i2c0"\npin = "GP13"', "SPI bus"),
        ('driver = "pms5003"\npin = "GP13"', "no bus for pms5003"),
        ('driver = "pms5003"\nbus = "uart7"', "UART bus"),
        ('driver = "hcsr04"\npin = "GP13"', 'no pins for hcsr04.*\\{ trigger = "GP'),
        ('driver = "hcsr04"\npins = { trigger = "GP13" }', "no pin echo for hcsr04: Echo of"),
        ('driver = "hcsr04"\npins = { trigger = "GP10", eco = "GP11" }', "pin of hcsr04 'eco'"),
        ('driver = "hcsr04"\npins = { trigger = "GP10", echo = "GP10" }', "GP10 is used by extra"),
        ('driver = "hcsr04"\npins = "GP10"', "pins by their use"),
        ('driver = "dht22"\nbus = "i2c0"', "no pin for dht22"),
        ('driver = "dht22"\npin = "GP14"\nbus = "i2c0"', "dht22 has no bus"),
    ],
)
def test_what_is_missing_or_too_much_is_named(row, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        compile_file(_with_sensor(tmp_path, row))


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
    path = _with_sensor(tmp_path, 'driver = "scd4x"\nbus = "i2c0"')
    assert compile_file(GOOD)["board"]["buses"]["i2c0"]["freq_hz"] == 400000
    assert compile_file(path)["board"]["buses"]["i2c0"]["freq_hz"] == 100000
