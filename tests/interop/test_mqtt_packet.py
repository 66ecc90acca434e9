"""Our codecs against mqtt-packet, the codec of MQTT.js: each reads what the other writes."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from mqtt_peers import MQTT_PACKET, npm_package

from hedge.net import mqtt5_codec, mqtt_codec
from hedge.net.mqtt5 import Wire

pytestmark = pytest.mark.interop

_SCRIPT = Path(__file__).with_name("mqtt_packet.cjs")
_COUNT = 150  # of each type
_OURS = {  # its name of a property -> ours
    "payloadFormatIndicator": "payload_format",
    "messageExpiryInterval": "message_expiry_s",
    "contentType": "content_type",
    "responseTopic": "response_topic",
    "correlationData": "correlation_data",
    "subscriptionIdentifier": "subscription_id",
    "sessionExpiryInterval": "session_expiry_s",
    "assignedClientIdentifier": "assigned_client_id",
    "serverKeepAlive": "server_keepalive_s",
    "willDelayInterval": "will_delay_s",
    "responseInformation": "response_info",
    "serverReference": "server_reference",
    "reasonString": "reason_string",
    "receiveMaximum": "receive_max",
    "topicAliasMaximum": "topic_alias_max",
    "maximumQoS": "max_qos",
    "retainAvailable": "retain_available",
    "userProperties": "user",
    "maximumPacketSize": "max_packet_bytes",
    "wildcardSubscriptionAvailable": "wildcard_available",
    "subscriptionIdentifiersAvailable": "subscription_ids_available",
    "sharedSubscriptionAvailable": "shared_available",
}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}
_MESSAGE = ("payload_format", "message_expiry_s", "content_type", "response_topic", "user")
_MESSAGE += ("correlation_data",)
_FLAGS = ("payload_format", "max_qos", "retain_available", "wildcard_available")
_FLAGS += ("subscription_ids_available", "shared_available")
_SHORT = ("receive_max", "topic_alias_max", "server_keepalive_s")


@pytest.fixture(scope="module")
def convert():
    """convert(version, lines) -> lines: hex to JSON and JSON to hex."""
    package = npm_package(*MQTT_PACKET)

    def run(version: int, lines: list[str]) -> list[str]:
        command = ["node", str(_SCRIPT), str(package), str(version)]
        text = "\n".join(lines)
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def _text(dice: random.Random, most: int = 20) -> str:
    return "".join(dice.choices("abc/é 水", k=dice.randint(1, most)))


def _properties(dice: random.Random, names: tuple[str, ...]) -> dict[str, Any]:
    return {n: _property(dice, n) for n in dice.sample(names, dice.randint(0, len(names)))}


def _property(dice: random.Random, name: str) -> Any:
    if name in _FLAGS:
        return dice.randint(0, 1)
    if name in _SHORT:
        return dice.randint(1, 65535)
    if name == "user":
        return [(key, _text(dice)) for key in dice.sample("abcdef", dice.randint(1, 3))]
    if name == "correlation_data":
        return dice.randbytes(dice.randint(1, 9))
    if name == "subscription_id":
        return dice.randint(1, 268435455)
    if name.endswith(("_s", "_bytes")):
        return dice.randint(1, 0xFFFFFFFF)
    return _text(dice)


def _to_theirs(properties: dict | None) -> dict:
    found = {}
    for name, value in (properties or {}).items():
        if name == "user":
            value = dict(value)
        elif name in _FLAGS and name != "max_qos":
            value = bool(value)
        elif isinstance(value, bytes):
            value = {"hex": value.hex()}
        found[_THEIRS[name]] = value
    return found


def _plain(theirs: dict | None) -> dict:
    """Objects without prototypes come as they are; only the keys they share are compared."""
    return dict(theirs or {})


def _parsed(data: bytes, parser: Any) -> tuple:
    parser.reset()
    parser.space()[: len(data)] = data
    parser.feed(len(data))
    return parser.next()


@pytest.mark.parametrize("version", [4, 5])
def test_it_reads_our_publish(convert, version):
    dice = random.Random(1)
    wire = mqtt_codec if version == 4 else Wire(1024)
    cases = []
    for i in range(_COUNT):
        topic, payload = _text(dice), dice.randbytes(dice.randint(0, 200))
        properties = _properties(dice, _MESSAGE) if version == 5 else b""
        cases.append((topic, payload, i % 3, bool(i & 4), dice.randint(1, 65535), properties))
    lines = [bytes(wire.publish(*case)).hex() for case in cases]
    for case, line in zip(cases, convert(version, lines), strict=True):
        topic, payload, qos, retain, packet_id, properties = case
        found = json.loads(line)
        assert (found["topic"], found["qos"], found["retain"]) == (topic, qos, retain)
        assert found["payload"] == {"hex": payload.hex()}
        assert found.get("messageId") == (packet_id if qos else None)
        assert _plain(found.get("properties")) == _to_theirs(properties)


def test_it_reads_our_connect(convert):
    dice = random.Random(2)
    cases, lines = [], []
    for i in range(_COUNT):
        asked = _properties(dice, ("user",))
        will_properties = _properties(dice, (*_MESSAGE, "will_delay_s"))
        expiry_s, most = dice.randint(0, 0xFFFFFFFF), dice.randint(16, 1 << 20)
        wire = Wire(most, False, expiry_s, 7, 4, 3, asked, will_properties)
        will = (_text(dice), dice.randbytes(5), i % 3, bool(i & 8)) if i & 1 else None
        user = _text(dice) if i & 2 else None
        password = _text(dice) if i & 4 else None
        lines.append(wire.connect(_text(dice), i, bool(i & 16), will, user, password).hex())
        cases.append((i, expiry_s, most, asked, will, will_properties, user, password))
    for case, line in zip(cases, convert(5, lines), strict=True):
        i, expiry_s, most, asked, will, will_properties, user, password = case
        found = json.loads(line)
        assert (found["protocolVersion"], found["keepalive"]) == (5, i)
        assert found["clean"] == bool(i & 16)
        expected = {"session_expiry_s": expiry_s, "receive_max": 7, "topic_alias_max": 3}
        expected |= {"max_packet_bytes": most, **asked}
        assert _plain(found["properties"]) == _to_theirs(expected)
        assert found.get("username") == user
        assert found.get("password") == (password and {"hex": password.encode().hex()})
        if will:
            got = found["will"]
            assert (got["topic"], got["qos"], got["retain"]) == (will[0], will[2], will[3])
            assert got["payload"] == {"hex": will[1].hex()}
            assert _plain(got.get("properties")) == _to_theirs(will_properties)


def test_it_reads_the_rest_of_ours(convert):
    wire = Wire(256)
    kinds = {"puback": 4, "pubrec": 5, "pubrel": 6, "pubcomp": 7}
    lines = [wire.ack(kind, 513, 0).hex() for kind in kinds.values()]
    lines += [wire.ack(kind, 513, 0x92).hex() for kind in (6, 7)]
    user = {"user": [("a", "b")]}
    options = {"no_local": True, "as_published": True, "retained": 2}
    more = {"subscription_id": 1000, **user}
    lines.append(wire.subscribe(9, "a/+", 1, properties=more, **options).hex())
    lines.append(wire.unsubscribe(10, "a/+").hex())
    lines.append(wire.disconnect(4, {"session_expiry_s": 9}).hex())
    lines += [mqtt_codec.PINGREQ_PACKET.hex(), wire.disconnect().hex()]
    found = [json.loads(line) for line in convert(5, lines)]
    assert [p["cmd"] for p in found[:4]] == list(kinds)
    assert all((p["messageId"], p["reasonCode"]) == (513, 0) for p in found[:4])
    assert [p["reasonCode"] for p in found[4:6]] == [0x92, 0x92]
    subscription = {"topic": "a/+", "qos": 1, "nl": True, "rap": True, "rh": 2}
    assert found[6]["subscriptions"] == [subscription]
    assert _plain(found[6]["properties"]) == {
        "subscriptionIdentifier": 1000,
        "userProperties": {"a": "b"},
    }
    assert (found[7]["cmd"], found[7]["unsubscriptions"]) == ("unsubscribe", ["a/+"])
    assert (found[8]["reasonCode"], found[8]["properties"]["sessionExpiryInterval"]) == (4, 9)
    assert [p["cmd"] for p in found[9:]] == ["pingreq", "disconnect"]


def test_we_read_its_publish(convert):
    dice = random.Random(3)
    for version in (4, 5):
        cases = []
        for i in range(_COUNT):
            found = _properties(dice, (*_MESSAGE, "subscription_id")) if version == 5 else {}
            cases.append(
                (_text(dice), dice.randbytes(dice.randint(0, 99)), i % 3, bool(i & 4), found)
            )
        packets = [
            {"cmd": "publish", "topic": t, "payload": {"hex": p.hex()}, "qos": q, "retain": r,
             "dup": False, "messageId": 700 if q else None, "properties": _to_theirs(found)}
            for t, p, q, r, found in cases
        ]  # fmt: skip
        parser = (mqtt_codec if version == 4 else mqtt5_codec).Parser(1024)
        lines = convert(version, [json.dumps(p) for p in packets])
        for case, line in zip(cases, lines, strict=True):
            topic, payload, qos, retain, found = case
            packet = _parsed(bytes.fromhex(line), parser)
            assert packet[:7] == (3, topic, payload, qos, retain, False, 700 if qos else 0)
            if version == 5:
                if "subscription_id" in found:
                    found["subscription_id"] = [found["subscription_id"]]
                assert (packet[7] or {}) == found


def test_we_read_its_answers(convert):
    dice = random.Random(4)
    names = ("assigned_client_id", "server_keepalive_s", "response_info", "server_reference")
    names += ("reason_string", "receive_max", "topic_alias_max", "max_qos", "retain_available")
    names += ("user", "max_packet_bytes", "wildcard_available", "subscription_ids_available")
    names += ("shared_available", "session_expiry_s")
    told = [_properties(dice, names) for _ in range(_COUNT)]
    said = [_properties(dice, ("reason_string", "user")) for _ in range(_COUNT)]
    packets = [
        {
            "cmd": "connack",
            "sessionPresent": bool(i & 1),
            "reasonCode": 0,
            "properties": _to_theirs(p),
        }
        for i, p in enumerate(told)
    ]
    answers = {"puback": 0x97, "pubrec": 0x87, "pubrel": 0x92, "pubcomp": 0x92}
    for name, code in answers.items():
        head = {"cmd": name, "messageId": 77, "reasonCode": code}
        packets += [{**head, "properties": _to_theirs(p)} for p in said]
    for name, codes in (("suback", [1, 0x87]), ("unsuback", [0, 0x11])):
        head = {"cmd": name, "messageId": 77, "granted": codes}
        packets += [{**head, "properties": _to_theirs(p)} for p in said]
    head = {"cmd": "disconnect", "reasonCode": 0x8E}
    packets += [{**head, "properties": _to_theirs(p)} for p in said]
    expected = [(2, bool(i & 1), 0, p) for i, p in enumerate(told)]
    for kind, code in zip((4, 5, 6, 7), answers.values(), strict=True):
        expected += [(kind, 77, code, p) for p in said]
    for kind, codes in ((9, b"\x01\x87"), (11, b"\x00\x11")):
        expected += [(kind, 77, codes, p) for p in said]
    expected += [(14, 0x8E, p) for p in said]
    parser = mqtt5_codec.Parser(1024)
    for want, line in zip(expected, convert(5, [json.dumps(p) for p in packets]), strict=True):
        packet = _parsed(bytes.fromhex(line), parser)
        assert (*packet[:-1], packet[-1] or {}) == want
