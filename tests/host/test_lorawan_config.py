"""[uplink] kind = "lorawan" in a node file: three lines of keys, a radio on its pins -> plan."""

import re
from pathlib import Path

import pytest

from hedgerow.config import check_file, compile_file
from hedgerow.device.node_app import node_app
from hedgerow.sim.prepare import with_uplink

_GOOD = (Path(__file__).parent / "configs" / "good.toml").read_text(encoding="utf-8")
_KEYS = """dev_eui = "0011223344556677"
join_eui = "0000000000000001"
app_key = "000102030405060708090a0b0c0d0e0f"
"""
_RADIO = 'radio = "sx1276"\nspi = "spi0"\ncs = "GP17"\nreset = "GP9"\ndio0 = "GP10"\n'
_ABP = f'dev_addr = "26011234"\nnwk_s_key = "{"00" * 16}"\napp_s_key = "{"01" * 16}"\n'


def _file(tmp_path, body):
    """good.toml without model, 1-Wire and uplink (its pins are SPI's), with this uplink."""
    text = re.sub(r"(?ms)^\[uplink\].*?(?=^\[|\Z)", "", _GOOD)
    text = re.sub(r"(?ms)^\[model.*?(?=^\[\[|\Z)", "", text)
    text = text.replace('pin = "GP16"', 'pin = "GP22"')
    rules = re.sub(r"(?ms)^\[\[rule\]\].*?(?=^\[|\Z)", "", text)
    records = re.sub(r"(?ms)^\[\[record\]\].*?(?=^\[|\Z)", "", rules)
    path = tmp_path / "node.toml"
    path.write_text(f'{records}\n[uplink]\nkind = "lorawan"\n{body}', encoding="utf-8")
    return path


def _faults(tmp_path, body):
    return [str(fault) for fault in check_file(_file(tmp_path, body))]


def test_the_plan_has_the_radio_and_the_keys(tmp_path):
    plan = compile_file(_file(tmp_path, _KEYS + _RADIO))
    uplink = plan["uplink"]
    assert uplink["modem"] == ["sx1276", "spi0", 17, 9, 10, -1, 0]
    assert (uplink["region"], uplink["class"], uplink["adr"]) == ("EU868", "A", True)
    assert uplink["dev_eui"] == "0011223344556677"
    assert "cs" not in uplink
    assert plan["board"]["buses"]["spi0"]["kind"] == "spi"


def test_personalised_and_sx1262(tmp_path):
    radio = 'radio = "sx1262"\nspi = "spi0"\ncs = "GP17"\nbusy = "GP10"\ntcxo_mv = 1800\n'
    uplink = compile_file(_file(tmp_path, _ABP + radio + 'class = "C"\nregion = "IN865"\n'))[
        "uplink"
    ]
    assert uplink["modem"] == ["sx1262", "spi0", 17, -1, 10, -1, 1800]
    assert uplink["dev_addr"] == "26011234"


def test_the_wiring_may_stand_in_a_section_of_its_own(tmp_path):
    """So that another link is three other lines."""
    keys = "\n".join(line for line in _KEYS.splitlines() if "join_eui" not in line) + "\n"
    here = compile_file(_file(tmp_path, _KEYS + _RADIO))["uplink"]
    there = compile_file(_file(tmp_path, f"{keys}\n[radio]\n{_RADIO}"))["uplink"]
    assert there["modem"] == here["modem"]
    assert there["join_eui"] == "0" * 16
    fault = _faults(tmp_path, keys + "\n[radio]\n" + _RADIO.replace('"GP9"', '"GP17"'))
    assert "GP17 is used by" in " ".join(fault)


def test_what_is_deployed(tmp_path):
    """The MAC, the plan of its region alone, the radio's bus; no bulk transfer, no MQTT."""
    files = node_app(_file(tmp_path, _KEYS + _RADIO), with_hedge=True).files
    parts = {name.removeprefix("hedge/") for name in files}
    assert {"net/lorawan/mac.py", "net/lorawan/plan_eu868.py", "more_buses.py"} <= parts
    assert not {"net/lorawan/plan_us915.py", "net/lorawan/bulk.py", "net/mqtt.py"} & parts


def test_a_simulated_field_has_a_broker_in_place_of_the_radio(tmp_path):
    plan = compile_file(_file(tmp_path, _KEYS + _RADIO + f'key = "{"0f" * 16}"\n'))
    uplink = with_uplink(plan, "127.0.0.1", 4711)["uplink"]
    assert (uplink["kind"], uplink["port"], uplink["key"]) == ("mqtt", 4711, "0f" * 16)
    assert "modem" not in uplink


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (_RADIO, "dev_eui is missing"),
        (_KEYS.replace("app_key", "#") + _RADIO, "app_key is missing"),
        (_KEYS + _ABP + _RADIO, "a device joins, or is personalised"),
        (_KEYS, "radio"),
        (_KEYS + _RADIO.replace("sx1276", "rfm95"), "sx1276"),
        (_KEYS + _RADIO.replace("spi0", "spi7"), "SPI bus of RPI_PICO_W"),
        (_KEYS + _RADIO.replace('"GP9"', '"GP17"'), "GP17 is used by"),
        (_KEYS + _RADIO.replace("dio0", "busy"), "sx1276 has no busy"),
        (_KEYS + _RADIO.replace("sx1276", "sx1262"), "busy is missing"),
        (_KEYS.replace("0011", "0g11") + _RADIO, "16 hex digits"),
        (_KEYS + _RADIO + 'host = "x"\n', "host"),
        (_KEYS + _RADIO + "sub_band = 2\n", "sub_band = 2: EU868 has no sub-bands"),
        (
            _KEYS + _RADIO + "rate = 6\n",
            "rate = 6 is none of EU868, to begin with; expected 0 to 5",
        ),
        (
            _KEYS + _RADIO + 'region = "US915"\nrate = 5\n',
            "none of US915, to begin with; expected 0 to 4",
        ),
        (
            _KEYS + _RADIO + 'region = "AS923"\nrate = 1\n',
            "none of AS923, to begin with; expected 2 to 5",
        ),
    ],
)
def test_faults(tmp_path, body, says):
    assert says in " ".join(_faults(tmp_path, body))


def test_both_activations_are_one_fault(tmp_path):
    found = _faults(tmp_path, _KEYS + _RADIO + 'dev_addr = "26011234"\n')
    assert len([fault for fault in found if "warning" not in fault]) == 1, found
