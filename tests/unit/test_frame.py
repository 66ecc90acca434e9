"""The frame: round trip, bytes written in the specification, limits, signature."""

import unittest
from binascii import hexlify, unhexlify

from hedge.core.errors import FrameError
from hedge.wire import frame, mac

_KEY = b"0123456789abcdef"

# RFC 4231, test cases 1, 2 and 6: key, data, HMAC-SHA256.
_RFC4231 = (
    (
        b"\x0b" * 20,
        b"Hi There",
        b"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        b"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
)


def _fields(f):
    return (f.device, f.boot, f.stream, f.seq, f.oldest, f.records, f.backlog)


class TestFrame(unittest.TestCase):
    def test_round_trip(self):
        for key in (None, _KEY):
            data = frame.pack("node-1", 3, 1, 300, 290, [b"abc", b"d"], True, key)
            got = _fields(frame.unpack(data, key))
            self.assertEqual(got, ("node-1", 3, 1, 300, 290, [b"abc", b"d"], True))

    def test_the_example_of_the_specification(self):
        data = frame.pack("node-1", 3, 1, 300, 290, [b"abc", b"d"])
        self.assertEqual(hexlify(data), b"1100066e6f64652d310301ac020a036162630164b43c")

    def test_the_largest_numbers_fit(self):
        top = 0xFFFFFFFF
        data = frame.pack("a" * 24, top, 255, top, 1, [b"x" * 192], key=_KEY)
        self.assertLessEqual(len(data), frame.HARD_MAX_BYTES)
        self.assertEqual(_fields(frame.unpack(data, _KEY))[:5], ("a" * 24, top, 255, top, 1))

    def test_an_empty_frame_tells_oldest(self):
        self.assertEqual(frame.unpack(frame.pack("a", 1, 0, 9, 9, [])).oldest, 9)

    def test_frame_len_and_room_agree_with_pack(self):
        for key in (None, _KEY):
            records = [b"x" * 20, b"y" * 7]
            data = frame.pack("node-1", 200, 1, 70000, 3, records, key=key)
            self.assertEqual(frame.frame_len("node-1", 200, 1, 70000, 3, records, key), len(data))
            room = frame.room(200, "node-1", key)
            full = frame.pack("node-1", 0xFFFFFFFF, 1, 0xFFFFFFFF, 1, [b"x" * (room - 1)], key=key)
            self.assertEqual(len(full), 200)

    def test_what_does_not_fit_is_a_value_error(self):
        for args in (
            ("", 1, 1, 1, 1, []),
            ("Node", 1, 1, 1, 1, []),
            ("a" * 25, 1, 1, 1, 1, []),
            ("a", 0, 1, 1, 1, []),
            ("a", 1, 256, 1, 1, []),
            ("a", 1, 1, 0, 0, []),
            ("a", 1, 1, 5, 6, []),
            ("a", 1, 1, 1, 1, [b""]),
            ("a", 1, 1, 1, 1, [b"x" * 193]),
            ("a", 1, 1, 1, 1, [b"x" * 100] * 3),
            ("a", 1, 1, 0xFFFFFFFF, 1, [b"x", b"y"]),
        ):
            with self.assertRaises(ValueError):
                frame.pack(*args)

    def test_every_flipped_bit_is_noticed(self):
        for key in (None, _KEY):
            data = frame.pack("node-1", 3, 1, 300, 290, [b"abc", b"d"], key=key)
            for i in range(8 * len(data)):
                bad = bytearray(data)
                bad[i >> 3] ^= 1 << (i & 7)
                with self.assertRaises(FrameError):
                    frame.unpack(bad, key)

    def test_every_cut_is_noticed(self):
        data = frame.pack("node-1", 3, 1, 300, 290, [b"abc", b"d"])
        for size in range(len(data)):
            with self.assertRaises(FrameError):
                frame.unpack(data[:size])
        with self.assertRaises(FrameError):
            frame.unpack(data + b"\x00")

    def test_an_oversized_frame_is_refused(self):
        with self.assertRaises(FrameError):
            frame.unpack(bytes(256))


class TestSignature(unittest.TestCase):
    def test_the_key_is_found_by_device(self):
        data = frame.pack("node-1", 1, 1, 1, 1, [b"x"], key=_KEY)
        keys = {"node-1": _KEY}
        self.assertEqual(frame.unpack(data, keys.get).records, [b"x"])

    def test_a_signature_cannot_be_left_out(self):
        data = frame.pack("node-1", 1, 1, 1, 1, [b"x"])
        with self.assertRaises(FrameError):
            frame.unpack(data, _KEY)

    def test_a_signature_without_a_key_is_refused(self):
        data = frame.pack("node-1", 1, 1, 1, 1, [b"x"], key=_KEY)
        with self.assertRaises(FrameError):
            frame.unpack(data)

    def test_another_key_is_refused(self):
        data = frame.pack("node-1", 1, 1, 1, 1, [b"x"], key=_KEY)
        with self.assertRaises(FrameError):
            frame.unpack(data, b"another")

    def test_hmac_sha256_vectors(self):
        for key, data, expected in _RFC4231:
            self.assertEqual(hexlify(mac.hmac_sha256(key, data)), expected)

    def test_same(self):
        self.assertTrue(mac.same(b"abc", b"abc"))
        self.assertFalse(mac.same(b"abc", b"abx"))
        self.assertFalse(mac.same(b"abc", b"ab"))


class TestVarint(unittest.TestCase):
    def test_overlong_and_too_large_numbers_are_refused(self):
        from hedge.wire import varint

        for text in ("", "80", "8000", "ffffffff1f", "8080808080", "ffffffffff01"):
            with self.assertRaises(FrameError):
                varint.read(unhexlify(text), 0, len(text) // 2)
        self.assertEqual(varint.read(b"\xff\xff\xff\xff\x0f", 0, 5), (0xFFFFFFFF, 5))
