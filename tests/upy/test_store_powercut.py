"""The store on littlefs and in raw flash, its power cut at flash operations, clean and torn.

tests/faults/store runs the long form: every operation of many workloads.
"""

import os
import unittest

import powercut

from hedge.core import log
from hedge.core.errors import StoreError
from hedge.store import EVENTS, TELEMETRY, Store


class _Cuts:
    """Some of the cuts that tests/faults/store does all of."""

    def setUp(self):
        log.level = log.WARN + 1

    def tearDown(self):
        log.level = log.INFO

    def test_a_cut_at_any_flash_operation_loses_nothing(self):
        total = 0
        for seed in range(2):
            total += powercut.check_all(self.medium, seed, step=self.step, first=seed)
        self.assertGreater(total, 200)

    def test_a_cut_while_recovering_from_a_cut_loses_nothing(self):
        total = powercut.check_second_cuts(self.medium, 5, step=self.step * 17, second_step=9)
        self.assertGreater(total, 30)


class TestCutsOfFiles(_Cuts, unittest.TestCase):
    medium = powercut.FilesMedium
    step = 5


class TestCutsOfRegion(_Cuts, unittest.TestCase):
    medium = powercut.RegionMedium
    step = 2


class TestFullFlash(unittest.TestCase):
    """A littlefs smaller than the limit the store was given: the real ENOSPC."""

    def setUp(self):
        log.level = log.WARN + 1
        powercut.mounted(powercut.FilesMedium.blank(24))  # 12 KB

    def tearDown(self):
        os.umount(powercut.MOUNT)
        log.level = log.INFO

    def test_the_oldest_telemetry_goes_and_every_append_returns(self):
        store = Store(powercut.MOUNT + "/log", 262144, 1024, flush=True)
        store.open()
        for i in range(5):
            store.append(EVENTS, b"event %d" % i)
        for i in range(1, 1001):
            self.assertEqual(store.append(TELEMETRY, b"telemetry %08d" % i), i)
        self.assertEqual(store.pending(EVENTS), 5)
        self.assertEqual(store.pending(TELEMETRY) + store.dropped[TELEMETRY], 1000)
        again = Store(powercut.MOUNT + "/log", 262144, 1024, flush=True)
        again.open()
        self.assertEqual(again.pending(), store.pending())
        self.assertEqual(again.dropped, store.dropped)

    def test_a_flash_full_of_other_files_refuses_and_recovers(self):
        store = Store(powercut.MOUNT + "/log", 262144, 1024, flush=True)
        store.open()
        self._fill_flash()
        with self.assertRaises(StoreError):
            for _ in range(100):
                store.append(TELEMETRY, b"x" * 100)
        for name in os.listdir(powercut.MOUNT):
            if name != "log":
                os.remove(powercut.MOUNT + "/" + name)
        seq = store.append(TELEMETRY, b"y")
        batch = None
        reader = store.reader()
        while True:
            last = reader.next(200)
            if last is None:
                break
            batch = last
        self.assertEqual((batch.seq + len(batch.records) - 1, batch.records[-1]), (seq, b"y"))

    def _fill_flash(self):
        try:
            for i in range(1000):
                file = open(powercut.MOUNT + "/big%d" % i, "wb")
                file.write(b"z" * 400)
                file.close()
        except OSError:
            return
        self.fail("the flash took everything")
