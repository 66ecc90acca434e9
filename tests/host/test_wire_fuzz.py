"""Noise and round trips by hypothesis; spoilt packets for every reader are in test_fuzz.py."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedge.core.errors import FrameError
from hedge.wire import ack, cbor, frame, senml, senml_json


def test_a_message_of_many_brackets_is_refused():
    for text in ("[" * 16000, '[{"n":' * 2000, json.dumps([{"n": "a", "v": 1}] * 700)):
        with pytest.raises(FrameError):
            senml_json.decode(text)


_READERS = (
    cbor.decode,
    senml.decode,
    frame.unpack,
    ack.unpack,
    lambda data: frame.unpack(data, b"key"),
)


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=300))
def test_noise(data):
    for reader in _READERS:
        try:
            reader(data)
        except FrameError:
            continue


_SCALARS = (
    st.integers(-(1 << 500), 1 << 500)
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.none()
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
_KEYS = st.integers(-(1 << 70), 1 << 70) | st.text(max_size=8) | st.binary(max_size=8)
_ITEMS = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


def _depth(item):
    if isinstance(item, dict):
        return 1 + max([_depth(v) for v in item.values()], default=0)
    return 1 + max([_depth(v) for v in item], default=0) if isinstance(item, list) else 0


@settings(max_examples=300, deadline=None)
@given(_ITEMS.filter(lambda item: _depth(item) < cbor.MAX_DEPTH))
def test_cbor_round_trip_is_deterministic(item):
    data = cbor.encode(item)
    assert cbor.decode(data) == item
    assert cbor.encode(cbor.decode(data)) == data


_NAMES = st.from_regex(r"[a-z0-9][a-z0-9.:/_-]{0,20}", fullmatch=True)
_VALUES = (
    st.integers(-(1 << 62), 1 << 62) | st.booleans() | st.text(max_size=20) | st.binary(max_size=9)
)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 1 << 32),
    st.lists(st.tuples(_NAMES, st.none() | st.sampled_from(["%", "Cel"]), _VALUES), min_size=1),
)
def test_senml_round_trip(time_s, entries):
    entries = entries[: senml.MAX_RECORDS]
    decoded = senml.decode(senml.encode(time_s, entries))
    assert decoded == [(name, unit, value, time_s) for name, unit, value in entries]


_U32 = st.integers(1, 0xFFFFFFFF)


@settings(max_examples=300, deadline=None)
@given(
    st.from_regex(r"[a-z0-9-]{1,24}", fullmatch=True),
    _U32,
    st.integers(0, 255),
    _U32,
    st.lists(st.binary(min_size=1, max_size=60), max_size=3),
    st.booleans(),
    st.none() | st.binary(min_size=1, max_size=80),
)
def test_frame_round_trip(device, boot, stream, seq, records, backlog, key):
    seq = min(seq, 0xFFFFFFF0)
    data = frame.pack(device, boot, stream, seq, max(1, seq // 2), records, backlog, key)
    assert len(data) == frame.frame_len(device, boot, stream, seq, max(1, seq // 2), records, key)
    got = frame.unpack(data, lambda name: key if name == device else None)
    assert vars(got) == {
        "device": device,
        "boot": boot,
        "stream": stream,
        "seq": seq,
        "oldest": max(1, seq // 2),
        "records": records,
        "backlog": backlog,
    }


@settings(max_examples=500, deadline=None)
@given(
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.lists(st.tuples(_U32, st.integers(0, 255), _U32), max_size=ack.MAX_MARKS),
    st.none() | st.binary(min_size=1, max_size=80),
)
def test_ack_round_trip(generation, epoch_s, marks, key):
    data = ack.pack(generation, epoch_s, marks, "node-1", key)
    assert ack.unpack(data, "node-1", key) == (generation, epoch_s, marks)
