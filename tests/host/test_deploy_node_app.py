"""A node file as an app: what goes to the board, and what does not."""

import json
import secrets

import pytest

from hedgerow.config.project import new_project
from hedgerow.device.app_files import collect
from hedgerow.device.node_app import node_app
from hedgerow.errors import ConfigError, UsageError


@pytest.fixture
def node_file(tmp_path):
    return new_project("bed-3", "soil", tmp_path) / "node.toml"


def changed(path, *changes):
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def plan_of(app):
    return json.loads(app.files["plan.json"].read_text(encoding="utf-8"))


def test_plan_model_and_just_the_modules_of_this_node(node_file):
    app = collect(node_file)
    assert app.entry == "main"
    assert app.files["model/soil_dry.hgm"].is_file()
    drivers = {name for name in app.files if name.startswith("hedge/drivers/")}
    wanted = ("__init__", "adc_mv", "battery", "bme280", "ds18b20", "relay", "soil_probe")
    assert drivers >= {f"hedge/drivers/{name}.py" for name in wanted}
    assert not {"hedge/drivers/scd4x.py", "hedge/more_buses.py", "hedge/net/serial_link.py"} & set(
        app.files
    )
    assert "hedge/net/mqtt_link.py" in app.files
    assert "hedge/infer/viper.py" in app.files
    assert not any(name.startswith(("hedge/power/", "hedge/infer/portable")) for name in app.files)


def test_the_log_lies_outside_of_the_slots_and_replay_stays_here(node_file):
    plan = plan_of(collect(node_file))
    assert plan["store"]["dir"] == "/store"
    assert "replay" not in plan


def test_a_uart_brings_the_other_buses(node_file):
    uplink = '[uplink]\nkind = "serial"\nuart = "uart0"\n\n'
    files = collect(with_uplink(node_file, uplink)).files
    assert {"hedge/more_buses.py", "hedge/net/serial_link.py"} <= set(files)
    assert "hedge/net/mqtt.py" not in files


LORAWAN = """
[uplink]
kind = "lorawan"
region = "US915"
sub_band = 2
dev_eui = "70b3d57ed0000001"
join_eui = "70b3d57ed0000002"
app_key = "000102030405060708090a0b0c0d0e0f"
radio = "sx1276"
spi = "spi0"
cs = "GP17"
dio0 = "GP20"

"""
TLS = """
[uplink]
kind = "mqtt"
host = "farm.example"
tls = true
ca = "ca.pem"
cert = "bed-3.pem"
cert_key = "bed-3.key"

"""


def with_uplink(node_file, uplink):
    text = node_file.read_text(encoding="utf-8")
    begin, end = text.index("[uplink]"), text.index("# --- For `hedgerow sim")
    node_file.write_text(text[:begin] + uplink + text[end:], encoding="utf-8")
    return node_file


def test_a_region_brings_its_channels(node_file):
    files = collect(changed(with_uplink(node_file, LORAWAN), ('"GP16"', '"GP22"'))).files
    assert {"hedge/net/lorawan_link.py", "hedge/net/lorawan/plan_us915.py"} <= set(files)
    assert "hedge/net/lorawan/plan_eu868.py" not in files
    assert "hedge/more_buses.py" in files


def test_certificates_travel_along(node_file):
    pem = "-----BEGIN {0}-----\nMAA=\n-----END {0}-----\n"
    for name in ("ca.pem", "bed-3.pem", "bed-3.key"):
        label = "PRIVATE KEY" if name.endswith("key") else "CERTIFICATE"
        (node_file.parent / name).write_text(pem.format(label))
    assert {"ca.pem", "bed-3.pem", "bed-3.key"} <= set(collect(with_uplink(node_file, TLS)).files)


def test_a_folder_with_a_node_file_and_no_program_is_one(node_file):
    assert "plan.json" in collect(node_file.parent).files
    (node_file.parent / "main.py").write_text("print(1)\n")
    assert "plan.json" not in collect(node_file.parent).files


def test_a_board_with_hedge_gets_only_the_rest(node_file):
    files = collect(node_file, with_hedge=False).files
    assert sorted(files) == ["main.py", "model/soil_dry.hgm", "plan.json"]


def test_a_gateway_on_the_board_itself_is_told(node_file):
    (note,) = node_app(node_file, with_hedge=False).notes
    assert '"127.0.0.1" is the board itself' in note
    serial = with_uplink(node_file, '[uplink]\nkind = "serial"\n')
    assert node_app(serial, with_hedge=False).notes == ()


def test_the_plan_with_its_passwords_is_for_its_owner_alone(node_file):
    text = node_file.read_text(encoding="utf-8")
    node_file.write_text(text.replace("bed-3", f"bed-{secrets.randbelow(10**9)}"))
    plan = node_app(node_file, with_hedge=False).files["plan.json"]
    assert plan.stat().st_mode & 0o077 == 0
    plan.unlink()


def test_mistakes_and_boards_without_a_line_are_told(node_file):
    with pytest.raises(UsageError, match=r"UNIX is none to deploy to: `hedgerow sim`"):
        collect(changed(node_file, ('"RPI_PICO_W"', '"UNIX"')))
    with pytest.raises(ConfigError, match="no board 'nope'"):
        collect(changed(node_file, ('"UNIX"', '"nope"')))
