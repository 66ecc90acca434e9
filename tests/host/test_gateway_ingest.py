"""Ingest without sockets: what is stored, acked, and said to be missing."""

import contextlib
import json

import pytest

from hedge.wire import ack, cbor, frame, senml
from hedgerow.gateway.database import open_database, open_reader
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound
from hedgerow.gateway.watermark import StreamKey, read_mark

NOW_S = 1_790_000_000.0
DEVICE = "bed-1"


class Bench:
    """A database with its ingest, and shortcuts to feed and to look at it."""

    def __init__(self, path, **options):
        self.path = path
        self.options = options
        self.db = open_database(path)
        self.ingest = Ingest(self.db, **options)

    def reopen(self):
        self.db.close()
        self.db = open_database(self.path)
        self.ingest = Ingest(self.db, **self.options)

    def send(self, *messages, now_s=NOW_S):
        return self.ingest.commit([Inbound(topic, data, now_s) for topic, data in messages])

    def frame(self, seq, payloads, oldest=1, boot=1, stream=1, device=DEVICE, **options):
        data = frame.pack(device, boot, stream, seq, oldest, payloads, **options)
        return f"hedge/{device}/up", data

    def rows(self, sql, *args):
        with contextlib.closing(open_reader(self.path)) as reader:
            return [tuple(row) for row in reader.execute(sql, args)]

    def seqs(self):
        return [seq for (seq,) in self.rows("SELECT seq FROM record ORDER BY boot, stream, seq")]

    def gaps(self):
        return self.rows("SELECT first_seq, last_seq FROM gap ORDER BY boot, stream, first_seq")

    def open_alerts(self):
        sql = "SELECT device, kind, key FROM alert WHERE closed_s IS NULL ORDER BY id"
        return self.rows(sql)


def test_the_last_number(bench):
    """u32 of boot and seq end; nothing wraps, and it comes a second time as a duplicate."""
    top = 0xFFFFFFFF
    for _ in range(2):
        (out,) = bench.send(bench.frame(top - 1, [pack(1), pack(2)], oldest=top - 1, boot=top))
        assert ack.unpack(out.data)[2] == [(top, 1, top)]
    assert bench.seqs() == [top - 1, top]
    assert bench.rows("SELECT duplicates FROM device") == [(2,)]


def test_a_gateways_clock_that_is_set_back_or_on(bench):
    """Records are stored and acked with the time that it has; silence is counted anew."""
    year_s = 365 * 86400.0
    for n, now_s in enumerate((NOW_S, NOW_S - year_s, NOW_S + year_s, NOW_S), 1):
        (out,) = bench.send(bench.frame(n, [pack(n)]), now_s=now_s)
        assert ack.unpack(out.data)[1:] == (int(now_s), [(1, 1, n)])
        bench.ingest.tick(now_s + 1)
    assert bench.rows("SELECT last_seen_s FROM device") == [(NOW_S,)]
    assert bench.open_alerts() == []
    bench.ingest.tick(NOW_S + 3600)
    assert bench.open_alerts() == [(DEVICE, "silent", "late")]


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "farm.db")
    yield made
    made.db.close()


def pack(n, name="soil.vwc", time_s=NOW_S, unit="%"):
    return senml.encode(time_s, [(name, unit, n)])


def marks(outbound):
    return [ack.unpack(out.data)[2] for out in outbound]


def test_stores_and_acks(bench):
    acks = bench.send(bench.frame(1, [pack(20.5), pack(20.25)]))
    assert [out.topic for out in acks] == ["hedge/bed-1/ack"]
    assert marks(acks) == [[(1, 1, 2)]]
    sql = "SELECT seq, payload, device_time_s, received_s, backlog FROM record"
    assert bench.rows(sql)[1] == (2, pack(20.25), NOW_S, NOW_S, 0)
    sql = "SELECT device, name, unit, time_s, value FROM value_named ORDER BY seq"
    assert bench.rows(sql)[0] == ("bed-1", "soil.vwc", "%", NOW_S, 20.5)


def test_ack_carries_generation_and_time(bench):
    generation, epoch_s, _ = ack.unpack(bench.send(bench.frame(1, [pack(1)]))[0].data)
    assert generation == bench.ingest.generation > 0
    assert epoch_s == NOW_S
    bench.reopen()
    assert bench.ingest.generation == generation


def test_no_time_when_told_so(tmp_path):
    bench = Bench(tmp_path / "farm.db", give_time=False)
    assert ack.unpack(bench.send(bench.frame(1, [pack(1)]))[0].data)[1] == 0


def test_a_deleted_generation_is_made_anew(bench):
    before = bench.ingest.generation
    bench.db.execute("DELETE FROM meta WHERE key = 'generation'")
    bench.reopen()
    assert bench.ingest.generation not in (0, before)


