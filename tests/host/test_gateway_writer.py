"""The writer thread: no ack while the database refuses; one bad message stops nobody."""

import sqlite3
import time

import pytest

from hedgerow.gateway.messages import Inbound, Outbound
from hedgerow.gateway.watermark import StreamKey
from hedgerow.gateway.writer import Writer


class FakeIngest:
    """Commits by noting it; raises `fault` until it is None."""

    def __init__(self, fault=None, poison=None):
        self.fault = fault
        self.poison = poison
        self.committed = []

    def commit(self, messages):
        if self.fault:
            raise self.fault
        if self.poison in [m.data for m in messages]:
            raise KeyError("a bug of ours")
        self.committed += [m.data for m in messages]
        self.outcomes = [StreamKey("t", 1, 1) for _ in messages]
        return [Outbound("hedge/t/ack", m.data) for m in messages]

    def tick(self, now_s):
        pass


class Bench:
    def __init__(self, ingest):
        self.ingest, self.acks, self.done = ingest, [], []
        self.writer = Writer(ingest, self.acks.append)
        self.writer.start()

    def put(self, data):
        self.writer.put(Inbound("t", data, 0.0), lambda: self.done.append(data))

    def wait(self, check):
        deadline_s = time.monotonic() + 60
        while not check():
            assert time.monotonic() < deadline_s
            time.sleep(0.01)

    def wait_done(self, count):
        self.wait(lambda: len(self.done) >= count)


@pytest.fixture
def bench(request):
    made = Bench(FakeIngest(**request.param))
    yield made
    made.writer.stop()


FULL = sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize("bench", [{}], indirect=True)
def test_acks_follow_the_commit_in_order(bench):
    for n in range(500):
        bench.put(b"%d" % n)
    bench.wait_done(500)
    assert bench.done == bench.ingest.committed == [b"%d" % n for n in range(500)]
    bench.writer.stop()
    assert [out.data for out in bench.acks] == bench.done


@pytest.mark.parametrize("bench", [{"fault": FULL}], indirect=True)
def test_full_disk_is_retried_and_shown(bench, caplog):
    bench.put(b"a")
    bench.wait(lambda: bench.writer.fault)
    assert "disk is full" in bench.writer.fault
    assert bench.done == []
    bench.ingest.fault = None
    bench.wait_done(1)
    bench.writer.stop()
    assert bench.writer.fault == ""
    messages = [r.getMessage() for r in caplog.records if r.levelname in ("ERROR", "WARNING")]
    assert len(messages) == 2  # the first failure and the recovery


@pytest.mark.parametrize("bench", [{"poison": b"bad"}], indirect=True)
def test_a_message_that_trips_a_bug_stops_nobody(bench, caplog):
    for data in (b"a", b"bad", b"b"):
        bench.put(data)
    bench.wait_done(3)
    assert bench.ingest.committed == [b"a", b"b"]
    assert "a bug of ours" in caplog.text
