"""The record log when files are torn, damaged or missing, and when the disk is full."""

import store_folder
from test_store import StoreCase

from hedge.core.errors import StoreError
from hedge.store import EVENTS, TELEMETRY, disk
from hedge.store.segment import HEADER_BYTES

_RECORD_BYTES = 26  # of StoreCase.fill: 6 and 20


class TestTorn(StoreCase):
    def _file(self):
        return self.folder + "/" + store_folder.names(self.folder, ".log")[-1]

    def test_every_cut_of_the_last_record_is_noticed(self):
        self.fill(TELEMETRY, 3)
        path = self._file()
        whole = store_folder.contents(path)
        for size in range(HEADER_BYTES + 2 * _RECORD_BYTES + 1, len(whole)):
            store_folder.put(path, whole[:size])
            store = self.opened()
            self.assertEqual(store.pending(), 2)
            self.assertEqual([n for _, _, n, _ in self.read_all(store.reader())], [1, 2])

    def test_a_torn_tail_is_counted_once(self):
        self.fill(TELEMETRY, 3)
        path = self._file()
        store_folder.put(path, store_folder.contents(path)[:-1])
        self.assertEqual([self.opened().torn for _ in range(3)], [1, 1, 1])

    def test_nothing_is_appended_after_a_torn_tail(self):
        self.fill(TELEMETRY, 3)
        path = self._file()
        store_folder.put(path, store_folder.contents(path)[:-1])
        self.store = self.opened()
        self.fill(TELEMETRY, 3)
        got = [(b, n) for b, _, n, _ in self.read_all(self.store.reader())]
        self.assertEqual(got, [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)])

    def test_a_file_with_no_whole_record_goes(self):
        for size in (0, 5, HEADER_BYTES, HEADER_BYTES + 9):
            name = self.folder + "/1-00000063-00000001.log"
            store_folder.put(name, bytes(size))
            self.assertEqual(self.opened().pending(), 0)
            self.assertEqual(store_folder.names(self.folder, ".log"), [])

    def test_a_tail_of_zeros_is_torn(self):
        self.fill(TELEMETRY, 3)
        path = self._file()
        store_folder.put(path, store_folder.contents(path) + bytes(300))
        store = self.opened()
        self.assertEqual((store.pending(), store.torn), (3, 1))

    def test_strange_files_are_left_alone(self):
        for name in ("notes.txt", "boot-xyz", "1-0-0.log", "9-00000001-00000001.txt"):
            store_folder.put(self.folder + "/" + name, b"mine")
        self.assertEqual(self.opened().boot, 2)
        self.assertIn("notes.txt", store_folder.names(self.folder, ""))


class TestDamage(StoreCase):
    def _fill_two_files(self):
        self.fill(TELEMETRY, 60)  # 38 records fit one file
        return [self.folder + "/" + n for n in store_folder.names(self.folder, ".log")]

    def _numbers(self, reader):
        return [n for _, _, n, _ in self.read_all(reader)]

    def test_every_damaged_byte_costs_one_record(self):
        path = self._fill_two_files()[0]
        for offset in range(HEADER_BYTES + 3 * _RECORD_BYTES, HEADER_BYTES + 4 * _RECORD_BYTES):
            store_folder.flip(path, offset)
            store = self.opened()
            self.assertEqual(self._numbers(store.reader()), [1, 2, 3] + list(range(5, 61)), offset)
            self.assertEqual(store.corrupt, 1)
            store_folder.flip(path, offset)

    def test_a_damaged_header_costs_nothing(self):
        path = self._fill_two_files()[0]
        for offset in range(HEADER_BYTES):
            store_folder.flip(path, offset)
        self.assertEqual(self._numbers(self.opened().reader()), list(range(1, 61)))

    def test_damage_is_counted_once(self):
        path = self._fill_two_files()[0]
        store_folder.flip(path, HEADER_BYTES + 3 * _RECORD_BYTES + 8)
        store = self.opened()
        reader = store.reader()
        for _ in range(3):
            self._numbers(reader)
            reader.rewind()
        self.assertEqual(store.corrupt, 1)
        store.ack(1, TELEMETRY, 60)
        store.close()
        self.assertEqual(self.opened().corrupt, 1)

    def test_oldest_moves_past_damage_after_rewind(self):
        path = self._fill_two_files()[0]
        store_folder.flip(path, HEADER_BYTES + 3 * _RECORD_BYTES + 8)  # record 4
        store = self.opened()
        reader = store.reader()
        self._numbers(reader)
        store.ack(1, TELEMETRY, 3)  # all that a gateway can say: 4 is missing
        reader.rewind()
        batch = reader.next(100)
        self.assertEqual((batch.seq, batch.oldest), (5, 5))

    def test_a_wiped_piece_costs_what_was_in_it(self):
        path = self._fill_two_files()[0]
        data = bytearray(store_folder.contents(path))
        for i in range(112, 412):
            data[i] = 0xFF
        store_folder.put(path, data)
        store = self.opened()
        got = self._numbers(store.reader())
        self.assertEqual(got[:3] + got[-2:], [1, 2, 3, 59, 60])
        self.assertEqual(len(got) + store.corrupt, 60)

    def test_a_file_of_noise_is_given_up(self):
        path = self._fill_two_files()[0]
        size = len(store_folder.contents(path))
        store_folder.put(path, bytes([(i * 193 + 7) & 0xFF for i in range(size)]))
        store = self.opened()
        got = self._numbers(store.reader())
        self.assertEqual(got[-1], 60)
        self.assertEqual(len(got) + store.corrupt, 60)
        self.assertEqual(store.pending(), len(got))

    def test_a_vanished_file_is_passed_by(self):
        import os

        path = self._fill_two_files()[0]
        os.remove(path)
        got = self._numbers(self.store.reader())
        self.assertEqual(got, list(range(got[0], 61)))

    def test_a_damaged_tail_of_an_earlier_start_does_not_hold_up_the_log(self):
        self.fill(TELEMETRY, 3)
        store_folder.flip(self.folder + "/" + store_folder.names(self.folder, ".log")[0], -1)
        store = self.opened()
        self._numbers(store.reader())
        store.ack(1, TELEMETRY, 2)
        self.assertEqual(store.pending(), 0)


