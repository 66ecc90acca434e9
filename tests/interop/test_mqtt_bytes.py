"""The client from a command line, against a broker that says hostile or unusual bytes.

Numbers in brackets are the statements of MQTT 3.1.1 and 5.0 that are held.
"""

import subprocess
import sys

import pytest
from byte_broker import SHIM, ByteBroker, Peer, play

CONNECT, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 3, 4, 5, 6, 7
SUBSCRIBE, UNSUBSCRIBE, DISCONNECT = 8, 10, 14
_NEW = {4: b"\x20\x02\x00\x00", 5: b"\x20\x03\x00\x00\x00"}
_PRESENT = {4: b"\x20\x02\x01\x00", 5: b"\x20\x03\x01\x00\x00"}
_NONE = {4: b"", 5: b"\x00"}  # no properties


@pytest.fixture(params=[4, 5])
def version(request):
    return request.param


def _connect(version, **options):
    """timeout_ms: longer than a test lasts, where it is not the time-out that is tested."""
    return {"do": "connect", "version": version, "timeout_ms": 600000, **options}


def _terms(properties):
    """CONNACK of MQTT 5."""
    return bytes((0x20, 3 + len(properties), 0, 0, len(properties))) + properties


def _publish(version, qos, packet_id, payload=b"x", flags=0):
    head = b"\x00\x01a" + (packet_id.to_bytes(2, "big") if qos else b"") + _NONE[version]
    return bytes((0x30 | qos << 1 | flags, len(head) + len(payload))) + head + payload


def _puback(packet):
    """Of a PUBLISH whose length is one byte."""
    at = 4 + packet[3]
    return b"\x40\x02" + packet[at : at + 2]


def _said(events, name):
    return [event for event in events if event["event"] == name]


# What comes in the place of CONNACK


_FIRST = {  # bytes, what the client says; it must not wait for more of them
    "HTTP": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "broke the protocol"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", "broke the protocol"),
    "zeros": (bytes(4096), "broke the protocol"),
    "ones": (b"\xff" * 64, "broke the protocol"),
    "nothing": (b"", "broker closed the connection"),
    "half": (b"\x20\x02\x00", "broker closed the connection"),
    "flags": (b"\x21\x02\x00\x00", "flags of packet type 2"),
    "acknowledge flags": (b"\x20\x03\x02\x00\x00", "broke the protocol"),
    "present on a refusal": (b"\x20\x03\x01\x87\x00", "broke the protocol"),
    "PUBLISH": (b"\x30\x05\x00\x01a\x00x", "CONNECT answered by packet type 3"),
    "PINGRESP": (b"\xd0\x00", "CONNECT answered by packet type 13"),
    "endless": (b"\x20\xff\xff\xff\xff\x7f", "broke the protocol"),
}


def test_what_is_no_connack(version):
    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        data = list(_FIRST.values())[len(broker.peers) - 1][0]
        if data:
            peer.say(data)

    with ByteBroker(talk) as broker:
        events = play(broker.port, *[_connect(version, again=False)] * len(_FIRST), code=1)
    assert {(event["event"], event["kind"]) for event in events} == {("connect", "LinkError")}
    for event, (name, (_, said)) in zip(events, _FIRST.items(), strict=True):
        assert said in event["error"], name


_REFUSALS = {
    (4, 1): "protocol version not accepted",
    (4, 2): "client id not accepted",
    (4, 4): "bad user name or password",
    (4, 77): "code 77",
    (5, 0x85): "client id not accepted (0x85)",
    (5, 0x86): "bad user name or password (0x86)",
    (5, 0x9F): "connection rate exceeded (0x9f)",
}


def test_a_refusal_is_in_words_and_ends_the_connection(version):
    codes = [code for of, code in _REFUSALS if of == version]

    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        code = bytes((codes[len(broker.peers) - 1],))
        peer.say(b"\x20\x02\x00" + code if version == 4 else b"\x20\x03\x00" + code + b"\x00")
        assert peer.rest() == []

    with ByteBroker(talk) as broker:
        events = play(broker.port, *[_connect(version, again=False)] * len(codes), code=1)
    said = [f"broker refused: {_REFUSALS[version, code]}" for code in codes]
    assert [event["error"] for event in events] == said


def test_a_broker_that_says_nothing(version):
    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.rest()

    with ByteBroker(talk) as broker:
        (event,) = play(broker.port, _connect(version, timeout_ms=300), code=1)
    assert event["error"] == "no answer to CONNECT in 300 ms"


def test_a_session_that_the_client_has_not(version):
    """[3.1.1 3.2.2-4; 5 3.2.2-4]: nothing goes out into it."""

    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.say(_PRESENT[version])
        assert all(packet[0] >> 4 == DISCONNECT for packet in peer.rest())

    with ByteBroker(talk) as broker:
        (event,) = play(broker.port, _connect(version, clean_session=True), code=1)
    assert "session present on a clean session" in event["error"]


