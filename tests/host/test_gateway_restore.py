"""A database restored from a backup: noticed by the gateway or by the node, and filled again."""

import contextlib
import os
import shutil
import sqlite3

import pytest

from hedge.store import Store
from hedge.store.log import EVENTS, TELEMETRY
from hedge.wire import ack, frame, senml
from hedgerow.gateway.database import open_database
from hedgerow.gateway.generation import commits_path
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound

NOW_S = 1_790_000_000.0
DEVICE = "bed-1"


class Farm:
    """A gateway's database and one node's store; exchange() is a lossless link between them.

    What the node does with acks is done by its own Uplink, sans its tasks.
    """

    def __init__(self, folder):
        self.path = folder / "farm.db"
        self.store = Store(str(folder / "log"), max_bytes=16384, segment_bytes=1024)
        self.store.open()
        self.open()

    def open(self):
        self.db = open_database(self.path)
        self.ingest = Ingest(self.db)

    def restart(self):
        self.db.close()
        self.open()

    def back_up(self):
        copy = self.path.with_name("backup.db")
        with contextlib.closing(sqlite3.connect(copy)) as target:
            self.db.backup(target)
        shutil.copy(commits_path(self.path), copy.with_name("backup.commits"))

    def restore(self, *, with_count=False):
        self.db.close()
        for ending in ("-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        shutil.copy(self.path.with_name("backup.db"), self.path)
        if with_count:
            shutil.copy(self.path.with_name("backup.commits"), commits_path(self.path))
        self.open()

    def append(self, count, stream=TELEMETRY):
        for i in range(count):
            self.store.append(stream, senml.encode(NOW_S + i, [("soil.vwc", "%", i)]))

    def exchange(self):
        """Send all that is unacknowledged; True if the node was asked for more."""
        asked = False
        reader = self.store.reader()
        while batch := reader.next(150):
            data = frame.pack(
                DEVICE, batch.boot, batch.stream, batch.seq, batch.oldest, batch.records
            )
            asked |= self._take(self.ingest.commit([Inbound(f"hedge/{DEVICE}/up", data, NOW_S)]))
        return asked

    def _take(self, acks):
        asked = False
        for out in acks:
            generation, _, marks = ack.unpack(out.data, DEVICE)
            behind = any(upto < self.store.acked_upto(b, s) for b, s, upto in marks)
            if behind or self.store.generation not in (None, generation):
                self.store.forget_acks()
                asked = True
            self.store.set_generation(generation)
            for boot, stream, upto in marks:
                self.store.ack(boot, stream, upto)
        return asked

    def settle(self):
        rounds = 0
        while self.exchange() or self.store.pending():
            rounds += 1
            assert rounds < 5

    def seqs(self, stream=TELEMETRY, boot=1):
        sql = "SELECT seq FROM record WHERE stream = ? AND boot = ? ORDER BY seq"
        return [row[0] for row in self.db.execute(sql, (stream, boot))]

    def gaps(self):
        return self.db.execute("SELECT boot, stream, first_seq, last_seq FROM gap").fetchall()

    def alerts(self):
        return dict(self.db.execute("SELECT kind, text FROM alert WHERE closed_s IS NULL"))


@pytest.fixture
def farm(tmp_path):
    made = Farm(tmp_path)
    yield made
    made.db.close()


def test_a_restart_keeps_the_generation(farm):
    farm.append(30)
    farm.settle()
    before = farm.ingest.generation
    farm.restart()
    assert farm.ingest.generation == before
    assert farm.alerts() == {}


@pytest.mark.parametrize("with_count", [False, True], ids=["database", "whole folder"])
def test_all_that_the_node_still_holds_comes_again(farm, with_count):
    farm.append(30)
    farm.settle()
    farm.back_up()
    before = farm.ingest.generation
    farm.append(70)
    farm.append(5, EVENTS)
    farm.settle()
    farm.restore(with_count=with_count)
    assert (farm.ingest.generation == before) == with_count
    farm.append(1)
    farm.settle()
    assert farm.seqs() == list(range(1, 102))
    if not with_count:  # else nothing tells of a stream that has nothing new
        assert farm.seqs(EVENTS) == [1, 2, 3, 4, 5]
    assert farm.gaps() == []
    assert ("restored" in farm.alerts()) != with_count


def test_a_later_event_brings_the_earlier_ones(farm):
    farm.append(5, EVENTS)
    farm.back_up()
    farm.settle()
    farm.restore(with_count=True)
    farm.append(1, EVENTS)
    farm.settle()
    assert farm.seqs(EVENTS) == list(range(1, 7))


def test_what_the_node_holds_no_more_is_a_gap_for_good(farm):
    farm.append(30)
    farm.settle()
    farm.back_up()
    farm.append(1000)
    for _ in range(5):
        farm.settle()
        farm.append(200)  # the log has room for some 400
    farm.settle()
    farm.restore()
    farm.append(1)
    held = farm.store.stream(TELEMETRY).segments[0].first
    farm.settle()
    assert held > 31
    assert farm.gaps() == [(1, TELEMETRY, 31, held - 1)]
    assert farm.seqs() == list(range(1, 31)) + list(range(held, 2032))
    assert "no longer holds them" in farm.alerts()["dropped"]


def test_after_a_restart_of_the_node_its_earlier_records_come_too(farm):
    farm.back_up()
    farm.append(50)
    farm.settle()
    farm.store.close()
    farm.store = Store(farm.store.volume.name, max_bytes=16384, segment_bytes=1024)
    farm.store.open()
    farm.restore()
    farm.append(2)
    farm.settle()
    assert farm.seqs() == list(range(1, 51))
    assert farm.seqs(boot=2) == [1, 2]


def test_a_database_that_was_moved_without_its_count_is_taken_for_restored(farm):
    farm.append(3)
    farm.settle()
    before = farm.ingest.generation
    os.remove(commits_path(farm.path))
    farm.restart()
    assert farm.ingest.generation != before
    farm.settle()
    assert farm.seqs() == [1, 2, 3]


def test_a_count_that_was_cut_short_is_taken_for_restored(farm):
    farm.append(3)
    farm.settle()
    before = farm.ingest.generation
    farm.db.close()
    commits_path(farm.path).write_bytes(b"123")
    farm.open()
    assert farm.ingest.generation not in (0, before)


def test_a_count_behind_the_database_is_a_power_cut(farm):
    farm.append(30)
    farm.settle()
    before = farm.ingest.generation
    farm.db.close()
    generation, commits = commits_path(farm.path).read_text().split()
    commits_path(farm.path).write_text(f"{generation} {int(commits) - 2}\n")
    farm.open()
    assert farm.ingest.generation == before
