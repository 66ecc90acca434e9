"""What every store promises, whatever it lies in: mixed into a StoreCase per volume.

A StoreCase has self.store, opened() (a crash and a start) and numbers from boot 1 on.
"""

from hedge.core import log
from hedge.core.errors import StoreError
from hedge.store import DIAG, EVENTS, TELEMETRY


class StoreHelp:
    """setUp/tearDown and what the tests share; a subclass gives fresh(), opened() and gone()."""

    max_bytes = 16384
    keep_acked = False

    def setUp(self):
        log.level = log.WARN + 1
        self.fresh()
        self.store = self.opened()

    def tearDown(self):
        log.level = log.INFO
        self.gone()

    def fill(self, stream, count, size=20):
        for i in range(count):
            self.store.append(stream, self.payload(i, size))

    def payload(self, i, size=20):
        text = b"%08d" % i
        return text + b"x" * (size - len(text))

    def read_all(self, reader, max_bytes=180):
        """List of (boot, stream, seq, payload)."""
        got = []
        while True:
            batch = reader.next(max_bytes)
            if batch is None:
                return got
            self.assertLessEqual(batch.oldest, batch.seq)
            for i, payload in enumerate(batch.records):
                got.append((batch.boot, batch.stream, batch.seq + i, payload))


class AppendContract:
    def test_numbers_start_at_one_and_are_contiguous_per_stream(self):
        got = [self.store.append(s, b"x") for s in (EVENTS, TELEMETRY, TELEMETRY, EVENTS)]
        self.assertEqual(got, [1, 1, 2, 2])

    def test_the_last_number_of_a_start(self):
        """A u32 ends; the next start counts from 1 again, under a boot number of its own."""
        self.store.stream(TELEMETRY).next_seq = 0xFFFFFFFF
        self.assertEqual(self.store.append(TELEMETRY, b"last"), 0xFFFFFFFF)
        with self.assertRaises(StoreError) as caught:
            self.store.append(TELEMETRY, b"one more")
        self.assertTrue("used up until a restart" in str(caught.exception))
        self.assertEqual((self.store.refused, self.store.append(EVENTS, b"other")), (1, 1))
        again = self.opened()
        self.assertEqual(again.append(TELEMETRY, b"first"), 1)
        rows = [row for row in self.read_all(again.reader()) if row[1] == TELEMETRY]
        wanted = [
            (again.boot - 1, TELEMETRY, 0xFFFFFFFF, b"last"),
            (again.boot, TELEMETRY, 1, b"first"),
        ]
        self.assertEqual(rows, wanted)

    def test_last_seq_tells_the_newest_number_of_this_start(self):
        self.assertEqual(self.store.last_seq(TELEMETRY), 0)
        self.fill(TELEMETRY, 3)
        self.assertEqual(self.store.last_seq(TELEMETRY), 3)
        self.assertEqual(self.opened().last_seq(TELEMETRY), 0)

    def test_each_start_has_a_new_boot_number(self):
        boots = [self.store.boot] + [self.opened().boot for _ in range(3)]
        self.assertEqual(boots, [1, 2, 3, 4])

    def test_many_starts_without_a_link_lose_nothing(self):
        for i in range(200):
            self.store = self.opened()
            self.store.append(EVENTS, b"start")
            if i % 2:
                self.store.append(TELEMETRY, b"one")
        self.assertEqual((self.store.pending(), self.store.dropped), (300, {}))
        reader = self.store.reader()
        for stream, boots in ((EVENTS, range(2, 202)), (TELEMETRY, range(3, 202, 2))):
            for boot in boots:
                batch = reader.next(100)
                self.assertEqual((batch.boot, batch.stream, batch.seq), (boot, stream, 1))
                self.assertEqual(len(batch.records), 1)
        self.assertIsNone(reader.next(100))

    def test_records_that_end_in_erased_bytes_are_whole(self):
        for size in (1, 30, 64, 192):
            self.store.append(TELEMETRY, b"\xff" * size)
            self.store = self.opened()
        self.store.append(TELEMETRY, b"x")
        got = [len(payload) for _, _, _, payload in self.read_all(self.store.reader())]
        self.assertEqual(got, [1, 30, 64, 192, 1])
        self.assertEqual(self.store.torn, 0)

    def test_what_does_not_fit_is_refused_and_counted(self):
        for stream, payload in ((1, b""), (1, b"x" * 193), (8, b"x"), (-1, b"x")):
            with self.assertRaises(StoreError):
                self.store.append(stream, payload)
        self.assertEqual(self.store.refused, 4)
        self.assertEqual(self.store.append(TELEMETRY, b"x" * 192), 1)


