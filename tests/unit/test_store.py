"""The record log in files: the contract of every store, and what only files do."""

import unittest

import store_folder
from store_contract import AckContract, AppendContract, ReadContract, SpaceContract, StoreHelp

from hedge.core.errors import StoreError
from hedge.store import EVENTS, TELEMETRY, Store, audit
from hedge.store.log import fresh_boot


class StoreCase(StoreHelp, unittest.TestCase):
    """A store in a fresh folder."""

    def fresh(self):
        self.folder = store_folder.fresh("store")

    def gone(self):
        store_folder.clear(self.folder)

    def opened(self):
        store = Store(self.folder, self.max_bytes, 1024, self.keep_acked)
        store.open()
        return store


class TestAppend(AppendContract, StoreCase):
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


class TestRead(ReadContract, StoreCase):
    pass


class TestAck(AckContract, StoreCase):
    def test_a_damaged_state_file_sends_again_and_says_so(self):
        self.fill(TELEMETRY, 10)
        self.store.ack(1, TELEMETRY, 9)
        self.store.close()
        store_folder.flip(self.folder + "/state", 20)
        self.store = self.opened()
        self.assertTrue(self.store.state_lost)
        self.assertEqual((self.store.boot, self.store.pending()), (2, 10))


class TestSpace(SpaceContract, StoreCase):
    def test_routine_never_drops_events(self):
        self.fill(EVENTS, 150)
        self.fill(TELEMETRY, 10)  # of the little that is left, one after the other
        self.assertEqual(self.store.dropped[TELEMETRY] + self.store.pending(TELEMETRY), 10)
        self.fill(EVENTS, 1)
        with self.assertRaises(StoreError):
            self.fill(TELEMETRY, 1)
        self.assertEqual(self.store.pending(EVENTS), 151)
        self.assertEqual(self.store.refused, 1)

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