def test_two_databases_have_two_generations(tmp_path):
    first, second = Bench(tmp_path / "a.db"), Bench(tmp_path / "b.db")
    assert first.ingest.generation != second.ingest.generation


def test_duplicates_are_acked_again_and_stored_once(bench):
    message = bench.frame(1, [pack(1), pack(2)])
    first = bench.send(message)
    assert bench.send(message, message) == first
    assert bench.seqs() == [1, 2]
    assert bench.rows("SELECT records, duplicates FROM device") == [(2, 4)]


def test_duplicate_in_the_same_transaction(bench):
    message = bench.frame(1, [pack(1)])
    assert marks(bench.send(message, message)) == [[(1, 1, 1)]]
    assert bench.seqs() == [1]


def test_reordered_frames_move_the_watermark_when_the_hole_closes(bench):
    assert marks(bench.send(bench.frame(3, [pack(3)]))) == [[(1, 1, 0)]]
    assert marks(bench.send(bench.frame(2, [pack(2)]))) == [[(1, 1, 0)]]
    assert marks(bench.send(bench.frame(1, [pack(1)]))) == [[(1, 1, 3)]]
    assert bench.gaps() == []


def test_oldest_turns_a_hole_into_a_gap(bench):
    bench.send(bench.frame(1, [pack(1), pack(2)]))
    acks = bench.send(bench.frame(6, [pack(6)], oldest=6))
    assert marks(acks) == [[(1, 1, 6)]]
    assert bench.gaps() == [(3, 5)]
    assert bench.open_alerts() == [("bed-1", "dropped", "1")]


def test_oldest_alone_tells_of_a_gap(bench):
    assert marks(bench.send(bench.frame(6, [], oldest=6))) == [[(1, 1, 5)]]
    assert bench.gaps() == [(1, 5)]


def test_holes_between_stored_records_are_gaps_too(bench):
    bench.send(bench.frame(2, [pack(2)]), bench.frame(5, [pack(5)]))
    bench.send(bench.frame(9, [pack(9)], oldest=8))
    assert bench.gaps() == [(1, 1), (3, 4), (6, 7)]
    assert read_mark(bench.db, StreamKey(DEVICE, 1, 1)).upto == 7  # 8 may still come


def test_delayed_record_shrinks_its_gap(bench):
    bench.send(bench.frame(9, [pack(9)], oldest=9))
    bench.send(bench.frame(4, [pack(4), pack(5)]))
    assert bench.gaps() == [(1, 3), (6, 8)]
    bench.send(bench.frame(1, [pack(1)]), bench.frame(8, [pack(8)]))
    assert bench.gaps() == [(2, 3), (6, 7)]


def test_an_old_frame_does_not_lower_the_floor(bench):
    bench.send(bench.frame(9, [pack(9)], oldest=9))
    assert marks(bench.send(bench.frame(2, [pack(2)], oldest=1))) == [[(1, 1, 9)]]


def test_boots_and_streams_are_counted_apart(bench):
    acks = bench.send(
        bench.frame(1, [pack(1)], boot=1, stream=0),
        bench.frame(1, [pack(2)], boot=2, stream=1),
        bench.frame(1, [pack(3)], boot=2, stream=0, device="bed-2"),
    )
    assert marks(acks) == [[(1, 0, 1), (2, 1, 1)], [(2, 0, 1)]]


def test_many_boots_need_more_than_one_ack(bench):
    frames = [bench.frame(1, [pack(1)], boot=boot) for boot in range(1, 21)]
    assert [len(part) for part in marks(bench.send(*frames))] == [ack.MAX_MARKS, 4]


def test_conflict_never_overwrites(bench):
    bench.send(bench.frame(1, [pack(1)]))
    acks = bench.send(bench.frame(1, [pack(99)]))
    assert marks(acks) == [[(1, 1, 1)]]  # acked: the node could not do better by repeating it
    assert bench.rows("SELECT payload FROM record") == [(pack(1),)]
    assert bench.rows("SELECT seq, payload FROM conflict") == [(1, pack(99))]
    assert bench.open_alerts() == [("bed-1", "conflict", "1.1")]


def test_unreadable_record_is_stored_raw_and_counted(bench):
    acks = bench.send(bench.frame(1, [b"\xff\x00junk", pack(2)]))
    assert marks(acks) == [[(1, 1, 2)]]
    rows = bench.rows("SELECT payload, device_time_s FROM record ORDER BY seq")
    assert rows[0] == (b"\xff\x00junk", None)
    assert bench.rows("SELECT undecodable FROM device") == [(1,)]