class ReadContract:
    def test_everything_once_events_first_oldest_first(self):
        self.fill(TELEMETRY, 100)
        self.fill(EVENTS, 3)
        self.store = self.opened()
        self.fill(TELEMETRY, 50)
        got = self.read_all(self.store.reader())
        expected = [(1, 0, i + 1, self.payload(i)) for i in range(3)]
        expected += [(1, 1, i + 1, self.payload(i)) for i in range(100)]
        expected += [(2, 1, i + 1, self.payload(i)) for i in range(50)]
        self.assertEqual(got, expected)

    def test_batches_keep_to_the_limit_but_for_one_large_record(self):
        self.fill(TELEMETRY, 10, 20)
        self.store.append(TELEMETRY, b"y" * 192)
        reader = self.store.reader()
        self.assertEqual(len(reader.next(3 * 21).records), 3)
        self.assertEqual(len(reader.next(4 * 21 - 1).records), 3)
        self.assertEqual(len(reader.next(1000).records), 5)
        self.assertIsNone(reader.next(1000))
        reader.rewind()
        self.assertEqual(len(self.read_all(reader, 50)), 11)

    def test_new_records_show_up(self):
        reader = self.store.reader()
        self.assertIsNone(reader.next(100))
        self.fill(TELEMETRY, 1)
        self.assertEqual(reader.next(100).seq, 1)
        self.assertIsNone(reader.next(100))
        self.fill(TELEMETRY, 1)
        self.assertEqual(reader.next(100).seq, 2)

    def test_no_more_is_read_than_the_log_has(self):
        """For a heap without a large piece: read() sets aside what it is asked for."""
        asked = []
        open_read = self.store.volume.open_read
        self.store.volume.open_read = lambda segment: _Asked(open_read(segment), asked)
        reader = self.store.reader()
        self.fill(TELEMETRY, 100)
        self.assertEqual(len(self.read_all(reader)), 100)
        self.assertLessEqual(max(asked), 200)
        del asked[:]
        self.fill(TELEMETRY, 1)
        self.assertEqual(len(self.read_all(reader)), 1)
        self.assertEqual(max(asked), 26)

    def test_a_new_event_goes_before_waiting_telemetry(self):
        self.fill(TELEMETRY, 100)
        reader = self.store.reader()
        reader.next(100)
        self.store.append(EVENTS, b"alarm")
        self.assertEqual(reader.next(100).records, [b"alarm"])
        self.assertEqual(reader.next(100).stream, TELEMETRY)

    def test_rewind_goes_back_to_the_oldest_unacknowledged(self):
        self.fill(TELEMETRY, 300)
        reader = self.store.reader()
        for _ in range(40):
            reader.next(100)
        for upto, oldest in ((5, 6), (8, 9), (70, 71)):
            self.store.ack(1, TELEMETRY, upto)
            reader.rewind()
            batch = reader.next(100)
            self.assertEqual(batch.seq, oldest)
            for _ in range(20):
                reader.next(100)

    def test_rewind_goes_back_to_an_earlier_boot(self):
        self.fill(TELEMETRY, 10)
        self.store = self.opened()
        self.fill(TELEMETRY, 200)
        reader = self.store.reader()
        self.read_all(reader)
        self.store.ack(2, TELEMETRY, 190)
        reader.rewind()
        got = self.read_all(reader)
        self.assertEqual([(b, n) for b, _, n, _ in got][:1], [(1, 1)])
        self.assertEqual(len(got), 20)

    def test_oldest_is_what_the_log_holds_acknowledged_or_not(self):
        self.fill(TELEMETRY, 10)
        reader = self.store.reader()
        self.assertEqual(reader.next(60).oldest, 1)
        self.store.ack(1, TELEMETRY, 3)
        batch = reader.next(60)
        self.assertEqual((batch.seq, batch.oldest), (4, 1))