def test_an_empty_client_id(version):
    """[3.1.3-7]; MQTT 5's broker gives one, and it is used again."""

    def talk(peer: Peer) -> None:
        packet = peer.expect(CONNECT)
        if len(broker.peers) == 1:
            assert packet[9] == 2 and b"\x00\x00" in packet[-4:]
            peer.say(_NEW[4] if version == 4 else _terms(b"\x12\x00\x03own"))
        else:
            assert version == 4 or packet.endswith(b"\x00\x03own")
            peer.say(_NEW[version])
        peer.rest()

    with ByteBroker(talk) as broker:
        connect = _connect(version, id="")
        events = play(broker.port, connect, {"do": "close"}, {"do": "connect"})
    assert events[-1]["id"] == ("" if version == 4 else "own")


# In a session


def test_a_byte_at_a_time(version):
    """Each packet in segments of one byte, and several packets in one."""

    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.say(_NEW[version], piece=1)
        packet = peer.expect(SUBSCRIBE)
        suback = (
            b"\x90" + bytes((3 + len(_NONE[version]),)) + packet[2:4] + _NONE[version] + b"\x02"
        )
        peer.say(suback + _publish(version, 1, 7), piece=1)
        assert peer.expect(PUBACK)[2:4] == b"\x00\x07"
        peer.say(_publish(version, 0, 0) * 3 + _publish(version, 2, 8))
        assert peer.expect(PUBREC)[2:4] == b"\x00\x08"
        peer.say(b"\x62\x02\x00\x08", piece=1)
        assert peer.expect(PUBCOMP)[2:4] == b"\x00\x08"
        peer.say(_publish(version, 0, 0), piece=1)
        packet = peer.expect(PUBLISH)
        at = 4 + packet[3]
        for kind in (0x50, 0x70):
            peer.say(bytes((kind, 2)) + packet[at : at + 2], piece=1)
        assert peer.expect(PUBREL)[2:4] == packet[at : at + 2]
        peer.expect(DISCONNECT)

    with ByteBroker(talk) as broker:
        events = play(
            broker.port,
            _connect(version),
            {"do": "subscribe", "topic": "a/+/#", "qos": 2},
            {"do": "wait", "messages": 6},
            {"do": "publish", "topic": "b", "qos": 2},
            {"do": "disconnect"},
        )
    assert len(_said(events, "message")) == 6


_BROKEN = {  # in a session, by what the client says; the reason that MQTT 5 sends, 4.13
    "QoS 3": (b"\x36\x05\x00\x01a\x00\x01", 0x81),
    "DUP at QoS 0": (b"\x38\x04\x00\x01a\x00", 0x81),
    "bad topic name": (b"\x30\x04\x00\x01+\x00", 0x81),
    "bad topic name ": (b"\x30\x04\x00\x01#\x00", 0x81),
    "bad topic name  ": (b"\x30\x04\x00\x01\x00\x00", 0x81),
    "bad topic name   ": (b"\x30\x06\x00\x03\xed\xa0\x80\x00", 0x81),
    "packet id 0": (b"\x32\x06\x00\x01a\x00\x00\x00", 0x81),
    "flags of packet type 6": (b"\x60\x02\x00\x01", 0x81),
    "packet type 8": (b"\x82\x06\x00\x01\x00\x01a\x00", 0x82),
    "packet type 0": (b"\x00\x00", 0x82),
    "remaining length of more than 4 bytes": (b"\x30\xff\xff\xff\xff\x01", 0x81),
}


def test_a_broken_protocol_ends_the_session_with_a_reason(version):
    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        data, code = list(_BROKEN.values())[len(broker.peers) - 1]
        peer.say(_NEW[version] + data)
        end = [] if version == 4 else [b"\xe0\x02" + bytes((code, 0))]
        assert [p for p in peer.rest() if p[0] >> 4 != 12] == end, data

    with ByteBroker(talk) as broker:
        session = [_connect(version, again=False), {"do": "wait", "lost": True}]
        events = play(broker.port, *session * len(_BROKEN))
    for said, event in zip(_BROKEN, _said(events, "lost"), strict=True):
        assert said.rstrip() in event["reason"]