def test_unset_clock_uses_receive_time(bench):
    bench.send(bench.frame(1, [pack(1, time_s=0)]))
    assert bench.rows("SELECT device_time_s, time_s FROM record") == [(0, NOW_S)]
    assert bench.rows("SELECT time_s FROM value") == [(NOW_S,)]


def test_clock_of_the_far_future_uses_receive_time(bench):
    bench.send(bench.frame(1, [pack(1, time_s=2**40)]))
    assert bench.rows("SELECT device_time_s, time_s FROM record") == [(2**40, NOW_S)]


def test_clock_that_goes_back_raises_an_alert_and_keeps_order_of_seq(bench):
    bench.send(bench.frame(1, [pack(1), pack(2, time_s=NOW_S - 4000)]))
    assert bench.open_alerts() == [("bed-1", "clock", "")]
    assert bench.rows("SELECT last_value FROM series") == [(2,)]


def test_booleans_text_and_bytes(bench):
    entries = [("pump", None, True), ("rule", None, "water: dry"), ("raw", None, b"\x01\xff")]
    bench.send(bench.frame(1, [senml.encode(NOW_S, entries)], stream=0))
    sql = "SELECT name, value, text FROM value_named ORDER BY name"
    assert bench.rows(sql) == [
        ("pump", 1, None),
        ("raw", None, "01ff"),
        ("rule", None, "water: dry"),
    ]


def test_last_value_follows_boot_and_seq_not_arrival(bench):
    bench.send(bench.frame(2, [pack(22)], boot=2))
    bench.send(bench.frame(1, [pack(11)], boot=1), bench.frame(1, [pack(21)], boot=2))
    assert bench.rows("SELECT last_value, last_boot, last_seq FROM series") == [(22, 2, 2)]


def test_too_many_names_are_stored_but_not_charted(bench):
    for start in range(0, 300, 10):
        packs = [pack(1, name=f"n{n}") for n in range(start, start + 6)]
        bench.send(bench.frame(1, packs, boot=start + 1))
    names = [f"m{n}" for n in range(100)]
    for boot, name in enumerate(names, start=1000):
        bench.send(bench.frame(1, [pack(1, name=name)], boot=boot))
    assert bench.rows("SELECT count(*) FROM series") == [(256,)]
    assert bench.rows("SELECT count(*) FROM record") == [(280,)]
    assert ("bed-1", "series", "") in bench.open_alerts()


# Status, info and alerts


def test_status_opens_and_closes_an_alert(bench):
    bench.send(("hedge/bed-1/status", b"offline"))
    assert bench.open_alerts() == [("bed-1", "silent", "offline")]
    bench.send(("hedge/bed-1/status", b"online"))
    assert bench.open_alerts() == []
    assert bench.rows("SELECT opened_s, closed_s FROM alert") == [(NOW_S, NOW_S)]


def test_a_node_that_sleeps_is_not_missed_between_its_sessions(bench):
    bench.send(("hedge/bed-1/info", cbor.encode({"sample_s": 900, "uplink_every_s": 21600})))
    bench.send(bench.frame(1, [pack(1)]), ("hedge/bed-1/status", b"offline"))
    bench.ingest.tick(NOW_S + 30 * 3600)
    assert bench.open_alerts() == []
    bench.ingest.tick(NOW_S + 40 * 3600)  # a daily summary and a session must have come
    assert bench.open_alerts() == [("bed-1", "silent", "late")]


def test_info_is_kept_as_json(bench):
    info = {"name": "Bed one", "sample_s": 900, "channels": {"soil.vwc": "%"}, "id": b"\x01"}
    bench.send(("hedge/bed-1/info", cbor.encode(info)))
    ((stored,),) = bench.rows("SELECT info FROM device")
    assert json.loads(stored) == {**info, "id": "01"}


def test_battery_alert_has_hysteresis(bench):
    volts = [3.6, 3.2, 3.35, 3.45]
    states = []
    for seq, value in enumerate(volts, start=1):
        bench.send(bench.frame(seq, [pack(value, name="battery.voltage", unit="V")]))
        states.append(bool(bench.open_alerts()))
    assert states == [False, True, True, False]


def test_failed_sensor(bench):
    failed = senml.encode(NOW_S, [("health.soil", None, False), ("reason", None, "open")])
    bench.send(bench.frame(1, [failed], stream=0))
    assert bench.rows("SELECT key, text FROM alert") == [("soil", "sensor soil failed: open")]
    bench.send(bench.frame(2, [senml.encode(NOW_S, [("health.soil", None, True)])], stream=0))
    assert bench.open_alerts() == []


def test_silent_node(bench):
    bench.send(("hedge/bed-1/info", cbor.encode({"sample_s": 900})), bench.frame(1, [pack(1)]))
    bench.ingest.tick(NOW_S + 2700)
    assert bench.open_alerts() == []
    bench.ingest.tick(NOW_S + 2701)
    assert bench.open_alerts() == [("bed-1", "silent", "late")]
    bench.send(bench.frame(2, [pack(2)]), now_s=NOW_S + 3000)
    bench.ingest.tick(NOW_S + 3001)
    assert bench.open_alerts() == []


