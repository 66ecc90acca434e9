"""The supervisor: three failed boots, rollback, safe mode, and damage to each of its files."""

import json
import os
import sys
import unittest

import store_folder

import hedge

sys.path.append(hedge.__file__.rsplit("/", 2)[0] + "/boot")
import hedge_boot
from hedge_boot import Slots, decide


class BootCase(unittest.TestCase):
    def setUp(self):
        self.root = store_folder.fresh("boot")
        self.slots = Slots(self.root)
        hedge_boot.RESTART_MS = 0
        self.resets = 0

    def tearDown(self):
        for slot in ("a", "b"):
            if slot in os.listdir(self.root):
                store_folder.clear(self.root + "/" + slot)
        store_folder.clear(self.root)

    def fill(self, slot, source="", **more):
        """Write a complete slot; the entry's name is its own, as modules are imported once."""
        folder = self.root + "/" + slot
        if slot not in os.listdir(self.root):
            os.mkdir(folder)
        entry = self.root.rsplit("/", 1)[1].replace("-", "_") + slot
        store_folder.put(folder + "/" + entry + ".py", source.encode())
        manifest = dict(entry=entry, files={}, **more)
        store_folder.put(folder + "/manifest.json", json.dumps(manifest).encode())

    def deploy(self, slot, source=""):
        self.fill(slot, source)
        self.slots.switch(slot)

    def boot(self):
        """One boot with an app that neither crashes nor confirms."""
        return decide(self.slots)

    def crash(self):
        def reset():
            self.resets += 1

        what, slot = decide(self.slots)
        self.assertEqual(what, "run")
        path = list(sys.path)
        hedge_boot.run(self.slots, slot, reset)
        sys.path[:] = path


class TestPointer(BootCase):
    def test_an_empty_board_gives_the_repl(self):
        self.assertEqual(self.boot(), ("repl", "no app is deployed"))

    def test_a_new_slot_runs_unconfirmed(self):
        self.deploy("a")
        self.assertEqual(self.boot(), ("run", "a"))
        self.assertFalse(self.slots.current()["confirmed"])

    def test_an_incomplete_slot_is_not_switched_to(self):
        self.deploy("a")
        with self.assertRaises(ValueError):
            self.slots.switch("b")
        self.assertEqual(self.boot(), ("run", "a"))

    def test_the_spare_slot_is_never_the_one_that_starts(self):
        self.deploy("a")
        self.assertEqual(self.slots.spare(), "b")
        self.slots.confirm()
        self.deploy("b")
        self.assertEqual(self.slots.open_spare(), "b")  # it gives way to the proven one
        self.assertEqual(self.boot(), ("run", "a"))

    def test_the_way_back_survives_two_deploys_in_a_row(self):
        self.deploy("a")
        self.slots.confirm()
        for _ in range(2):
            self.deploy(self.slots.open_spare())
        self.assertEqual(self.slots.current()["previous"], "a")

    def test_a_slot_that_is_opened_for_writing_does_not_start(self):
        self.fill("b")
        self.deploy("a")
        self.slots.confirm()
        self.assertEqual(self.slots.open_spare(), "b")
        self.assertIsNone(self.slots.manifest("b"))
        self.assertEqual(self.slots.open_spare(), "b")

    def test_damaged_pointers_give_the_repl(self):
        self.deploy("a")
        for text in (b"", b"{", b"[]", b'{"slot": "c"}', b"\xff\x00"):
            store_folder.put(self.root + "/current", text)
            self.assertEqual(self.boot()[0], "repl")

    def test_a_pointer_whose_rename_was_cut_on_fat_is_found(self):
        self.deploy("a")
        os.rename(self.root + "/current", self.root + "/current.new")
        self.assertEqual(self.boot(), ("run", "a"))

    def test_a_torn_new_pointer_does_not_matter(self):
        self.deploy("a")
        store_folder.put(self.root + "/current.new", b'{"slot": "b')
        self.assertEqual(self.boot(), ("run", "a"))

    def test_confirming_twice_writes_once(self):
        self.deploy("a")
        self.slots.confirm()
        os.remove(self.root + "/current")
        self.slots.confirm()
        self.assertNotIn("current", os.listdir(self.root))


