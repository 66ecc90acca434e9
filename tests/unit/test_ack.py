"""The ack: round trip, bytes written in the specification, limits, signature."""

import unittest
from binascii import hexlify

from hedge.core.errors import FrameError
from hedge.wire import ack, frame

_KEY = b"0123456789abcdef"
_MARKS = [(3, 0, 12), (3, 1, 300)]


class TestAck(unittest.TestCase):
    def test_round_trip(self):
        for key in (None, _KEY):
            data = ack.pack(7, 1760000000, _MARKS, "node-1", key)
            self.assertEqual(ack.unpack(data, "node-1", key), (7, 1760000000, _MARKS))

    def test_the_example_of_the_specification(self):
        self.assertEqual(
            hexlify(ack.pack(7, 1760000000, _MARKS)), b"21000780f09dc70603000c0301ac022c96"
        )

    def test_no_marks_and_no_time(self):
        self.assertEqual(ack.unpack(ack.pack(0, 0, [])), (0, 0, []))

    def test_the_largest_fits(self):
        top = 0xFFFFFFFF
        data = ack.pack(top, top, [(top, 255, top)] * ack.MAX_MARKS, key=_KEY)
        self.assertLessEqual(len(data), ack.MAX_ACK_BYTES)
        self.assertEqual(len(ack.unpack(data, key=_KEY)[2]), ack.MAX_MARKS)

    def test_what_does_not_fit_is_a_value_error(self):
        for args in ((-1, 0, []), (0, 1 << 32, []), (0, 0, [(1, 256, 1)]), (0, 0, _MARKS * 9)):
            with self.assertRaises(ValueError):
                ack.pack(*args)

    def test_every_flipped_bit_and_every_cut_is_noticed(self):
        for key in (None, _KEY):
            data = ack.pack(7, 1760000000, _MARKS, "node-1", key)
            for i in range(8 * len(data)):
                bad = bytearray(data)
                bad[i >> 3] ^= 1 << (i & 7)
                with self.assertRaises(FrameError):
                    ack.unpack(bad, "node-1", key)
            for size in range(len(data)):
                with self.assertRaises(FrameError):
                    ack.unpack(data[:size], "node-1", key)

    def test_a_signed_ack_is_for_one_device(self):
        data = ack.pack(7, 0, _MARKS, "node-1", _KEY)
        with self.assertRaises(FrameError):
            ack.unpack(data, "node-2", _KEY)

    def test_a_frame_is_not_an_ack(self):
        with self.assertRaises(FrameError):
            ack.unpack(frame.pack("node-1", 1, 1, 1, 1, [b"x"]))
        with self.assertRaises(FrameError):
            frame.unpack(ack.pack(7, 0, _MARKS))
