"""`hedgerow drivers` and the table in the drivers' README come from the driver files."""

import json
import re

import pytest
from click.testing import CliRunner

from hedgerow import paths
from hedgerow.cli.drivers import command
from hedgerow.drivers import describe, drivers, markdown_table, read_entry
from hedgerow.errors import ConfigError, UsageError

README = paths.firmware_dir() / "hedge" / "drivers" / "README.md"
BME280 = (paths.firmware_dir() / "hedge" / "drivers" / "bme280.py").read_text(encoding="utf-8")


def test_json_has_every_driver_file_with_its_sources():
    listed = json.loads(CliRunner().invoke(command, ["--json"]).stdout)
    files = {p.stem for p in README.parent.glob("*.py") if "DRIVER = {" in p.read_text()}
    assert set(listed) == files
    for name, entry in listed.items():
        assert entry["datasheet"] and entry["checked_against"], name
        assert entry["module"] == name


def test_the_readme_shows_what_the_files_say():
    text = README.read_text(encoding="utf-8")
    shown = re.search(r"<!-- made by .*? -->\n(.*?)\n<!-- end -->", text, re.S)[1]
    assert shown == markdown_table()  # else: hedgerow drivers --markdown


def test_the_list_counts_and_the_description_describes():
    assert f"{len(drivers())} drivers" in CliRunner().invoke(command, []).stdout
    told = CliRunner().invoke(command, ["bme280"]).stdout
    assert "BST-BME280-DS002" in told
    assert json.loads(CliRunner().invoke(command, ["bme280", "--json"]).stdout)["bme280"]["addrs"]


def test_a_misspelt_name_is_answered_with_a_near_one():
    with pytest.raises(UsageError, match="bme280"):
        describe("bme208")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"kind": "sensor"', '"kind": "senser"', "sensor, actuator"),
        ('"bus": "i2c"', '"bus": "i3c"', "adc, dht"),
        ('"raw_bytes": 8,', "", "lacks 'raw_bytes'"),
        ('"raw_bytes": 8,', '"raw_bytes": "8",', "expected"),
        ('"Cel"', '"degC"', "unit 'degC'"),
        ("(0.005, 0.01, 2.6)", "(0.005,)", "one resolution for each channel"),
        ('"max_hz": 3400000,', "", "needs addrs and max_hz"),
        ('"doc"', '"dock"', "no key 'dock'"),
        ("8,\n", "_SIZE,\n", "not a literal"),
    ],
)
def test_a_wrong_entry_is_named(old, new, told):
    assert old in BME280
    with pytest.raises(ConfigError, match=re.escape(told)):
        read_entry(BME280.replace(old, new), "bme280.py")


def test_shared_parts_of_drivers_are_no_drivers():
    assert read_entry("X = 1\n", "x.py") is None