def test_online_node_with_nothing_to_report_is_not_silent(bench):
    bench.send(("hedge/bed-1/status", b"online"), bench.frame(1, [pack(1)]))
    bench.ingest.tick(NOW_S + 20 * 3600)
    assert bench.open_alerts() == []
    bench.ingest.tick(NOW_S + 27 * 3600)
    assert bench.open_alerts() == [("bed-1", "silent", "late")]


def test_facts_close_by_themselves_after_a_quiet_day(bench):
    bench.send(bench.frame(6, [pack(6)], oldest=6))
    bench.ingest.tick(NOW_S + 3600)
    assert ("bed-1", "dropped", "1") in bench.open_alerts()
    bench.ingest.tick(NOW_S + 86401)
    assert ("bed-1", "dropped", "1") not in bench.open_alerts()


# What is refused


def rejects(bench):
    return dict(bench.rows("SELECT reason, count FROM reject"))


@pytest.mark.parametrize(
    ("topic", "data", "reason"),
    [
        ("hedge/bed-1/up", b"", "frame"),
        ("hedge/bed-1/up", b"\x11" * 40, "frame"),
        ("hedge/bed-1/up", b"\x11" * 256, "oversize"),
        ("hedge/bed-1/up", b"x" * 1_000_000, "oversize"),
        ("hedge/other/up", frame.pack("bed-1", 1, 1, 1, 1, [b"a"]), "device"),
        ("hedge/BED/up", b"x", "topic"),
        ("hedge/bed-1/down", b"x", "topic"),
        ("hedge/bed-1", b"x", "topic"),
        ("hedge/bed-1/status", b"maybe", "status"),
        ("hedge/bed-1/info", b"\xff", "info"),
        ("hedge/bed-1/info", cbor.encode([1]), "info"),
        ("hedge/bed-1/info", b"\xa0" * 5000, "oversize"),
    ],
)
def test_refused_and_counted(bench, topic, data, reason):
    good = bench.frame(1, [pack(1)], device="bed-2")
    acks = bench.send((topic, data), good)
    assert rejects(bench) == {reason: 1}
    assert [out.topic for out in acks] == ["hedge/bed-2/ack"]
    assert bench.open_alerts() == [("", "malformed", reason)]


def test_damaged_frame_is_refused(bench):
    topic, data = bench.frame(1, [pack(1)])
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        assert bench.send((topic, bytes(damaged))) == []
    assert bench.seqs() == []


def test_keys(tmp_path):
    key = bytes(range(32))
    bench = Bench(tmp_path / "farm.db", key_of={"bed-1": key}.get)
    unsigned = bench.frame(1, [pack(1)])
    stranger = bench.frame(1, [pack(1)], device="bed-2", key=key)
    forged = bench.frame(1, [pack(1)], key=bytes(32))
    assert bench.send(unsigned, stranger, forged) == []
    assert rejects(bench) == {"mac": 3}
    (out,) = bench.send(bench.frame(1, [pack(1)], key=key))
    assert ack.unpack(out.data, DEVICE, key)[2] == [(1, 1, 1)]


# Transactions


def test_a_failed_commit_stores_nothing_and_can_be_repeated(bench):
    bench.send(bench.frame(1, [pack(1)]))
    pages = bench.db.execute("PRAGMA page_count").fetchone()[0]
    bench.db.execute(f"PRAGMA max_page_count = {pages}")
    frames = [
        bench.frame(n, [pack(n, name=f"c{n}"), b"x" * 150], boot=2) for n in range(1, 400, 2)
    ]
    with pytest.raises(Exception, match="full"):
        bench.send(*frames)
    assert bench.seqs() == [1]
    bench.db.execute("PRAGMA max_page_count = 1000000")
    assert marks(bench.send(*frames)) == [[(2, 1, 400)]]
    assert bench.rows("SELECT count(*) FROM record") == [(401,)]
    assert bench.rows("SELECT count(DISTINCT series) FROM value") == [(201,)]


def test_state_survives_reopening(bench):
    bench.send(bench.frame(1, [pack(1)]), ("hedge/bed-1/info", cbor.encode({"sample_s": 60})))
    bench.send(("hedge/bed-1/status", b"offline"))
    bench.reopen()
    acks = bench.send(bench.frame(2, [pack(2)]), ("hedge/bed-1/status", b"online"))
    assert marks(acks) == [[(1, 1, 2)]]
    assert bench.open_alerts() == []
    assert bench.rows("SELECT count(*) FROM series") == [(1,)]