def test_a_qos_2_message_that_comes_twice_is_handed_over_once(version):
    """[4.3.3]: with the same id until PUBREL; each PUBLISH and PUBREL is answered."""

    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.say(_NEW[version] + _publish(version, 2, 7) + _publish(version, 2, 7, flags=8))
        for _ in range(2):
            assert peer.expect(PUBREC)[2:4] == b"\x00\x07"
        peer.say(b"\x62\x02\x00\x07" * 2)
        codes = [peer.expect(PUBCOMP)[4:] for _ in range(2)]
        assert codes == ([b"", b""] if version == 4 else [b"", b"\x92"])
        peer.say(_publish(version, 2, 7, b"y"))
        peer.expect(PUBREC)
        peer.rest()

    with ByteBroker(talk) as broker:
        wait = {"do": "wait", "messages": 2}
        events = play(broker.port, _connect(version), wait, {"do": "sleep", "ms": 200})
    assert [event["payload_hex"] for event in _said(events, "message")] == ["78", "79"]


def test_what_is_in_flight_goes_out_again_with_its_id(version):
    """[4.4.0-1, 3.3.1-1]: and only at a reconnect."""

    def talk(peer: Peer) -> None:
        first = len(broker.peers) == 1
        peer.expect(CONNECT)
        peer.say((_NEW if first else _PRESENT)[version])
        packet = peer.expect(PUBLISH)
        if first:
            assert peer.is_silent()
        else:
            earlier = broker.peers[0].heard[1]
            assert packet == bytes((earlier[0] | 8,)) + earlier[1:]
            peer.say(_puback(packet))
            peer.rest()

    with ByteBroker(talk) as broker:
        publish = {"do": "publish", "topic": "b", "qos": 1, "wait": False}
        lost = {"do": "wait", "lost": True}
        again = [{"do": "connect"}, {"do": "wait", "inflight": 0}]
        events = play(broker.port, _connect(version), publish, lost, *again)
    assert [event["present"] for event in _said(events, "connect")] == [False, True]


def test_no_topics_that_are_none(version):
    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.say(_NEW[version])
        assert [packet[0] >> 4 for packet in peer.rest()] == [DISCONNECT]

    with ByteBroker(talk) as broker:
        bad = [{"do": "publish", "topic": topic} for topic in ("", "a/+", "#", "a\0")]
        bad += [{"do": "subscribe", "topic": topic} for topic in ("", "a#", "#/a", "a+")]
        events = play(broker.port, _connect(version), *bad, {"do": "disconnect"}, code=1)
    assert len([event for event in events if event.get("kind") == "ValueError"]) == 8


def test_an_oversized_message(version):
    """3.1.1: read away and acknowledged; 5: CONNECT named the size [3.1.2-24]."""
    big = b"\x32\x88\x20\x00\x01a\x00\x07" + bytes(4099)

    def talk(peer: Peer) -> None:
        hello = peer.expect(CONNECT)
        assert version == 4 or b"\x27\x00\x00\x01\x00" in hello
        peer.say(_NEW[version] + big[: len(big) if version == 4 else 20], piece=1000)
        if version == 4:
            assert peer.expect(PUBACK)[2:4] == b"\x00\x07"
            peer.say(_publish(version, 1, 8))
            peer.expect(PUBACK)
        else:
            assert peer.rest() == [b"\xe0\x02\x95\x00"]

    with ByteBroker(talk) as broker:
        wait = {"do": "wait", "messages": 1} if version == 4 else {"do": "wait", "lost": True}
        connect = _connect(version, max_packet_bytes=256)
        events = play(broker.port, connect, wait, {"do": "stats"})
    assert _said(events, "stats")[0]["oversized"] == (version == 4)


def test_a_peer_that_falls_silent_is_pinged_and_left(version):
    """[3.1.2-23, -24]"""

    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.say(_NEW[version])
        assert peer.next() == b"\xc0\x00"
        peer.rest()

    with ByteBroker(talk) as broker:
        connect = _connect(version, keepalive_s=1, timeout_ms=5000)  # CONNACK has as long
        events = play(broker.port, connect, {"do": "wait", "lost": True})
    assert "no answer to PINGREQ" in _said(events, "lost")[0]["reason"]


# MQTT 5 alone


def test_5_reasons_are_told_in_words():
    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.say(_NEW[5])
        packet = peer.expect(PUBLISH)
        peer.say(b"\x40\x0a" + _puback(packet)[2:] + b"\x97\x06\x1f\x00\x03why")
        packet = peer.expect(PUBLISH)
        peer.say(b"\x50\x03" + _puback(packet)[2:] + b"\x87")
        packet = peer.expect(SUBSCRIBE)
        peer.say(b"\x90\x04" + packet[2:4] + b"\x00\x9e")
        packet = peer.expect(UNSUBSCRIBE)
        peer.say(b"\xb0\x04" + packet[2:4] + b"\x00\x87")
        peer.expect(PUBLISH)  # said after the answer was taken: the end would hide it
        peer.say(b"\xe0\x0a\x8b\x08\x1f\x00\x05later")
        assert peer.rest() == []

    with ByteBroker(talk) as broker:
        events = play(
            broker.port,
            _connect(5),
            {"do": "publish", "topic": "b", "qos": 1},
            {"do": "publish", "topic": "b", "qos": 2},
            {"do": "subscribe", "topic": "b"},
            {"do": "unsubscribe", "topic": "b"},
            {"do": "publish", "topic": "c"},
            {"do": "wait", "lost": True},
            code=1,
        )
    errors = [event["error"] for event in events if "error" in event]
    assert [error.rsplit(": ", 1)[-1] for error in errors[1:4]] == [
        "not authorized (0x87)",
        "shared subscriptions not supported (0x9e)",
        "not authorized (0x87)",
    ]
    assert errors[0].endswith("quota exceeded (0x97): why")
    assert _said(events, "lost")[0]["reason"].endswith("server shutting down (0x8b): later")