class TestFailedBoots(BootCase):
    def test_three_failed_boots_roll_back_to_the_proven_slot(self):
        self.deploy("a")
        self.slots.confirm()
        self.deploy("b")
        found = [self.boot() for _ in range(4)]
        self.assertEqual(found, [("run", "b")] * 3 + [("run", "a")])
        self.assertTrue(self.slots.current()["confirmed"])

    def test_a_proven_slot_that_fails_three_times_ends_in_safe_mode_and_stays_there(self):
        self.deploy("a")
        self.slots.confirm()
        found = [self.boot()[0] for _ in range(5)]
        self.assertEqual(found, ["run", "run", "run", "safe", "safe"])

    def test_a_deploy_ends_safe_mode(self):
        self.deploy("a")
        for _ in range(4):
            self.boot()
        self.deploy(self.slots.spare())
        self.assertEqual(self.boot(), ("run", "b"))
        self.assertEqual(self.slots.boots(), 1)

    def test_boots_counted_for_an_earlier_generation_do_not_count(self):
        self.deploy("a")
        self.boot()
        self.boot()
        self.slots.switch("a")
        self.assertEqual(self.slots.boots(), 0)

    def test_confirming_forgets_failed_boots(self):
        self.deploy("a")
        self.boot()
        self.slots.confirm()
        self.assertEqual(self.slots.boots(), 0)

    def test_waking_from_deep_sleep_counts_and_writes_nothing(self):
        self.deploy("a")
        for _ in range(5):
            self.assertEqual(decide(self.slots, counts=False), ("run", "a"))
        self.assertNotIn("boots", os.listdir(self.root))

    def test_a_damaged_count_reads_as_none(self):
        self.deploy("a")
        for text in (b"", b"3", b"[1]", b"{}"):
            store_folder.put(self.root + "/boots", text)
            self.assertEqual(self.slots.boots(), 0)

    def test_a_slot_without_manifest_is_safe_mode(self):
        self.deploy("a")
        os.remove(self.root + "/a/manifest.json")
        self.assertEqual(self.boot(), ("safe", "slot a is damaged"))

    def test_the_head_of_a_manifest_is_read_without_its_files(self):
        self.deploy("a")
        files = ",".join('"f%d":[1,"00"]' % n for n in range(60))
        text = '{"entry":"main","healthy_after_ms":5,"files":{%s}}' % files
        wanted = {"entry": "main", "healthy_after_ms": 5}
        for whole, found in ((text, wanted), (text[:-1], None), ("", None), ("{}", None)):
            store_folder.put(self.root + "/a/manifest.json", whole.encode())
            self.assertEqual(self.slots.head("a"), found)
        store_folder.put(self.root + "/a/manifest.json", b"[1]" + text.encode())
        self.assertIsNone(self.slots.head("a"))
        self.assertIsNone(self.slots.head("b"))

    def test_a_hold_lasts_one_boot_and_counts_nothing(self):
        self.deploy("a")
        store_folder.put(self.root + "/hold", b"")
        self.assertEqual(self.boot(), ("repl", "held by a host"))
        self.assertEqual(self.slots.boots(), 0)
        self.assertEqual(self.boot(), ("run", "a"))


class TestRunning(BootCase):
    def test_an_app_that_ends_is_confirmed(self):
        self.deploy("a", "x = 1\n")
        self.crash()
        self.assertTrue(self.slots.current()["confirmed"])
        self.assertEqual((self.slots.boots(), self.resets), (0, 0))

    def test_sys_exit_is_an_end(self):
        self.deploy("a", "import sys\nsys.exit()\n")
        self.crash()
        self.assertTrue(self.slots.current()["confirmed"])

    def test_a_crash_is_kept_counted_and_reset(self):
        self.deploy("a", "raise RuntimeError('pump stuck')\n")
        self.crash()
        self.assertEqual((self.slots.boots(), self.resets), (1, 1))
        self.assertIn("pump stuck", store_folder.contents(self.root + "/crash").decode())
        self.assertFalse(self.slots.current()["confirmed"])

    def test_an_app_that_does_not_parse_is_a_crash(self):
        self.deploy("a", "def (:\n")
        self.crash()
        self.assertEqual(self.resets, 1)

    def test_an_entry_that_is_missing_is_a_crash(self):
        self.deploy("a")
        manifest = b'{"entry": "not_there_at_all", "files": {}}'
        store_folder.put(self.root + "/a/manifest.json", manifest)
        self.crash()
        self.assertEqual(self.resets, 1)

    def test_ctrl_c_gives_the_repl_and_is_no_failure(self):
        self.deploy("a", "raise KeyboardInterrupt\n")
        self.crash()
        self.assertEqual((self.slots.boots(), self.resets), (0, 0))

    def test_an_app_can_confirm_and_find_its_files(self):
        source = "import hedge_boot\nhedge_boot.confirm()\nassert hedge_boot.path('m') == %r\n"
        self.deploy("a", source % (self.root + "/a/m"))
        self.crash()
        self.assertEqual(self.resets, 0)
        self.assertTrue(self.slots.current()["confirmed"])

    def test_confirm_outside_of_an_app_does_nothing(self):
        self.deploy("a")
        hedge_boot.confirm()
        self.assertFalse(self.slots.current()["confirmed"])


if __name__ == "__main__":
    unittest.main()
