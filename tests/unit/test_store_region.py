"""The record log in raw flash: the contract of every store, and what only a region does."""

import unittest

import store_folder
from ram_flash import RamFlash
from store_contract import AckContract, AppendContract, ReadContract, SpaceContract, StoreHelp

from hedge.core.errors import StoreError
from hedge.store import EVENTS, KV, TELEMETRY, Store
from hedge.store.journal import SPARE_SEGMENTS
from hedge.store.region import Region

_BLOCK_BYTES = 1024
_PAGE_BYTES = 64


class StoreCase(StoreHelp, unittest.TestCase):
    """A store in the RAM flash of a fresh board; max_bytes are for records."""

    def fresh(self):
        self.flash = RamFlash(self.max_bytes // _BLOCK_BYTES + SPARE_SEGMENTS, _BLOCK_BYTES)

    def gone(self):
        pass

    def region(self):
        """As a start finds it."""
        return Region(self.flash, _PAGE_BYTES)

    def opened(self):
        store = Store(self.region())
        store.open()
        return store


class TestAppend(AppendContract, StoreCase):
    pass


class TestRead(ReadContract, StoreCase):
    pass


class TestAck(AckContract, StoreCase):
    pass


class TestSpace(SpaceContract, StoreCase):
    def test_routine_never_drops_events(self):
        self.fill(EVENTS, 114)  # three of four sectors
        self.fill(TELEMETRY, 50)
        self.assertEqual(self.store.dropped[TELEMETRY] + self.store.pending(TELEMETRY), 50)
        self.fill(EVENTS, 1)
        with self.assertRaises(StoreError):
            self.fill(TELEMETRY, 1)
        self.assertEqual(self.store.pending(EVENTS), 115)
        self.assertEqual(self.store.refused, 1)


class TestFlash(StoreCase):
    """Wear, and flash that fails."""

    def test_at_most_one_erase_for_64_records(self):
        self.flash = RamFlash(64, 4096)
        self.store = Store(Region(self.flash))
        self.store.open()
        reader = self.store.reader()
        count = 0
        while count < 8000:
            self.store.append(count % 3, self.payload(count, 32))
            count += 1
            if count % 32 == 0:
                for boot, stream, seq, _ in self.read_all(reader):
                    self.store.ack(boot, stream, seq)
        erases = sum(self.flash.erases)
        self.assertLess(erases * 64, count)
        self.assertLess(max(self.flash.erases), 2 * erases // 64 + 2)

    def test_wear_is_spread_over_restarts_too(self):
        for i in range(400):
            self.store = self.opened()
            self.fill(TELEMETRY, 20)
            self.store.ack(i + 1, TELEMETRY, 20)
            self.store.close()
        erases = self.flash.erases
        self.assertLess(max(erases), 3 * sum(erases) // len(erases))

    def test_thirty_days_of_four_minute_samples_fit_in_256_kb(self):
        self.flash = RamFlash(64, 4096)
        self.store = Store(Region(self.flash))
        self.store.open()
        KV("node", volume=self.store.volume).set("history", bytes(500))
        for _ in range(30 * 24 * 15):
            self.store.append(TELEMETRY, b"x" * 16)
        self.assertEqual((self.store.pending(), self.store.dropped), (10800, {}))

    def test_a_sector_that_does_not_hold_is_left_for_another(self):
        self.fill(TELEMETRY, 3)
        real = self.flash._program

        bad = self.store.stream(TELEMETRY).active.where

        def stuck(block, offset, data):
            real(block, offset, data if block != bad else b"\xff" * len(data))

        self.flash._program = stuck
        self.fill(TELEMETRY, 2)
        self.assertEqual(len(self.read_all(self.store.reader())), 5)
        self.assertEqual(len(self.read_all(self.opened().reader())), 5)

    def test_a_region_of_noise_is_empty(self):
        self.flash = RamFlash(
            [bytes([(i * 193 + k * 7) & 255 for i in range(1024)]) for k in range(8)]
        )
        self.store = self.opened()
        self.fill(TELEMETRY, 100)
        self.assertEqual(self.opened().pending(), 100)

    def test_too_small_a_region_is_refused(self):
        with self.assertRaises(StoreError):
            Region(RamFlash(5, 1024))

    def test_a_damaged_header_costs_its_sector_and_is_told(self):
        self.fill(TELEMETRY, 100)  # three sectors of 38
        where = self.store.stream(TELEMETRY).segments[1].where
        self.flash.do(where, 4, b"\x00")
        self.store = self.opened()
        reader = self.store.reader()
        got = self.read_all(reader)
        self.assertEqual([n for _, _, n, _ in got], list(range(1, 39)) + list(range(77, 101)))
        self.store.ack(1, TELEMETRY, 38)  # all that a gateway can say
        reader.rewind()
        batch = reader.next(100)
        self.assertEqual((batch.seq, batch.oldest), (77, 77))


class TestPrepare(StoreCase):
    """A sector that is erased in an idle moment: what begins in it erases nothing."""

    def region(self):
        region = Region(self.flash, _PAGE_BYTES)
        region.ahead_after_bytes = 0
        return region

    def erases(self):
        return sum(self.flash.erases)

    def test_an_append_that_begins_a_sector_does_not_erase(self):
        self.store.prepare()
        before = self.erases()
        self.fill(TELEMETRY, 30)
        self.assertEqual(self.erases(), before)
        for _ in range(100):
            self.store.prepare()
            before = self.erases()
            self.fill(TELEMETRY, 10)
            self.assertEqual(self.erases(), before)

    def test_a_saved_value_that_begins_a_sector_does_not_erase(self):
        kv = KV("node", volume=self.store.volume)
        for i in range(60):
            self.store.prepare()
            before = self.erases()
            kv.set("fill", bytes([i] * 200))
            kv.save()
            self.assertEqual(self.erases(), before)

    def test_nothing_is_erased_twice_for_a_sector(self):
        other = RamFlash(self.flash.blocks, _BLOCK_BYTES)
        plain = Store(Region(other, _PAGE_BYTES))
        plain.open()
        self.store = self.opened()
        before = self.erases()
        for i in range(300):
            plain.append(TELEMETRY, self.payload(i))
            self.store.append(TELEMETRY, self.payload(i))
            self.store.prepare()
            self.store.prepare()
        self.assertEqual(self.erases() - before, sum(other.erases) + 1)

    def test_all_that_is_held_stays(self):
        self.fill(EVENTS, 40)
        self.fill(TELEMETRY, 400)
        held = self.read_all(self.store.reader())
        self.store.prepare()
        self.store.prepare()
        self.assertEqual(self.read_all(self.store.reader()), held)
        self.store = self.opened()
        self.assertEqual(self.read_all(self.store.reader()), held)

    def test_the_next_start_erases_it_again(self):
        self.store.prepare()
        self.flash.tear(self.store.volume._ready, 0, None, bytes([0x5A]))
        self.store = self.opened()
        self.fill(TELEMETRY, 100)
        self.assertEqual(self.opened().pending(), 100)

    def test_a_flash_that_does_not_erase_is_told_by_the_append(self):
        def broken(op, arg):
            if op == 6:
                raise OSError(5)
            return real(op, arg)

        real, self.flash.ioctl = self.flash.ioctl, broken
        self.store.prepare()
        with self.assertRaises(StoreError):
            self.fill(TELEMETRY, 1)

    def test_a_start_that_writes_little_erases_nothing_ahead(self):
        """Else a board that restarts all the time would erase a sector each time."""
        for _ in range(20):
            region = Region(self.flash, _PAGE_BYTES)
            self.store = Store(region)
            self.store.open()
            self.fill(TELEMETRY, 1)
            before = self.erases()
            self.store.prepare()
            self.assertEqual(self.erases(), before)
        self.fill(TELEMETRY, 3 * _BLOCK_BYTES // 26)
        before = self.erases()
        self.store.prepare()
        self.assertEqual(self.erases(), before + 1)


class TestValues(StoreCase):
    """The key-value part in the same region."""

    def kv(self, name="node"):
        return KV(name, volume=self.region())

    def saved(self, region=None, **values):
        kv = KV("node", volume=region or self.region())
        for key in values:
            kv.set(key, values[key])
        kv.save()
        return kv

    def test_values_come_back(self):
        self.saved(pump_ms=30000, history=bytes(400), days=[1, None, 2.5], on=True)
        kv = self.kv()
        self.assertEqual((kv.get("pump_ms"), kv.get("history")), (30000, bytes(400)))
        self.assertEqual((kv.get("days"), kv.get("on")), ([1, None, 2.5], True))

    def test_before_the_log_is_open_and_beside_it(self):
        region = self.region()
        self.saved(region, a=1)
        store = Store(region)
        store.open()
        store.append(EVENTS, b"x")
        kv = self.saved(region, a=2)
        self.assertEqual((store.boot, kv.get("a"), self.kv().get("a")), (2, 2, 2))

    def test_each_name_is_apart(self):
        region = self.region()
        for i in range(4):
            kv = KV("kv%d" % i, volume=region)
            kv.set("i", i)
            kv.save()
        region = self.region()
        self.assertEqual([KV("kv%d" % i, volume=region).get("i") for i in range(4)], [0, 1, 2, 3])

    def test_many_saves_keep_the_last_and_take_turns_with_the_sectors(self):
        region = self.region()
        kv = KV("node", volume=region)
        for i in range(300):
            kv.set("i", i)
            kv.set("fill", bytes(i % 200))
            kv.save()
        self.assertEqual(self.kv().get("i"), 299)
        self.assertLess(max(self.flash.erases), 20)

    def test_too_much_is_a_store_error_and_the_old_values_stay(self):
        kv = self.saved(a=1)
        kv.set("b", bytes(2000))
        with self.assertRaises(StoreError):
            kv.save()
        self.assertEqual((self.kv().get("a"), self.kv().get("b")), (1, None))

    def test_a_file_that_was_there_before_moves_into_the_region(self):
        folder = store_folder.fresh("moved")
        path = folder + "/oscore.kv"
        file = KV(path)
        file.set("bed-3", 640)
        file.save()
        self.assertEqual(KV(path, volume=self.region()).get("bed-3"), 640)
        self.assertEqual(store_folder.names(folder, ""), [])
        kv = KV(path, volume=self.region())
        self.assertEqual(kv.get("bed-3"), 640)
        store_folder.clear(folder)

    def test_damage_and_a_torn_save_are_told(self):
        self.assertFalse(self.saved(a=1).may_be_old)
        self.flash.journal = []
        self.saved(a=2)
        torn = RamFlash(self.flash.blocks)
        torn.blocks[self.flash.journal[-1][0]] = bytes(
            [0xFF if i > 90 else b for i, b in enumerate(torn.blocks[self.flash.journal[-1][0]])]
        )
        self.assertEqual(self.kv().may_be_old, False)
        self.flash = torn
        self.assertTrue(self.kv().may_be_old)