def test_5_receive_maximum_of_one():
    """[3.3.4-7, 4.9]: for QoS 2 until PUBCOMP."""

    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.say(_terms(b"\x21\x00\x01"))
        for i in range(2):
            packet = peer.expect(PUBLISH)
            assert packet[-1:] == b"%d" % i
            assert peer.is_silent()
            peer.say(b"\x50\x02" + _puback(packet)[2:])
            peer.expect(PUBREL)
            assert peer.is_silent()
            peer.say(b"\x70\x02" + _puback(packet)[2:])
        peer.rest()

    with ByteBroker(talk) as broker:
        publish = {"do": "publish", "topic": "b", "qos": 2, "wait": False, "count": 2}
        play(broker.port, _connect(5), publish, {"do": "wait", "inflight": 0})


@pytest.mark.parametrize("most", [0, 1])
def test_5_topic_aliases_up_to_what_the_broker_takes(most):
    """[3.3.2-9, -10]"""

    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.say(_terms(b"\x22\x00\x01" if most else b""))
        topics = [(peer.expect(PUBLISH)[4:5], peer.expect(PUBLISH)[3]) for _ in "bc"]
        assert topics == ([(b"b", 0), (b"c", 1)] if most else [(b"b", 1), (b"c", 1)])

    with ByteBroker(talk) as broker:
        twice = [{"do": "publish", "topic": topic, "count": 2} for topic in ("b", "c")]
        play(broker.port, _connect(5), *twice, {"do": "disconnect"})


def test_5_an_alias_of_the_broker_that_was_not_allowed():
    """[3.1.2-26, 3.3.2-11]"""

    def talk(peer: Peer) -> None:
        assert b"\x22" not in peer.expect(CONNECT)[12:25]
        peer.say(_NEW[5] + b"\x30\x07\x00\x01a\x03\x23\x00\x01")
        assert peer.rest() == [b"\xe0\x02\x94\x00"]

    with ByteBroker(talk) as broker:
        play(broker.port, _connect(5), {"do": "wait", "lost": True})


def test_5_terms_of_the_broker_are_kept():
    """[3.2.2-11, -14, -15, -21]: QoS, retain, packet size, keep-alive."""

    def talk(peer: Peer) -> None:
        peer.expect(CONNECT)
        peer.say(_terms(b"\x24\x00" + b"\x25\x00" + b"\x27\x00\x00\x00\x14" + b"\x13\x00\x01"))
        assert peer.next() == b"\xc0\x00"
        peer.say(b"\xd0\x00")
        assert {packet[0] for packet in peer.rest()} <= {0xC0, 0x30, 0xE0}

    with ByteBroker(talk) as broker:
        events = play(
            broker.port,
            _connect(5, keepalive_s=600),
            {"do": "publish", "topic": "b", "qos": 1},
            {"do": "publish", "topic": "b", "retain": True},
            {"do": "publish", "topic": "b", "payload": 20 * "x"},
            {"do": "sleep", "ms": 1200},
            {"do": "publish", "topic": "b", "payload": "x"},
            {"do": "disconnect"},
            code=1,
        )
    assert [bool("error" in event) for event in _said(events, "publish")] == [True] * 3 + [False]


# The command line itself


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "Exit code"),
        ([], 2, "usage"),
        (["127.0.0.1"], 2, "usage"),
        (["127.0.0.1", "mqtt"], 2, "usage"),
        (["127.0.0.1", "1", "nonsense"], 1, "JSON"),
        (["127.0.0.1", "1", "[]"], 1, "not a command"),
        (["127.0.0.1", "1", '{"do": "connekt"}'], 1, "no such command"),
        (["127.0.0.1", "1", '{"do": "publish", "topic": "a"}'], 1, "connect comes first"),
        (["127.0.0.1", "1", '{"do": "connect"}'], 1, "ECONNREFUSED"),
        (["127.0.0.1", "1", '{"do": "sleep"}'], 1, "ms is missing"),
    ],
)
def test_the_command_line(arguments, code, said):
    line = [sys.executable, str(SHIM), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
