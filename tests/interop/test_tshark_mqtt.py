"""What our MQTT client and mosquitto said to each other, as Wireshark reads it."""

import pytest
from mqtt_peers import Shim
from peers import soon
from tshark_peer import RAW_IP, TcpStream, dissect

pytestmark = pytest.mark.interop

_PORT = 1883
CONNECT, PUBLISH, PUBREL, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT = 1, 3, 6, 8, 10, 14
_PROPERTIES = {
    "content_type": "text/é",
    "correlation_data": {"hex": "4142"},  # tshark takes it for text and warns of a 0
    "user": [["a", "b"], ["a", "c"]],
    "response_topic": "to/us",
    "message_expiry_s": 60,
    "payload_format": 1,
}
_WILL = {"topic": "s/will", "payload": "gone", "qos": 2, "retain": True}


def _heard(relay):
    """Layers of the client and of the broker, each in order."""
    streams: dict[int, TcpStream] = {}
    packets, ups = [], []
    for number, up, data in relay.passed:
        stream = streams.setdefault(number, TcpStream(_PORT, 40000 + number))
        packets.append(stream.segment(data, up=up))
        ups.append(up)
    sides: dict[bool, list] = {True: [], False: []}
    for layer in dissect(RAW_IP, packets, "mqtt"):
        sides[ups[layer.packet]].append(layer)
    return sides[True], sides[False]


def _types(layers):
    return [int(layer.get("mqtt.msgtype")) for layer in layers]


def _published(layers):
    """(topic, QoS, retain, payload) of each PUBLISH."""
    return [
        (
            layer.get("mqtt.topic"),
            int(layer.get("mqtt.qos")),
            layer.get("mqtt.retain") == "1",
            layer.bytes("mqtt.msg"),
        )
        for layer in layers
        if layer.get("mqtt.msgtype") == str(PUBLISH)
    ]


def _life(shim, version):
    """Something of everything; returns what was published."""
    shim.do("connect", id="bed-3", version=version, clean_session=True, will=_WILL, keepalive_s=77)
    sent = []
    for qos in (0, 1, 2):
        shim.do("subscribe", topic=f"a/{qos}", qos=qos)
        for size in (1, 100, 700):  # a remaining length of one byte and of two
            text = "x" * size
            shim.do("publish", topic=f"a/{qos}", payload=text, qos=qos, retain=size == 1)
            sent.append((f"a/{qos}", qos, size == 1, text.encode()))
    shim.do("wait", messages=9)
    shim.do("unsubscribe", topic="a/1")
    return sent


@pytest.mark.parametrize("version", [4, 5])
def test_a_session(mosquitto_broker, relay_to, version):
    relay = relay_to(mosquitto_broker.port)
    with Shim(relay.port) as shim:
        sent = _life(shim, version)
        shim.do("disconnect")
        soon(lambda: relay.ended == 1, "the end of the connection")
    ours, theirs = _heard(relay)
    assert [layer.problems for layer in ours + theirs if layer.problems] == []
    assert _published(ours) == sent
    assert sorted(_published(theirs)) == sorted((t, q, False, p) for t, q, _, p in sent)
    kinds = _types(ours)
    assert kinds.count(CONNECT) == kinds.count(UNSUBSCRIBE) == kinds.count(DISCONNECT) == 1
    assert (kinds.count(SUBSCRIBE), kinds.count(PUBREL)) == (3, 3)
    hello = ours[0]
    shown = {n: hello.get("mqtt." + n) for n in ("ver", "clientid", "kalive", "willtopic")}
    assert shown == {
        "ver": str(version),
        "clientid": "bed-3",
        "kalive": "77",
        "willtopic": "s/will",
    }
    assert hello.bytes("mqtt.willmsg") == b"gone"
    flags = {n: hello.get("mqtt.conflag." + n) for n in ("cleansess", "qos", "retain")}
    assert flags == {"cleansess": "1", "qos": "2", "retain": "1"}


def test_properties_of_5(mosquitto_broker, relay_to):
    """Of each packet that may carry some; a topic alias is filled in by tshark."""
    relay = relay_to(mosquitto_broker.port)
    with Shim(relay.port) as shim:
        will = {"will_properties": {"will_delay_s": 3, "user": [["w", "1"]]}, "will": _WILL}
        shim.do(
            "connect", version=5, session_expiry_s=60, receive_max=9, topic_alias_max=5, **will
        )
        shim.do("subscribe", topic="to/us", qos=1, properties={"subscription_id": 7})
        for _ in range(3):
            shim.do("publish", topic="to/us", payload="hi", qos=1, properties=_PROPERTIES)
        shim.do("wait", messages=3)
        shim.do("disconnect", code=4, properties={"session_expiry_s": 5})
        soon(lambda: relay.ended == 1, "the end of the connection")
    ours, theirs = _heard(relay)
    assert [layer.problems for layer in ours + theirs if layer.problems] == []
    published = [layer for layer in ours if layer.get("mqtt.msgtype") == str(PUBLISH)]
    assert [layer.get("mqtt.topic_len") for layer in published][-1] == "0", "no alias was used"
    for layer in published:
        assert layer.all("mqtt.property.content_type")[:1] == ["text/é"]
        pairs = zip(layer.all("mqtt.prop_key"), layer.all("mqtt.prop_value"), strict=True)
        assert list(pairs) == [("a", "b"), ("a", "c")]
        assert "60" in layer.all("mqtt.prop_number")
    assert {"60", "9", "5"} <= set(ours[0].all("mqtt.prop_number"))
    assert ours[-1].get("mqtt.disconnect.reason_code") == "4"
