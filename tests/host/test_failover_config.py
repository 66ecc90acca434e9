"""Several [[uplink]] in a node file: the plan, what is deployed, what does not go together."""

import re
import shutil
from pathlib import Path

from hedgerow.config import check_file, compile_file
from hedgerow.config.summary import summary
from hedgerow.device.node_app import node_app
from hedgerow.sim.prepare import load_plan, with_uplink

CONFIGS = Path(__file__).parent / "configs"
_MQTT = '[[uplink]]\nkind = "mqtt"\nhost = "127.0.0.1"\n'
_COAP = '[[uplink]]\nkind = "coap"\nhost = "127.0.0.1"\n'
_KEY = f'key = "{"0f" * 16}"\n'


def _file(tmp_path, uplinks):
    text = (CONFIGS / "good.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?ms)^\[uplink\].*?(?=^\[|\Z)", "", text)
    models = (Path(__file__).parents[2] / "models").resolve()
    path = tmp_path / "node.toml"
    path.write_text(text.replace("../../../models", str(models)) + uplinks, encoding="utf-8")
    return path


def _faults(tmp_path, uplinks):
    return [str(fault) for fault in check_file(_file(tmp_path, uplinks))]


def test_the_plan_has_the_links_in_their_order(tmp_path):
    more = "after_failures = 2\nreturn_s = 30\n"
    plan = compile_file(_file(tmp_path, _MQTT + _KEY + more + _COAP + _KEY))
    uplink = plan["uplink"]
    assert [link["kind"] for link in uplink["links"]] == ["mqtt", "coap"]
    assert {k: v for k, v in uplink.items() if k != "links"} == {
        "kind": "failover",
        "key": "0f" * 16,
        "after_failures": 2,
        "return_s": 30,
    }
    assert all("after_failures" not in link for link in uplink["links"])
    assert "to 127.0.0.1 by mqtt, else to 127.0.0.1 by coap" in summary(plan)


def test_one_in_double_brackets_is_one(tmp_path):
    assert compile_file(_file(tmp_path, _MQTT))["uplink"]["kind"] == "mqtt"


def test_what_is_deployed_is_what_the_links_need(tmp_path):
    files = node_app(_file(tmp_path, _MQTT + _COAP), with_hedge=True).files
    parts = {name.removeprefix("hedge/net/") for name in files}
    assert {"failover_link.py", "mqtt_link.py", "coap_link.py", "coap/client.py"} <= parts
    assert not {"lorawan_link.py", "http_link.py", "mqtt5.py"} & parts


def test_files_of_each_link_are_found(tmp_path):
    shutil.copyfile(CONFIGS / "files" / "ca.pem", tmp_path / "a.pem")
    tls = 'tls = true\nca = "a.pem"\n'
    path = _file(tmp_path, _MQTT + _COAP + tls)
    assert str(tmp_path / "a.pem") in map(str, node_app(path, with_hedge=False).files.values())
    plan, _ = load_plan(path)
    assert plan["uplink"]["links"][1]["ca"] == str(tmp_path / "a.pem")
    assert with_uplink(plan, "127.0.0.1", 1)["uplink"]["kind"] == "mqtt"


def test_what_does_not_go_together(tmp_path):
    secret = f'oscore_secret = "{"0f" * 16}"\n'
    for uplinks, text in (
        (_MQTT + _KEY + _COAP, "another key than that of the first uplink"),
        (_MQTT + _COAP + "after_s = 9\n", "after_s of another than the first uplink"),
        (_COAP + secret + _COAP + secret, "a second coap with oscore_secret"),
        (_MQTT + '[[uplink]]\nkind = "serial"\n' * 2, "a second serial"),
        (_MQTT * 5, "5 uplinks"),
        (_MQTT + '[[uplink]]\nkind = "coap"\nhots = "127.0.0.1"\n', "unknown key 'hots'"),
        (_MQTT + _COAP.replace("127.0.0.1", "coap://farm"), "without coap://"),
    ):
        faults = _faults(tmp_path, uplinks)
        assert any(text in fault for fault in faults), (text, faults)
        assert len([fault for fault in faults if "warning" not in fault]) == 1, faults


def test_a_fault_names_its_line(tmp_path):
    path = _file(tmp_path, _MQTT + _COAP + "port = 0\n")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [f.line for f in check_file(path)] == [lines.index("port = 0") + 1]


def test_espnow_needs_its_radio_and_a_channel(tmp_path):
    faults = _faults(tmp_path, '[uplink]\nkind = "espnow"\n')
    assert any("the radio is Espressif's" in fault for fault in faults), faults
    assert any("no channel in [uplink]" in fault for fault in faults), faults


def test_no_uplink_at_all_is_a_warning(tmp_path):
    path = _file(tmp_path, "")
    path.write_text("uplink = []\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert compile_file(path)["uplink"] is None
    assert any("no [uplink]" in str(fault) for fault in check_file(path))


def test_rows_that_are_no_tables(tmp_path):
    path = _file(tmp_path, "")
    path.write_text('uplink = [1, "x"]\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert any("uplink is not a section" in str(fault) for fault in check_file(path))
