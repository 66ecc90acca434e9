"""Whatever bytes come on whatever topic: counted or stored, never a crash, never a wrong ack."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hedge.wire import ack, frame, senml
from hedgerow.gateway.database import open_database
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound
from hedgerow.gateway.watermark import StreamKey

NOW_S = 1_790_000_000.0
DEVICE = "bed-1"

quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

topics = st.one_of(
    st.sampled_from(["hedge/bed-1/up", "hedge/bed-1/info", "hedge/bed-1/status"]),
    st.text(max_size=60),
)
good = frame.pack(DEVICE, 1, 1, 7, 3, [senml.encode(NOW_S, [("soil.vwc", "%", 20.5)])] * 3)


@st.composite
def mutations(draw):
    """A good frame with some bytes changed, cut or added."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data) - 1))
        data[place] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] + draw(st.binary(max_size=20)))


@pytest.fixture
def ingest():
    with contextlib.closing(open_database(":memory:")) as db:
        yield Ingest(db)


@quick
@given(messages=st.lists(st.tuples(topics, st.one_of(st.binary(max_size=300), mutations()))))
def test_wild_messages(ingest, messages):
    ingest.commit([Inbound(topic, data, NOW_S) for topic, data in messages])
    ingest.tick(NOW_S)


@quick
@given(payloads=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=3))
def test_wild_payloads_in_good_frames(payloads):
    with contextlib.closing(open_database(":memory:")) as db:
        data = frame.pack(DEVICE, 1, 1, 1, 1, payloads)
        (out,) = Ingest(db).commit([Inbound("hedge/bed-1/up", data, NOW_S)])
        assert ack.unpack(out.data)[2] == [(1, 1, len(payloads))]
        stored = [bytes(row[0]) for row in db.execute("SELECT payload FROM record ORDER BY seq")]
        assert stored == payloads


# A model of the ack rule: records arrive in any order, repeated, some never.

steps = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 4), st.integers(0, 29)), min_size=1, max_size=40
)


@quick
@given(steps=steps)
def test_watermark_against_a_model(steps):
    """upto is the highest n with all of 1..n stored or below some `oldest`; gaps are the rest."""
    with contextlib.closing(open_database(":memory:")) as db:
        ingest = Ingest(db)
        stored, floor = set(), 0
        for seq, count, behind in steps:
            oldest = max(1, seq - behind)
            payloads = [senml.encode(NOW_S, [("n", None, seq + i)]) for i in range(count)]
            data = frame.pack(DEVICE, 1, 1, seq, oldest, payloads)
            (out,) = ingest.commit([Inbound("hedge/bed-1/up", data, NOW_S)])
            stored |= set(range(seq, seq + count))
            floor = max(floor, oldest - 1)
            upto = floor
            while upto + 1 in stored:
                upto += 1
            assert ack.unpack(out.data)[2] == [(1, 1, upto)]
        missing = {n for n in range(1, floor + 1) if n not in stored}
        assert gaps_of(db, StreamKey(DEVICE, 1, 1)) == missing
        (count,) = db.execute("SELECT stored FROM watermark").fetchone()
        assert count == len(stored)


def gaps_of(db, key):
    sql = "SELECT first_seq, last_seq FROM gap WHERE device = ? AND boot = ? AND stream = ?"
    ranges = [range(first, last + 1) for first, last in db.execute(sql, key)]
    assert sum(len(r) for r in ranges) == len({n for r in ranges for n in r}), "gaps overlap"
    return {n for r in ranges for n in r}
