"""The record log: numbers, reading, acknowledgement, space."""

import unittest

import store_folder

from hedge.core import log
from hedge.core.errors import StoreError
from hedge.store import DIAG, EVENTS, TELEMETRY, Store, audit
from hedge.store.log import MAX_SEGMENTS, fresh_boot


class StoreCase(unittest.TestCase):
    """A store in a fresh folder; `reopen` is a crash and a start."""

    max_bytes = 16384
    keep_acked = False

    def setUp(self):
        log.level = log.WARN + 1
        self.folder = store_folder.fresh("store")
        self.store = self.opened()

    def tearDown(self):
        log.level = log.INFO
        store_folder.clear(self.folder)

    def opened(self):
        store = Store(self.folder, self.max_bytes, 1024, self.keep_acked)
        store.open()
        return store

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


class TestAppend(StoreCase):
    def test_numbers_start_at_one_and_are_contiguous_per_stream(self):
        got = [self.store.append(s, b"x") for s in (EVENTS, TELEMETRY, TELEMETRY, EVENTS)]
        self.assertEqual(got, [1, 1, 2, 2])

    def test_last_seq_tells_the_newest_number_of_this_start(self):
        self.assertEqual(self.store.last_seq(TELEMETRY), 0)
        self.fill(TELEMETRY, 3)
        self.assertEqual(self.store.last_seq(TELEMETRY), 3)
        self.assertEqual(self.opened().last_seq(TELEMETRY), 0)

    def test_each_start_has_a_new_boot_number(self):
        boots = [self.store.boot] + [self.opened().boot for _ in range(3)]
        self.assertEqual(boots, [1, 2, 3, 4])

    def test_a_wiped_log_does_not_begin_again_with_the_same_numbers(self):
        begun = {fresh_boot() for _ in range(64)}
        self.assertGreater(len(begun), 32)
        self.assertTrue(all(1 <= boot < 1 << 20 for boot in begun))
        folder = store_folder.fresh("new")
        fresh = Store(folder, first_boot=771)
        fresh.open()
        fresh.close()
        again = Store(folder, first_boot=5)
        again.open()
        again.close()
        store_folder.clear(folder)
        self.assertEqual((fresh.boot, again.boot), (771, 772))

    def test_the_boot_number_outlives_everything_else(self):
        for _ in range(4):
            self.opened()
        for name in store_folder.names(self.folder, ""):
            if not name.startswith("boot-"):
                store_folder.put(self.folder + "/" + name, b"")
        self.assertEqual(self.opened().boot, 6)

    def test_many_starts_stay_within_the_number_of_files(self):
        for _ in range(210):
            self.store = self.opened()
            self.store.append(EVENTS, b"start")
        self.assertEqual(len(store_folder.names(self.folder, ".log")), MAX_SEGMENTS)
        self.assertEqual(self.store.pending() + self.store.dropped[EVENTS], 210)

    def test_what_does_not_fit_is_refused_and_counted(self):
        for stream, payload in ((1, b""), (1, b"x" * 193), (8, b"x"), (-1, b"x")):
            with self.assertRaises(StoreError):
                self.store.append(stream, payload)
        self.assertEqual(self.store.refused, 4)
        self.assertEqual(self.store.append(TELEMETRY, b"x" * 192), 1)

    def test_a_file_where_the_folder_should_be_is_a_store_error(self):
        store_folder.put(self.folder + "/file", b"x")
        with self.assertRaises(StoreError):
            Store(self.folder + "/file/log").open()

    def test_missing_folders_are_made(self):
        import os

        store = Store(self.folder + "/a")
        store.open()
        store.append(TELEMETRY, b"x")
        store.close()
        store_folder.clear(self.folder + "/a")
        self.assertNotIn("a", os.listdir(self.folder))


class TestRead(StoreCase):
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
            self.assertEqual((batch.seq, batch.oldest), (oldest, oldest))
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

    def test_oldest_follows_the_acknowledgement(self):
        self.fill(TELEMETRY, 10)
        reader = self.store.reader()
        self.assertEqual(reader.next(60).oldest, 1)
        self.assertEqual(reader.next(60).oldest, 1)
        self.store.ack(1, TELEMETRY, 3)
        batch = reader.next(60)
        self.assertEqual((batch.seq, batch.oldest), (5, 4))


class TestAck(StoreCase):
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

    def test_files_of_acknowledged_records_go(self):
        self.fill(TELEMETRY, 200)
        self.store.ack(1, TELEMETRY, 200)
        self.assertEqual(len(store_folder.names(self.folder, ".log")), 1)
        self.store.close()
        self.assertEqual(store_folder.names(self.folder, ".log"), [])

    def test_a_damaged_state_file_sends_again_and_says_so(self):
        self.fill(TELEMETRY, 10)
        self.store.ack(1, TELEMETRY, 9)
        self.store.close()
        store_folder.flip(self.folder + "/state", 20)
        self.store = self.opened()
        self.assertTrue(self.store.state_lost)
        self.assertEqual((self.store.boot, self.store.pending()), (2, 10))


class TestSpace(StoreCase):
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

    def test_routine_never_drops_events(self):
        self.fill(EVENTS, 152)
        self.fill(TELEMETRY, 10)  # of the little that is left, one after the other
        self.assertEqual(self.store.dropped[TELEMETRY] + self.store.pending(TELEMETRY), 10)
        self.fill(EVENTS, 1)
        with self.assertRaises(StoreError):
            self.fill(TELEMETRY, 1)
        self.assertEqual(self.store.pending(EVENTS), 153)
        self.assertEqual(self.store.refused, 1)

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

    def test_the_folder_stays_within_the_limit(self):
        import os

        for i in range(600):
            try:
                self.store.append(i % 3, b"x" * (i % 60 + 1))
            except StoreError:
                self.assertGreater(i % 3, EVENTS)  # by then all is full of events
            total = 0
            for name in store_folder.names(self.folder, ".log"):
                total += os.stat(self.folder + "/" + name)[6]
            self.assertLessEqual(total, self.max_bytes)

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


class TestAudit(StoreCase):
    keep_acked = True

    def test_it_gives_every_record_ever_appended(self):
        self.fill(TELEMETRY, 150)
        self.fill(EVENTS, 5)
        self.store.ack(1, TELEMETRY, 120)
        self.store = self.opened()
        self.fill(TELEMETRY, 10)
        self.store.ack(1, TELEMETRY, 150)
        seen = audit(self.folder)
        got = list(seen)
        expected = [(1, 0, i + 1, self.payload(i)) for i in range(5)]
        expected += [(1, 1, i + 1, self.payload(i)) for i in range(150)]
        expected += [(2, 1, i + 1, self.payload(i)) for i in range(10)]
        self.assertEqual(sorted(got), sorted(expected))
        self.assertEqual((seen.damaged, seen.dropped), (0, {}))

    def test_a_missing_folder_is_a_store_error(self):
        with self.assertRaises(StoreError):
            list(audit(self.folder + "/none"))
