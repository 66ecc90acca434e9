"""The board's side of deploy: frames into files, and every kind of garbage."""

import binascii
import io
import json
import os
import sys
import unittest

import store_folder

import hedge

sys.path.append(hedge.__file__.rsplit("/", 2)[0] + "/boot")
import hedge_link
from hedge_boot import Slots
from hedge_link import GarbledError, Receiver


def frame(kind, body=b""):
    if isinstance(body, (list, str)):
        body = json.dumps(body).encode()
    at = [i for i in range(len(body)) if body[i] == 3]
    patches = b"".join([bytes([128 | i >> 7, 128 | i & 127]) for i in at])
    body = body.replace(b"\x03", b"\x02")
    head = b"%s%04x%04x%08x\n" % (kind, len(body), len(at), binascii.crc32(body + patches))
    return head + body + patches


def head(path, data, offset=0):
    return frame(b"F", [path, len(data), offset, binascii.crc32(data)])


class TestReceiver(unittest.TestCase):
    def setUp(self):
        self.folder = store_folder.fresh("link") + "/"
        self.said = io.BytesIO()

    def tearDown(self):
        store_folder.clear(self.folder[:-1])

    def receive(self, *frames):
        stream = io.BytesIO(b"".join(frames) + frame(b"Q"))
        Receiver(stream, self.said, self.folder).run()

    def test_a_file_of_every_byte_arrives(self):
        data = bytes(range(256)) * 3
        self.receive(head("x", data), frame(b"D", data[:300]), frame(b"D", data[300:]))
        self.assertEqual(store_folder.contents(self.folder + "x"), data)
        self.assertEqual(self.said.getvalue(), b"++++")

    def test_deflated_data(self):
        # zlib.compressobj(wbits=-12) of 40 times "soil", CPython 3.11
        packed = binascii.unhexlify("2bcecfcc291ec41800")
        self.receive(head("x", b"soil" * 40), frame(b"Z", packed))
        self.assertEqual(store_folder.contents(self.folder + "x"), b"soil" * 40)

    def test_an_empty_file_needs_no_data(self):
        self.receive(head("x", b""))
        self.assertEqual(store_folder.contents(self.folder + "x"), b"")

    def test_a_file_is_not_replaced_before_all_of_it_is_there(self):
        store_folder.put(self.folder + "x", b"old")
        self.receive(head("x", b"newer"), frame(b"D", b"new"))
        self.assertEqual(store_folder.contents(self.folder + "x"), b"old")
        self.assertEqual(store_folder.contents(self.folder + "x.part"), b"new")

    def test_it_goes_on_where_it_was_cut(self):
        store_folder.put(self.folder + "x.part", b"new")
        self.receive(head("x", b"newer", 3), frame(b"D", b"er"))
        self.assertEqual(store_folder.contents(self.folder + "x"), b"newer")

    def test_a_file_that_reads_back_wrong_is_refused(self):
        store_folder.put(self.folder + "x.part", b"bad")
        with self.assertRaises(OSError):
            self.receive(head("x", b"newer", 3), frame(b"D", b"er"))
        self.assertEqual(os.listdir(self.folder), [])

    def test_copy_and_remove(self):
        store_folder.put(self.folder + "x", b"data" * 1000)
        self.receive(frame(b"C", [self.folder + "x", self.folder + "y"]), frame(b"R", "x"))
        self.assertEqual(store_folder.names(self.folder, ""), ["y"])
        self.assertEqual(store_folder.contents(self.folder + "y"), b"data" * 1000)

    def test_each_flipped_bit_and_each_cut_is_noticed(self):
        first = head("x", b"abc")
        good = first + frame(b"D", b"abc")
        line_ends = (17, len(first) + 17)  # nothing depends on them
        for at in range(len(good)):
            bad = bytearray(good)
            bad[at] ^= 1 << at % 8
            if at not in line_ends:
                with self.assertRaises((GarbledError, ValueError, OSError)):
                    self.receive(bytes(bad))
            with self.assertRaises((GarbledError, ValueError)):
                Receiver(io.BytesIO(good[:at]), self.said, self.folder).run()

    def test_more_data_than_announced_is_refused(self):
        with self.assertRaises(GarbledError):
            self.receive(head("x", b"ab"), frame(b"D", b"abc"))
        with self.assertRaises(GarbledError):
            self.receive(frame(b"D", b"abc"))

    def test_survey_gives_sizes_and_hashes(self):
        store_folder.put(self.folder + "x", b"abc")
        # SHA-256 of "abc": FIPS 180-2, appendix B.1
        self.assertEqual(hedge_link.survey(self.folder), {"x": [3, "ba7816bf8f01cfea"]})
        self.assertEqual(hedge_link.survey(self.folder + "none/"), {})

    def test_state_of_an_empty_board(self):
        found = hedge_link.state(Slots(self.folder[:-1]))
        self.assertEqual(found["spare"], "a")
        self.assertIsNone(found["current"])
        self.assertEqual(found["a"], {"files": {}})

    def test_state_leaves_the_files_of_a_complete_slot_to_its_manifest(self):
        hedge_link.make_folders(self.folder + "b/x")
        store_folder.put(self.folder + "b/x", b"abc")
        self.assertEqual(hedge_link.state(Slots(self.folder[:-1]))["b"]["files"]["x"][0], 3)
        store_folder.put(self.folder + "b/manifest.json", b'{"entry":"x","files":{}}')
        self.assertEqual(hedge_link.state(Slots(self.folder[:-1]))["b"], {"files": {}})
        store_folder.clear(self.folder + "b")


if __name__ == "__main__":
    unittest.main()
