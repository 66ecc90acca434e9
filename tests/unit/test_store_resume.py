"""A store over a deep sleep, files or flash: one boot, no number twice, no ack forgotten."""

import os
import unittest

import store_folder
from ram_flash import RamFlash

from hedge.core import log
from hedge.store import EVENTS, TELEMETRY, Store
from hedge.store.region import Region
from hedge.store.resume import goes_on, park


class _Sleeps:
    """new(): a Store, not opened, over what is on the disk."""

    def setUp(self):
        self._level, log.level = log.level, log.WARN + 1
        self.begin()

    def tearDown(self):
        log.level = self._level
        self.end()

    def woken(self, ticket):
        store = self.new()
        store.open(goes_on(ticket) if ticket else None)
        return store

    def read(self, store):
        """[(boot, stream, seq, payload)] of all that is pending."""
        reader, found = store.reader(), []
        while True:
            batch = reader.next(170)
            if batch is None:
                return found
            for i, payload in enumerate(batch.records):
                found.append((batch.boot, batch.stream, batch.seq + i, bytes(payload)))

    def test_numbers_and_boot_go_on(self):
        store, ticket = None, None
        for i in range(12):
            store = self.woken(ticket)
            self.assertEqual(store.append(TELEMETRY, b"t%d" % i), i + 1)
            if i % 3 == 0:
                self.assertEqual(store.append(EVENTS, b"e%d" % i), i // 3 + 1)
            ticket = park(store)
        found = self.read(store)
        self.assertEqual(len(found), 16)
        self.assertEqual({row[0] for row in found}, {store.boot})
        self.assertEqual(
            [row[3] for row in found if row[1] == TELEMETRY][::4], [b"t0", b"t4", b"t8"]
        )

    def test_acknowledgements_that_were_not_saved(self):
        store = self.woken(None)
        for i in range(5):
            store.append(TELEMETRY, b"t%d" % i)
        store.ack(store.boot, TELEMETRY, 3)  # fewer than are saved at once
        woken = self.woken(park(store))
        self.assertEqual(woken.pending(), 2)
        self.assertEqual([row[2] for row in self.read(woken)], [4, 5])
        self.assertEqual(woken.append(TELEMETRY, b"t5"), 6)

    def test_all_acknowledged_and_the_numbers_go_on_all_the_same(self):
        store = self.woken(None)
        for i in range(5):
            store.append(TELEMETRY, b"t%d" % i)
        store.ack(store.boot, TELEMETRY, 5)
        woken = self.woken(park(store))
        self.assertEqual(woken.append(TELEMETRY, b"t5"), 6)
        self.assertEqual([row[2:] for row in self.read(woken)], [(6, b"t5")])

    def test_a_cut_after_waking_is_a_new_boot(self):
        store = self.woken(None)
        store.append(TELEMETRY, b"a")
        woken = self.woken(park(store))
        woken.append(TELEMETRY, b"b")
        after = self.woken(None)
        self.assertEqual(after.boot, store.boot + 1)
        self.assertEqual(after.append(TELEMETRY, b"c"), 1)
        rows = self.read(after)
        self.assertEqual([row[3] for row in rows], [b"a", b"b", b"c"])
        self.assertEqual(len({row[:3] for row in rows}), 3)

    def test_an_old_ticket_is_not_believed(self):
        store = self.woken(None)
        store.append(TELEMETRY, b"a")
        old = park(store)
        woken = self.woken(old)
        woken.append(TELEMETRY, b"b")
        again = self.woken(old)  # its next number was given out since
        self.assertEqual(again.boot, store.boot + 1)
        later = self.woken(old)  # and another boot was claimed since
        self.assertEqual(later.boot, store.boot + 2)


class TestFiles(_Sleeps, unittest.TestCase):
    def begin(self):
        self.folder = store_folder.fresh("resume")

    def end(self):
        store_folder.clear(self.folder)

    def new(self):
        return Store(self.folder, 65536, 4096)

    def test_files_grow_instead_of_becoming_more(self):
        ticket = None
        for i in range(40):
            store = self.woken(ticket)
            store.append(TELEMETRY, b"t%d" % i)
            ticket = park(store)
        self.assertEqual(len([n for n in os.listdir(self.folder) if n.endswith(".log")]), 1)


class TestRegion(_Sleeps, unittest.TestCase):
    def begin(self):
        self.flash = RamFlash(24, 1024)

    def end(self):
        pass

    def new(self):
        return Store(Region(self.flash, 64))


if __name__ == "__main__":
    unittest.main()