class _FullDisk:
    """Stands in for disk.write: the nth write fails, having written a part."""

    def __init__(self, fail, errno, part):
        self.fail = fail
        self.errno = errno
        self.part = part
        self.count = 0
        self.real = disk.write

    def __call__(self, file, data, flush):
        self.count += 1
        if self.count in self.fail:
            file.write(data[: len(data) * self.part // 4])
            raise OSError(self.errno, "as a full disk does")
        self.real(file, data, flush)

    def __enter__(self):
        disk.write = self
        return self

    def __exit__(self, kind, value, trace):
        disk.write = self.real


class TestFullDisk(StoreCase):
    def _append_with(self, fail, errno=disk.ENOSPC, part=2):
        """Append until the failure has happened; returns the numbers that append gave."""
        with _FullDisk(fail, errno, part):
            return [self.store.append(TELEMETRY, self.payload(i)) for i in range(3)]

    def test_a_half_written_record_does_not_spoil_the_next(self):
        for part in range(5):
            self.fill(EVENTS, 1)
            before = self.store.pending()
            self._append_with((2,), errno=27, part=part)  # EFBIG: another file helps
            self.assertEqual(self.store.pending(), before + 3)
            got = self.read_all(self.store.reader())
            self.assertEqual(len(got), before + 3)
            numbers = [n for _, s, n, _ in got if s == TELEMETRY]
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
            self.assertEqual(len(self.read_all(self.opened().reader())), before + 3)

    def test_a_full_disk_drops_the_oldest_file(self):
        self.fill(TELEMETRY, 100)
        self._append_with((2,))
        self.assertGreater(self.store.dropped[TELEMETRY], 0)
        self.assertEqual(self.store.pending() + self.store.dropped[TELEMETRY], 103)
        self.assertEqual(len(self.read_all(self.store.reader())), self.store.pending())

    def test_when_nothing_can_be_freed_the_append_is_refused(self):
        with _FullDisk(range(1, 100), disk.ENOSPC, 1):
            with self.assertRaises(StoreError):
                self.store.append(TELEMETRY, b"x")
        self.assertEqual(self.store.refused, 1)
        self.assertEqual(self.store.append(TELEMETRY, b"y"), 1)
        self.assertEqual(self.read_all(self.store.reader()), [(1, TELEMETRY, 1, b"y")])

    def test_routine_on_a_disk_full_of_events_is_refused(self):
        self.fill(EVENTS, 50)
        with _FullDisk(range(1, 100), disk.ENOSPC, 1):
            with self.assertRaises(StoreError):
                self.store.append(TELEMETRY, b"x")
        self.assertEqual(self.store.pending(EVENTS), 50)

    def test_state_that_cannot_be_saved_loses_no_record(self):
        self.fill(TELEMETRY, 100)
        with _FullDisk(range(1, 100), disk.ENOSPC, 1):
            self.store.ack(1, TELEMETRY, 90)
        self.assertEqual(self.store.pending(), 10)
        self.assertGreaterEqual(self.opened().pending(), 10)
