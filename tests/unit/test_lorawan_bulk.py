"""Files in fragments: any that arrive in any order do, and what is wrong is said."""

import binascii
import random
import unittest

import store_folder
from quiet_case import QuietCase

from hedge.net.lorawan import bulk, frag


def _data(size):
    random.seed(size)
    return bytes([random.getrandbits(8) for _ in range(size)])


class TestDecoder(unittest.TestCase):
    def _decode(self, data, size, order, max_lost=64):
        """(fragments taken until done or None, decoder) of these fragment numbers."""
        places = {}
        decoder = frag.Decoder(
            len(data) // size, size, places.__setitem__, places.__getitem__, max_lost
        )
        for taken, n in enumerate(order):
            if decoder.add(n, frag.fragment(data, size, n)):
                whole = b"".join([places[i] for i in range(decoder.count)])
                self.assertEqual(whole, data)
                return taken + 1, decoder
        return None, decoder

    def test_all_fragments_and_no_parity(self):
        self.assertEqual(self._decode(_data(200), 10, range(1, 21))[0], 20)

    def test_backwards_twice_and_parity_first(self):
        order = list(range(40, 20, -1)) + [7, 7, 7] + list(range(20, 0, -1))
        self.assertTrue(self._decode(_data(200), 10, order)[0])

    def test_parity_alone(self):
        taken, _ = self._decode(_data(80), 10, range(9, 80))
        self.assertTrue(taken and taken < 20)

    def test_every_loss_of_a_third(self):
        for seed in range(20):
            random.seed(seed)
            count = 1 + random.getrandbits(16) % 40
            order = [n for n in range(1, 4 * count + 30) if random.getrandbits(8) % 3]
            taken, _ = self._decode(_data(10 * count), 10, order)
            self.assertTrue(taken is not None and taken <= count + 12, (count, taken))

    def test_more_losses_than_there_is_room_for_take_longer(self):
        order = [n for n in range(1, 400) if n > 20 or n % 2]
        taken, decoder = self._decode(_data(400), 10, order, 4)
        self.assertTrue(decoder.overflow)
        self.assertTrue(taken is None or taken > 40)

    def test_one_fragment(self):
        self.assertEqual(self._decode(_data(10), 10, [1])[0], 1)

    def test_what_does_not_fit(self):
        decoder = frag.Decoder(3, 10, None, None)
        for n, size in ((1, 9), (0, 10), (1 << 14, 10)):
            with self.assertRaises(ValueError):
                decoder.add(n, bytes(size))
        for count, size in ((0, 10), (3, 0), (1 << 14, 10)):
            with self.assertRaises(ValueError):
                frag.Decoder(count, size, None, None)


class TestReceiver(QuietCase):
    def setUp(self):
        QuietCase.setUp(self)
        self.folder = store_folder.fresh("bulk")
        self.path = self.folder + "/file"
        self.posted = []
        self.got = []
        self.receiver = bulk.Receiver(
            self.path,
            lambda port, data: self.posted.append(data),
            lambda path, size: self.got.append(store_folder.contents(path)[:size]),
            4096,
        )
        self.data = _data(95)
        self.padded = self.data + bytes(5)

    def tearDown(self):
        self.receiver.close()
        QuietCase.tearDown(self)
        store_folder.clear(self.folder)

    def setup(self, index=0, count=10, size=10, padding=5, crc=None):
        crc = binascii.crc32(self.data) if crc is None else crc
        self.take(bulk.setup_req(index, count, size, padding, crc))
        return self.posted[-1]

    def take(self, data):
        self.receiver.take(bulk.PORT, data)

    def fragments(self, numbers):
        for n in numbers:
            self.take(bulk.data_fragment(0, n, frag.fragment(self.padded, 10, n)))

    def test_a_file_with_losses(self):
        self.assertEqual(self.setup(), b"\x02\x00")
        self.assertTrue(self.receiver.is_open())
        self.fragments([1, 2, 4, 5, 7, 8, 9])
        self.take(bulk.status_req(0))
        self.assertEqual(self.posted[-1], b"\x01\x07\x00\x03\x00")
        self.fragments(range(11, 25))
        self.assertEqual(self.got, [self.data])
        self.assertFalse(self.receiver.is_open())
        self.take(bulk.status_req(0))
        self.assertEqual(self.posted[-1][3], 0)

    def test_a_setup_that_is_repeated_changes_nothing(self):
        self.setup()
        self.fragments(range(1, 6))
        self.setup()
        self.fragments(range(6, 11))
        self.assertEqual(self.got, [self.data])
        self.setup()  # the answer was lost: the file is not begun again
        self.assertEqual(self.receiver.files, 1)

    def test_a_wrong_crc_begins_anew(self):
        self.setup(crc=1)
        self.fragments(range(1, 11))
        self.assertEqual(self.got, [])
        self.take(bulk.status_req(0))
        self.assertEqual(self.posted[-1][3], 255)

    def test_what_is_refused(self):
        self.assertEqual(self.setup(index=1), b"\x02\x44")
        self.assertEqual(self.setup(count=500), b"\x02\x02")
        self.assertEqual(self.setup(count=0), b"\x02\x02")
        self.assertEqual(self.setup(count=1, size=1, padding=255), b"\x02\x02")
        other = bytearray(bulk.setup_req(0, 10, 10, 5, 0))
        other[5] = 0x08  # another coding
        self.take(bytes(other))
        self.assertEqual(self.posted[-1], b"\x02\x01")
        self.fragments([1])
        for data in (b"\x09", b"\x02\x00", b"\x08\x01\x00", b"\x01"):
            self.take(data)
        self.assertEqual(self.receiver.refused, 5)

    def test_version_delete_and_other_ports(self):
        self.take(b"\x00")
        self.assertEqual(self.posted[-1], b"\x00\x03\x01")
        self.setup()
        self.take(b"\x03\x00")
        self.assertEqual(self.posted[-1], b"\x03\x00")
        self.take(b"\x03\x00")
        self.assertEqual(self.posted[-1], b"\x03\x04")
        self.receiver.take(1, b"\x00")
        self.assertEqual(len(self.posted), 4)

    def test_a_disk_that_fails_ends_the_transfer_and_no_more(self):
        self.receiver.path = self.folder + "/none/file"
        self.take(bulk.setup_req(0, 10, 10, 5, 0))
        self.assertEqual(self.posted, [])
        self.assertFalse(self.receiver.is_open())


if __name__ == "__main__":
    unittest.main()
