"""[uplink] in a node file: what a host, a port, a file or a second link can be wrong about."""

import re
from pathlib import Path

import pytest

from hedgerow.config import check_file

_CONFIGS = Path(__file__).parent / "configs"
_HERE = 'host = "127.0.0.1"\n'
_AWAY = 'host = "192.168.1.2"\n'
_KEY = f'key = "{"0f" * 16}"\n'
_SECRET = f'oscore_secret = "{"0f" * 16}"\n'
_FAR = _AWAY + _KEY
_TLS = _HERE + "tls = true\n"
_MQTT, _COAP, _HTTP = (f'[uplink]\nkind = "{kind}"\n' for kind in ("mqtt", "coap", "http"))
_LINK = f'[[uplink]]\nkind = "mqtt"\n{_HERE}'
_SEALED = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n"


def _faults(tmp_path, uplink, board="RPI_PICO_W"):
    """Of good.toml with this uplink in place of its own: (source line, text of the fault)."""
    text = (_CONFIGS / "good.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?ms)^\[uplink\].*?(?=^\[|\Z)", "", text).replace('"RPI_PICO_W"', f'"{board}"')
    models = (Path(__file__).parents[2] / "models").resolve()
    path = tmp_path / "node.toml"
    path.write_text(text.replace("../../../models", str(models)) + uplink, encoding="utf-8")
    (tmp_path / "text.pem").write_text("not a certificate\n")
    (tmp_path / "sealed.pem").write_text(_SEALED)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(lines[fault.line - 1], str(fault)) for fault in check_file(path)]


_ERRORS = {
    "address": (_MQTT + 'host = "192.168.1.256"\n', "host", "four numbers of 0 to 255"),
    "address cut": (_MQTT + 'host = "192.168.1"\n', "host", "four numbers of 0 to 255"),
    "url": (_MQTT + 'host = "mqtt://farm"\n', "host", "without mqtt://"),
    "a quote in it": (_MQTT + "host = 'fa\"rm'\n", "host", "letters a-z, digits"),
    "an umlaut": (_MQTT + 'host = "büro"\n', "host", "letters a-z, digits"),
    "dots alone": (_MQTT + 'host = ".."\n', "host", "letters a-z, digits"),
    "endless": (_MQTT + f'host = "{"a" * 254}"\n', "host", "up to 253 letters"),
    "path with a query": (_HTTP + _HERE + 'path = "/a?b"\n', "path", "without ? and #"),
    "port in host": (_MQTT + 'host = "farm:1883"\n', "host", "two keys"),
    "path without /": (_HTTP + _HERE + 'path = "api"\n', "path", 'as "/api"'),
    "path with / behind": (_HTTP + _HERE + 'path = "/api/"\n', "path", "none behind"),
    "path with a space": (_HTTP + _HERE + 'path = "/a b"\n', "path", "%20 for a space"),
    "no certificate": (_MQTT + _TLS + 'ca = "no.pem"\n', "ca", 'no file "no.pem"'),
    "a folder": (_MQTT + _TLS + 'ca = "."\n', "ca", 'no file "."'),
    "something else": (_MQTT + _TLS + 'ca = "text.pem"\n', "ca", '"text.pem" is not a certif'),
    "a key in place of it": (_MQTT + _TLS + 'ca = "sealed.pem"\n', "ca", "is not a certificate"),
    "key of another kind": (_MQTT + _HERE + _SECRET, "oscore_secret", "key of kind = coap, not"),
    "no radio": (
        f'[uplink]\nkind = "lorawan"\ndev_eui = "0000000000000001"\napp_key = "{"00" * 16}"\n',
        "[uplink]",
        "no radio; expected a section [radio]",
    ),
}


@pytest.mark.parametrize("name", _ERRORS)
def test_one_error_in_the_line_that_has_it(tmp_path, name):
    uplink, line, said = _ERRORS[name]
    found = _faults(tmp_path, uplink)
    assert len(found) == 1, found
    assert found[0][0].startswith(line) and said in found[0][1], found


def test_a_key_with_a_passphrase_is_of_no_use_on_a_board(tmp_path):
    pair = 'ca = "text.pem"\ncert = "text.pem"\ncert_key = "sealed.pem"\n'
    found = [fault for _, fault in _faults(tmp_path, _MQTT + _TLS + pair)]
    assert any('"sealed.pem" is encrypted; expected a key without' in fault for fault in found)


_WARNINGS = {
    "the port of before": (_COAP + _HERE + _SECRET + "port = 1883\n", "1883 is the port for MQTT"),
    "CoAP's port": (_MQTT + _HERE + "port = 5683\n", "5683 is the port for CoAP; expected 1883"),
    "no Wi-Fi set up": (_MQTT + _FAR, "RPI_PICO_W has no network without [wifi]"),
    "user without password": (_MQTT + _AWAY + 'user = "a"\n', "can pretend to be this node"),
    "no second link": (_MQTT + _HERE + "after_s = 60\n", "after_s of the only uplink"),
    "no second row": (_LINK + "return_s = 60\n", "return_s of the only uplink"),
    "twice the same": (_LINK + _LINK, "the same link again"),
}


@pytest.mark.parametrize("name", _WARNINGS)
def test_what_only_looks_wrong_is_a_warning(tmp_path, name):
    uplink, said = _WARNINGS[name]
    found = [fault for _, fault in _faults(tmp_path, uplink)]
    assert any("warning" in fault and said in fault for fault in found), found
    assert not [fault for fault in found if "warning" not in fault]


def test_a_board_without_a_network(tmp_path):
    found = [fault for _, fault in _faults(tmp_path, _MQTT + _FAR, board="RPI_PICO")]
    assert any("RPI_PICO has no network of its own for mqtt" in fault for fault in found)
    serial = _faults(tmp_path, '[uplink]\nkind = "serial"\n', board="RPI_PICO")
    assert not serial


def test_links_of_one_kind_to_two_places_are_fine(tmp_path):
    assert not _faults(tmp_path, _LINK + _LINK.replace("127.0.0.1", "localhost"))
