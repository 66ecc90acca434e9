"""The key-value file: values survive, a cut or damaged file is noticed."""

import store_folder
from quiet_case import QuietCase

from hedge.core.errors import StoreError
from hedge.store import KV


class TestKV(QuietCase):
    def setUp(self):
        QuietCase.setUp(self)
        self.folder = store_folder.fresh("kv")
        self.path = self.folder + "/rules.kv"

    def tearDown(self):
        QuietCase.tearDown(self)
        store_folder.clear(self.folder)

    def _saved(self, **values):
        kv = KV(self.path)
        for key in values:
            kv.set(key, values[key])
        kv.save()
        return kv

    def test_values_come_back(self):
        self._saved(pump_ms=30000, history=b"\x00\x01", days=[1, None, 2.5], on=True)
        kv = KV(self.path)
        self.assertEqual(kv.get("pump_ms"), 30000)
        self.assertEqual(kv.get("history"), b"\x00\x01")
        self.assertEqual(kv.get("days"), [1, None, 2.5])
        self.assertIs(kv.get("on"), True)

    def test_unknown_and_deleted_keys_give_the_default(self):
        kv = self._saved(a=1)
        kv.delete("a")
        kv.delete("never")
        kv.save()
        self.assertEqual(KV(self.path).get("a", 7), 7)

    def test_nothing_is_written_until_save(self):
        self._saved(a=1).set("a", 2)
        self.assertEqual(KV(self.path).get("a"), 1)

    def test_save_without_a_change_writes_nothing(self):
        kv = self._saved(a=1)
        store_folder.put(self.path, b"")
        kv.set("a", 1)
        kv.save()
        self.assertEqual(store_folder.contents(self.path), b"")

    def test_every_damaged_byte_is_noticed(self):
        self._saved(a=1)
        for i in range(len(store_folder.contents(self.path))):
            store_folder.flip(self.path, i)
            kv = KV(self.path)
            self.assertTrue(kv.damaged, i)
            self.assertIsNone(kv.get("a"))
            store_folder.flip(self.path, i)
        self.assertFalse(KV(self.path).damaged)

    def test_a_damaged_file_can_be_saved_over(self):
        self._saved(a=1)
        store_folder.flip(self.path, 5)
        self._saved(a=2)
        self.assertEqual(KV(self.path).get("a"), 2)

    def test_a_cut_replacement_leaves_the_old_values(self):
        self._saved(a=1)
        store_folder.put(self.path + ".tmp", store_folder.contents(self.path)[:9])
        self.assertEqual(KV(self.path).get("a"), 1)

    def test_too_much_is_a_store_error_and_the_old_values_stay(self):
        kv = self._saved(a=1)
        kv.set("b", b"x" * 9000)
        with self.assertRaises(StoreError):
            kv.save()
        self.assertEqual(KV(self.path).get("a"), 1)
        self.assertIsNone(KV(self.path).get("b"))

    def test_a_missing_folder_is_a_store_error(self):
        kv = KV(self.folder + "/none/x.kv")
        kv.set("a", 1)
        with self.assertRaises(StoreError):
            kv.save()
