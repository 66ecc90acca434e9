"""[wifi] in a node file: passwords from outside, a static address, and what is wrong with them."""

from pathlib import Path

import pytest

from hedgerow.config import check_file, schema
from hedgerow.config.draft import Draft
from hedgerow.config.hardware import board_part, sensor_parts
from hedgerow.config.project import new_project
from hedgerow.config.shape import apply_schema
from hedgerow.config.source import read_source
from hedgerow.config.wifi import wifi_part
from hedgerow.device.app_files import collect

_GOOD = (Path(__file__).parent / "configs" / "good.toml").read_text(encoding="utf-8")
_NETWORKS = 'networks = [ { ssid = "farm", password_file = "farm.key" } ]\n'


@pytest.fixture
def node_file(tmp_path):
    """node_file(body) -> good.toml with such a [wifi]; farm.key holds a password."""
    for path in (Path(__file__).parent / "configs").glob("files/*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "farm.key").write_text("correct horse\n")

    def write(body: str, board: str = "RPI_PICO_W") -> Path:
        good = _GOOD.replace('"RPI_PICO_W"', f'"{board}"')
        path = tmp_path / "node.toml"
        path.write_text(f"{good}\n[wifi]\n{body}", encoding="utf-8")
        return path

    return write


def _about_wifi(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    first = lines.index("[wifi]") + 1
    return [str(fault) for fault in check_file(path) if fault.line >= first - 1]


def test_the_plan_has_the_password_and_the_file_has_not(node_file, monkeypatch):
    monkeypatch.setenv("YARD_KEY", "battery staple")
    body = """networks = [ { ssid = "farm", password_file = "farm.key" },
             { ssid = "yard", password_env = "YARD_KEY" } ]
country = "DE"
address = "192.168.1.20/24"
gateway = "192.168.1.1"
time_servers = "pool.ntp.org"
"""
    assert not _about_wifi(node_file(body))
    draft = Draft(read_source(node_file(body), schema.ARRAYS, schema.PLAIN))
    apply_schema(draft)
    part = wifi_part(draft)["wifi"]
    assert part["networks"] == [["farm", "correct horse"], ["yard", "battery staple"]]
    assert part["static"] == ["192.168.1.20", "255.255.255.0", "192.168.1.1", "192.168.1.1"]
    assert (part["country"], part["time_servers"]) == ("DE", ["pool.ntp.org"])
    assert part["hostname"] == draft.table("node")["name"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "no networks in [wifi]"),
        ("networks = []\n", "networks = a list"),
        ('networks = [ { ssid = "farm", password = "x" } ]\n', "does not belong in this file"),
        ('networks = [ { ssid = "", password_file = "farm.key" } ]\n', "1 to 32 bytes"),
        ('networks = [ { ssid = "farm", password_file = "no.key" } ]\n', 'cannot read "no.key"'),
        ('networks = [ { ssid = "farm", password_env = "NO_KEY" } ]\n', "has no NO_KEY"),
        ('networks = [ { ssid = "farm" } ]\n', "anyone near can listen"),
        (_NETWORKS + 'country = "Germany"\n', "two capital letters"),
        (_NETWORKS + f'hostname = "{"x" * 33}"\n', "1 to 32 of a-z"),
        (_NETWORKS + 'hostname = "bed 3"\n', "1 to 32 of a-z"),
        (_NETWORKS + 'time_servers = ["192.168.1.1", "http://pool.ntp.org"]\n', "address alone"),
        (_NETWORKS + 'time_servers = "pool.ntp.org:123"\n', "address alone"),
        (_NETWORKS + 'address = "192.168.1.20/24"\n', "a static address"),
        (_NETWORKS + 'gateway = "192.168.1.1"\n', "gateway without address"),
        (
            _NETWORKS + 'address = "192.168.1.20/24"\ngateway = "10.0.0.1"\n',
            "gateway 10.0.0.1 is not in 192.168.1.0/24",
        ),
        (_NETWORKS + 'power = "off"\n', "performance"),
    ],
)
def test_what_is_wrong_is_named(node_file, body, said):
    assert said in " ".join(_about_wifi(node_file(body)))


def test_networks_may_come_from_the_set_up_page(node_file):
    assert not _about_wifi(node_file('setup_after = 1\nsetup_password_file = "farm.key"\n'))


def test_a_button_opens_the_set_up_page(node_file):
    assert not _about_wifi(node_file('setup_pin = "GP14"\n'))
    draft = Draft(read_source(node_file('setup_pin = "GP14"\n'), schema.ARRAYS, schema.PLAIN))
    apply_schema(draft)
    sensor_parts(draft, board_part(draft))
    assert wifi_part(draft)["wifi"]["setup_pin"] == 14
    assert "GP26 is used by soil" in " ".join(_about_wifi(node_file('setup_pin = "GP26"\n')))
    assert "GP99" in " ".join(_about_wifi(node_file('setup_pin = "GP99"\n')))


def test_a_board_without_a_radio(node_file):
    path = node_file(_NETWORKS, board="RPI_PICO")
    assert "RPI_PICO has no Wi-Fi" in " ".join(str(fault) for fault in check_file(path))


def test_a_short_password(node_file, tmp_path):
    (tmp_path / "farm.key").write_text("short")
    assert "its password has 5 characters" in " ".join(_about_wifi(node_file(_NETWORKS)))


@pytest.mark.parametrize(
    "text", ["correct horse\nbattery staple\n", "h\u00fchnerstall", "a\tbcdefgh"]
)
def test_what_no_password_can_be(node_file, tmp_path, text):
    (tmp_path / "farm.key").write_text(text, encoding="utf-8")
    assert "a character that no password has" in " ".join(_about_wifi(node_file(_NETWORKS)))


def test_the_set_up_page_s_password_is_at_fault_in_its_own_line(node_file):
    path = node_file(_NETWORKS + 'setup_password_file = "no.key"\n')
    (fault,) = [fault for fault in check_file(path) if "no.key" in fault.message]
    line = path.read_text(encoding="utf-8").splitlines()[fault.line - 1]
    assert not fault.warning and line.startswith("setup_password_file")


def test_a_deploy_takes_the_modules_it_needs_and_not_the_password_file(tmp_path):
    path = new_project("bed-3", "soil", tmp_path) / "node.toml"
    assert not [name for name in collect(path).files if "wifi" in name or "resolver" in name]
    (path.parent / "farm.key").write_text("correct horse")
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\n[wifi]\n{_NETWORKS}", encoding="utf-8")
    files = collect(path).files
    needed = ("wifi", "wifi_link", "wifi_scan", "wifi_status", "resolver", "dns_message")
    assert {f"hedge/net/{name}.py" for name in (*needed, "coap/udp")} <= set(files)
    assert not {"farm.key", "hedge/net/sntp.py", "hedge/net/setup.py"} & set(files)
    path.write_text(f'{text}\n[wifi]\n{_NETWORKS}setup_pin = "GP14"\n', encoding="utf-8")
    button = set(collect(path).files)
    assert {"hedge/net/setup.py", "hedge/net/setup_button.py"} <= button
    assert "hedge/more_buses.py" not in button
    path.write_text(f"{text}\n[wifi]\n{_NETWORKS}setup_after = 3\n", encoding="utf-8")
    page = set(collect(path).files)
    assert "hedge/net/setup.py" in page and "hedge/net/setup_button.py" not in page
    assert "correct horse" in files["plan.json"].read_text(encoding="utf-8")
