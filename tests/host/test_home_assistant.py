"""Home Assistant discovery without a broker: what is published when, and in which words."""

import json

import pytest

from hedgerow import drivers
from hedgerow.gateway.mirror.ha_classes import _UNITS, describe
from hedgerow.gateway.mirror.home_assistant import HomeAssistant, components
from hedgerow.gateway.mirror.snapshot import Device, Value

_CONFIG = "homeassistant/device/hedgerow_bed-1/config"


def _device(*values, online=True):
    return Device("bed-1", "Bed", online, "0.1.0", "UNIX", tuple(values))


def _number(name, value, unit="%"):
    return Value(name, unit, "number", value, 0.0)


def _sent(messages):
    assert all(message.retain for message in messages)
    return {message.topic: message.payload for message in messages}


def test_only_what_changed_is_published():
    ours = HomeAssistant("gateway-1")
    assert set(_sent(ours.update([_device(_number("a.b", 1), _number("c", 2.5))]))) == {
        _CONFIG,
        "hedgerow/bed-1/availability",
        "hedgerow/bed-1/a_b",
        "hedgerow/bed-1/c",
    }
    later = [_device(_number("a.b", 1), _number("c", 23.399999618530273))]
    assert _sent(ours.update(later)) == {"hedgerow/bed-1/c": b"23.4"}
    assert ours.update(later) == []


def test_a_device_that_is_gone_leaves_nothing():
    ours = HomeAssistant("gateway-1")
    topics = set(_sent(ours.update([_device(_number("a", 1))])))
    assert _sent(ours.update([])) == dict.fromkeys(topics, b"")
    assert ours.update([]) == []


def test_what_an_earlier_run_left_is_removed_and_only_that():
    first = HomeAssistant("gateway-1")
    left = _sent(first.update([_device(_number("a", 1))]))
    for name, expected in (("gateway-1", dict.fromkeys(left, b"")), ("gateway-2", {})):
        later = HomeAssistant(name)
        later.received(_CONFIG, left[_CONFIG])
        assert _sent(later.update([])) == expected


def test_a_forged_message_makes_nothing_else_empty():
    ours = HomeAssistant("gateway-1")
    left = json.loads(_sent(ours.update([_device(_number("a", 1))]))[_CONFIG])
    left["components"] = {
        str(n): {"state_topic": topic}
        for n, topic in enumerate(("#", "hedgerow/#", "hedge/bed-1/info", "hedgerow/bed-1/a", 5))
    }
    later = HomeAssistant("gateway-1")
    later.received(_CONFIG, json.dumps(left).encode())
    topics = {_CONFIG, "hedgerow/bed-1/a", "hedgerow/bed-1/availability"}
    assert set(_sent(later.update([]))) == topics


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"1", b"{}", b"[" * 9000, b'{"availability":[]}', b'{"availability":[1]}'],
)
def test_what_is_not_ours_is_left_alone(payload):
    ours = HomeAssistant("gateway-1")
    assert ours.received(_CONFIG, payload) == []
    assert ours.update([]) == []


def test_names_that_differ_only_in_signs_stay_apart():
    parts = components(_device(_number("a.b", 1), _number("a_b", 2)))
    assert [part["name"] for part in parts.values()] == ["a.b", "a_b"]
    assert len({part["unique_id"] for part in parts.values()}) == 2


def test_a_component_that_changes_its_kind_is_named_with_its_platform_first():
    # A node's info map may come after its first records.
    ours = HomeAssistant("gateway-1")
    ours.update([_device(_number("pump", 1, ""))])
    messages = ours.update([_device(Value("pump", "", "switch", 1, 0.0))])
    platforms = [json.loads(m.payload)["components"]["pump"] for m in messages]
    assert platforms[0] == {"platform": "sensor"}
    assert platforms[1]["platform"] == "binary_sensor"


def test_a_long_cause_is_cut():
    ours = HomeAssistant("gateway-1")
    text = Value("rule", "", "text", "x" * 300, 0.0)
    assert len(_sent(ours.update([_device(text)]))["hedgerow/bed-1/rule"]) == 255


def test_every_unit_of_the_drivers_has_a_decision():
    undecided = set(drivers.UNITS) - set(_UNITS) - {"rad", "rad/s", "S/m", "T"}
    assert undecided == set()  # those four: shown as they are, Home Assistant has no class


def test_words_of_home_assistant():
    assert describe("bed.vwc.mean", "%")["device_class"] == "moisture"
    assert describe("air.humidity", "%RH") == {
        "unit_of_measurement": "%",
        "device_class": "humidity",
        "state_class": "measurement",
    }
    assert describe("x.ph", "pH") == {"device_class": "ph", "state_class": "measurement"}
    assert describe("flow.volume", "l")["state_class"] == "total_increasing"
    assert describe("x", "furlong")["unit_of_measurement"] == "furlong"
