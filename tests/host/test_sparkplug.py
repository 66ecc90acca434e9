"""Sparkplug B without a broker: order of messages, sequence numbers, what a command may ask."""

import pytest

from hedgerow.errors import UsageError
from hedgerow.gateway.mirror import protobuf
from hedgerow.gateway.mirror import sparkplug_payload as payload
from hedgerow.gateway.mirror.snapshot import Device, Value
from hedgerow.gateway.mirror.sparkplug import EdgeNode, parse_place

_REBIRTH = payload.Metric("Node Control/Rebirth", payload.BOOLEAN, True, 0)


def _device(vwc=20.0, *more, online=True, id_="bed-1"):
    values = (Value("soil.vwc", "%", "number", vwc, 5.0), *more)
    return Device(id_, "Bed", online, "0.1.0", "UNIX", values)


def _node():
    edge = EdgeNode("farm", "gate", now_s=lambda: 1000.0)
    edge.will()
    return edge


def _kinds(messages):
    return [message.topic.split("/")[2] for message in messages]


def _seq(message):
    (found,) = [value for number, _, value in protobuf.fields(message.payload) if number == 3]
    return found


def test_births_come_before_data_and_only_changes_are_data():
    edge = _node()
    assert _kinds(edge.born()) == ["NBIRTH"]
    assert _kinds(edge.update([_device()])) == ["DBIRTH", "NDATA"]  # a node more
    assert edge.update([_device()]) == []
    assert _kinds(edge.update([_device(21.0)])) == ["DDATA"]


def test_a_new_metric_or_another_type_is_a_birth():
    edge = _node()
    edge.born()
    edge.update([_device()])
    text = Value("rule", "", "text", "dry", 6.0)
    assert _kinds(edge.update([_device(20.0, text)])) == ["DBIRTH"]
    number = Value("rule", "", "number", 5, 7.0)
    assert _kinds(edge.update([_device(20.0, number)])) == ["DBIRTH"]


def test_offline_and_gone_are_deaths_and_back_is_a_birth():
    edge = _node()
    edge.born()
    edge.update([_device(), _device(id_="bed-2")])
    assert _kinds(edge.update([_device(online=False)])) == ["DDEATH", "DDEATH", "NDATA"]
    assert edge.update([_device(online=False)]) == []
    assert _kinds(edge.update([_device()])) == ["DBIRTH", "NDATA"]


def _visitor(vwc, time_s):
    return Device("bed-9", "Bed", False, "", "", (Value("soil.vwc", "%", "number", vwc, time_s),))


def test_a_visit_between_two_looks_is_a_birth_and_a_death():
    """A node that sleeps is there for less time than lies between two looks."""
    edge = _node()
    edge.born()
    assert edge.update([_device(online=False)]) == []  # away from the start: its values are old
    away = _device(online=False)
    assert _kinds(edge.update([away, _visitor(20.0, 7.0)])) == ["DBIRTH", "DDEATH"]
    assert edge.update([away, _visitor(20.0, 7.0)]) == []
    assert _kinds(edge.update([away, _visitor(21.0, 8.0)])) == ["DBIRTH", "DDEATH"]
    assert _kinds(edge.born() + edge.update([away, _visitor(21.0, 8.0)])) == ["NBIRTH"]


def test_what_a_node_brought_before_it_left_is_told_before_its_death():
    edge = _node()
    edge.born()
    edge.update([_device()])
    left = Device("bed-1", "Bed", False, "", "", (Value("soil.vwc", "%", "number", 25.0, 9.0),))
    assert _kinds(edge.update([left])) == ["DDATA", "DDEATH", "NDATA"]


def test_seq_goes_around_and_a_birth_starts_it_anew():
    edge = _node()
    assert _seq(edge.born()[0]) == 0
    edge.update([_device()])
    seqs = [_seq(edge.update([_device(float(n))])[0]) for n in range(300)]
    assert seqs == [(3 + n) % 256 for n in range(300)]
    assert _seq(edge.born()[0]) == 0


def test_bd_seq_grows_with_each_connection_and_goes_around():
    edge = EdgeNode("farm", "gate", now_s=lambda: 1000.0)
    wills = [edge.will().payload for _ in range(257)]
    assert len(set(wills[:256])) == 256
    assert wills[0] == wills[256]


def test_only_a_rebirth_of_this_edge_node_is_obeyed():
    edge = _node()
    edge.born()
    edge.update([_device()])
    ask = payload.encode(0, [_REBIRTH], None)
    assert _kinds(edge.received("spBv1.0/farm/NCMD/gate", ask)) == ["NBIRTH", "DBIRTH"]
    assert edge.received("spBv1.0/farm/DCMD/gate/bed-1", ask) == []
    for wrong in (b"", b"\xff", b"\x10\x01", b"\x12\x05ab", ask[:-1], ask[:9]):
        assert edge.received("spBv1.0/farm/NCMD/gate", wrong) == []


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, (1 << 63) - 1, -1, -(1 << 63)])
def test_varints_come_back(value):
    assert list(protobuf.fields(protobuf.uint(5, value))) == [(5, 0, value % (1 << 64))]


def test_varints_of_the_documentation():
    # "Encoding": field 1 = 150 is 08 96 01; field 2 = "testing" is 12 07 and its letters.
    assert protobuf.uint(1, 150) == bytes.fromhex("089601")
    assert protobuf.data(2, "testing") == bytes.fromhex("120774657374696e67")


@pytest.mark.parametrize(
    "text",
    ["08", "0896", "00", "12", "120574", "0d000000", "0900", "0b", "0e00", "08" + "ff" * 10],
)
def test_malformed_messages_are_value_errors(text):
    with pytest.raises(ValueError, match=r"^protobuf: "):
        list(protobuf.fields(bytes.fromhex(text)))


def test_the_place_in_the_name_space():
    assert parse_place("farm") == ("farm", "hedgerow")
    assert parse_place("farm/gate") == ("farm", "gate")
    for wrong in ("", "a/", "/b", "a/b/c", "a+", "a/#"):
        with pytest.raises(UsageError, match="GROUP/EDGE"):
            parse_place(wrong)