class _Asked:
    """A file that notes how much it is asked for."""

    def __init__(self, file, asked):
        self._asked = asked
        self._read = file.read
        self.seek = file.seek
        self.close = file.close

    def read(self, size):
        self._asked.append(size)
        return self._read(size)


class AckContract:
    def test_acknowledged_records_are_not_read_again(self):
        self.fill(TELEMETRY, 100)
        self.assertEqual(self.store.ack(1, TELEMETRY, 60), 60)
        self.assertEqual(self.store.pending(), 40)
        self.assertEqual(self.read_all(self.store.reader())[0][2], 61)

    def test_acks_are_cumulative_and_may_repeat(self):
        self.fill(TELEMETRY, 10)
        self.assertEqual([self.store.ack(1, 1, n) for n in (3, 3, 1, 10)], [3, 0, 0, 7])

    def test_unknown_boots_and_streams_are_ignored(self):
        self.fill(TELEMETRY, 10)
        self.assertEqual(self.store.ack(9, TELEMETRY, 5), 0)
        self.assertEqual(self.store.ack(1, EVENTS, 5), 0)
        self.assertEqual(self.store.pending(), 10)

    def test_a_number_never_given_out_is_not_believed(self):
        self.fill(TELEMETRY, 10)
        self.assertEqual(self.store.ack(1, TELEMETRY, 11), 0)
        self.fill(TELEMETRY, 5)
        self.assertEqual(self.store.pending(), 15)

    def test_of_an_earlier_boot_a_higher_number_means_all(self):
        self.fill(TELEMETRY, 10)
        self.store = self.opened()
        self.assertEqual(self.store.ack(1, TELEMETRY, 99), 10)
        self.assertEqual(self.store.pending(), 0)

    def test_a_restart_remembers_after_close(self):
        self.fill(TELEMETRY, 100)
        self.store.ack(1, TELEMETRY, 99)
        self.store.close()
        self.assertEqual(self.opened().pending(), 1)

    def test_a_crash_forgets_few_acks_and_no_record(self):
        self.fill(TELEMETRY, 200)
        for upto in range(1, 151):
            self.store.ack(1, TELEMETRY, upto)
        again = self.opened().pending()
        self.assertGreaterEqual(again, 50)
        self.assertLessEqual(again, 50 + 32)

    def test_a_server_that_lost_its_memory_gets_all_that_is_held(self):
        self.fill(TELEMETRY, 100)
        self.store.ack(1, TELEMETRY, 60)
        self.store = self.opened()
        self.fill(EVENTS, 3)
        self.store.ack(1, TELEMETRY, 99)
        reader = self.store.reader()
        self.assertEqual(len(self.read_all(reader)), 4)
        self.assertEqual(self.store.forget_acks(), 99)
        reader.rewind()
        got = self.read_all(reader)
        self.assertEqual([n for b, s, n, _ in got if b == 1], list(range(1, 101)))
        self.assertEqual(len(got), 103)

    def test_after_that_an_ack_counts_again(self):
        self.fill(TELEMETRY, 100)
        self.store.ack(1, TELEMETRY, 100)
        self.store.forget_acks()
        self.assertEqual(self.store.ack(1, TELEMETRY, 70), 70)
        self.assertEqual(self.read_all(self.store.reader())[0][2], 71)

    def test_the_generation_outlives_a_restart(self):
        self.assertIsNone(self.store.generation)
        self.store.set_generation(0x7FFFFFFF)
        self.assertEqual(self.opened().generation, 0x7FFFFFFF)

    def test_acks_out_of_order_over_several_starts(self):
        for _ in range(4):
            self.store = self.opened()
            self.fill(TELEMETRY, 5)
        self.store.ack(4, TELEMETRY, 5)
        self.store.ack(3, TELEMETRY, 2)
        self.assertEqual(self.store.pending(), 13)
        self.assertEqual(self.store.ack(2, TELEMETRY, 5), 5)
        self.assertEqual(self.store.pending(), 8)
        got = [(b, n) for b, _, n, _ in self.read_all(self.store.reader())]
        self.assertEqual(got, [(3, 3), (3, 4), (3, 5)] + [(5, i) for i in range(1, 6)])

    def test_marks_of_very_many_starts_are_bounded(self):
        for _ in range(40):
            self.store = self.opened()
            self.fill(TELEMETRY, 2)
        for boot in range(41, 2, -1):
            self.store.ack(boot, TELEMETRY, 2)
        self.assertLess(len(self.store.stream(TELEMETRY).above), 20)
        self.store.ack(2, TELEMETRY, 2)
        left = self.store.pending()
        self.assertEqual(len(self.read_all(self.store.reader())), left)
        for boot in range(2, 42):
            self.store.ack(boot, TELEMETRY, 2)
        self.assertEqual(self.store.pending(), 0)


class SpaceContract:
    max_bytes = 4096

    def test_the_oldest_routine_records_go_first(self):
        self.fill(EVENTS, 20)
        self.fill(TELEMETRY, 500)
        got = self.read_all(self.store.reader())
        self.assertEqual([n for _, s, n, _ in got if s == EVENTS], list(range(1, 21)))
        kept = [n for _, s, n, _ in got if s == TELEMETRY]
        self.assertEqual(kept, list(range(kept[0], 501)))
        self.assertEqual(self.store.dropped, {TELEMETRY: kept[0] - 1})

    def test_less_important_streams_go_first(self):
        self.fill(DIAG, 50)
        self.fill(TELEMETRY, 50)
        self.fill(EVENTS, 100)
        self.assertEqual(self.store.pending(EVENTS), 100)
        self.assertEqual(self.store.dropped[DIAG], 50)

    def test_events_drop_the_oldest_events_at_last(self):
        self.fill(EVENTS, 500)
        self.assertEqual(self.store.dropped[EVENTS] + self.store.pending(), 500)

    def test_acknowledged_records_go_before_any_other(self):
        self.fill(EVENTS, 30)
        self.fill(TELEMETRY, 30)
        self.store.ack(1, EVENTS, 30)
        self.fill(DIAG, 100)
        self.assertEqual(self.store.dropped.get(TELEMETRY, 0), 0)
        self.assertEqual(self.store.pending(TELEMETRY), 30)

    def test_counts_survive_a_crash_and_nothing_is_both_dropped_and_kept(self):
        self.fill(TELEMETRY, 500)
        dropped = dict(self.store.dropped)
        self.store = self.opened()
        self.assertEqual(self.store.dropped, dropped)
        self.assertEqual(self.store.pending() + dropped[TELEMETRY], 500)

    def test_oldest_tells_what_was_dropped(self):
        self.fill(TELEMETRY, 500)
        batch = self.store.reader().next(100)
        self.assertEqual(batch.oldest, self.store.dropped[TELEMETRY] + 1)

    def test_dropping_under_a_reader_is_fine(self):
        self.fill(TELEMETRY, 100)
        reader = self.store.reader()
        reader.next(100)
        self.fill(TELEMETRY, 300)
        got = [n for _, _, n, _ in self.read_all(reader)]
        self.assertEqual(got, list(range(got[0], 401)))
