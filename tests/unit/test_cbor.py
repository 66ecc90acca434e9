"""CBOR: examples of RFC 8949 Appendix A, deterministic output, refusal of what is malformed."""

import unittest
from binascii import hexlify, unhexlify

from hedge.core.errors import FrameError
from hedge.wire import cbor
from hedge.wire.cbor import UNDEFINED, Decimal, Simple, Tag

# RFC 8949 Appendix A, items whose encoding is the deterministic one.
_BOTH_WAYS = (
    ("00", 0),
    ("17", 23),
    ("1818", 24),
    ("1903e8", 1000),
    ("1a000f4240", 1000000),
    ("1b000000e8d4a51000", 1000000000000),
    ("1bffffffffffffffff", 18446744073709551615),
    ("c249010000000000000000", 18446744073709551616),
    ("3bffffffffffffffff", -18446744073709551616),
    ("c349010000000000000000", -18446744073709551617),
    ("20", -1),
    ("3903e7", -1000),
    ("f90000", 0.0),
    ("f93c00", 1.0),
    ("f97bff", 65504.0),
    ("fa47c35000", 100000.0),
    ("f90001", 5.960464477539063e-08),
    ("f90400", 0.00006103515625),
    ("f9c400", -4.0),
    ("f97c00", float("inf")),
    ("f9fc00", -float("inf")),
    ("f4", False),
    ("f5", True),
    ("f6", None),
    ("f7", UNDEFINED),
    ("f0", Simple(16)),
    ("f8ff", Simple(255)),
    ("d74401020304", Tag(23, b"\x01\x02\x03\x04")),
    ("40", b""),
    ("60", ""),
    ("62225c", '"\\'),
    ("63e6b0b4", "\u6c34"),
    ("64f0908591", "\U00010151"),
    ("80", []),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("a0", {}),
    ("a201020304", {1: 2, 3: 4}),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ("826161a161626163", ["a", {"b": "c"}]),
    ("c48221196ab3", Decimal(27315, -2)),  # section 3.4.4
)

_DECODE_ONLY = (
    ("fa7f800000", float("inf")),
    ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
    ("7f657374726561646d696e67ff", "streaming"),
    ("9fff", []),
    ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
    ("83019f0203ff820405", [1, [2, 3], [4, 5]]),
    ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
    ("1800", 0),  # not the shortest form, yet well-formed
)

_MALFORMED = (
    "",  # nothing
    "18",  # head cut short
    "1c",  # reserved length
    "1f",  # indefinite int
    "4501",  # bytes cut short
    "5bffffffffffffffff00",  # 16 exabytes announced
    "9bffffffffffffffff00",
    "bbffffffffffffffff00",
    "7b7fffffffffffffff",
    "82",  # array cut short
    "a1",  # map cut short
    "a101",  # value missing
    "a201020103",  # key twice
    "a1800102",  # array as key
    "a1a001",  # map as key
    "a1c18001",  # tagged array as key
    "9f01",  # no break
    "bf0102",  # no break
    "bf01ff",  # break for a value
    "ff",  # break alone
    "81ff",  # break in a definite array
    "5f6161ff",  # text chunk in bytes
    "5f5f4101ffff",  # indefinite chunk
    "5f01ff",  # int chunk
    "f800",  # simple below 32 in two bytes
    "f81f",
    "fc",  # reserved
    "fe",
    "f97c",  # float cut short
    "fb00000000",
    "dfff",  # indefinite tag
    "c2",  # tag without item
    "c201",  # bignum of an int
    "c25841" + "ff" * 65,  # bignum past the limit
    "c401",  # decimal fraction of an int
    "c48101",
    "c48201f5",
    "c482f93c0001",
    "61ff",  # not UTF-8
    "62c080",  # overlong
    "63eda080",  # surrogate
    "64f4908080",  # past U+10FFFF
    "62c3",  # text cut short
    "61c3",  # sequence cut short
    "0000",  # two items
    "81" * 14 + "00",  # too deep
    "d9d9f7" * 14 + "00",
    "9f" * 14 + "ff" * 14,
)


class TestCbor(unittest.TestCase):
    def test_examples_both_ways(self):
        for text, value in _BOTH_WAYS:
            self.assertEqual(hexlify(cbor.encode(value)), text.encode())
            self.assertEqual(cbor.decode(unhexlify(text)), value, text)
            self.assertIs(type(cbor.decode(unhexlify(text))), type(value), text)

    def test_examples_decoded(self):
        for text, value in _DECODE_ONLY:
            self.assertEqual(cbor.decode(unhexlify(text)), value, text)

    def test_malformed_is_a_frame_error(self):
        for text in _MALFORMED:
            try:
                value = cbor.decode(unhexlify(text))
            except FrameError:
                continue
            self.fail("%s gave %r" % (text, value))

    def test_nan(self):
        self.assertEqual(hexlify(cbor.encode(float("nan"))), b"f97e00")
        for text in ("f97e00", "fa7fc00000", "fb7ff8000000000000"):
            x = cbor.decode(unhexlify(text))
            self.assertNotEqual(x, x)

    def test_negative_zero_keeps_its_sign(self):
        self.assertEqual(hexlify(cbor.encode(-0.0)), b"f98000")

    def test_nested_to_the_limit(self):
        deep = 5
        for _ in range(cbor.MAX_DEPTH):
            deep = [deep]
        self.assertEqual(cbor.decode(cbor.encode(deep)), deep)
        with self.assertRaises(ValueError):
            cbor.encode([deep])

    def test_map_keys_are_sorted_by_their_bytes(self):
        # RFC 8949 section 4.2.1 gives this order.
        keys = [False, "aa", "z", -1, 100, 10]
        items = {}
        for key in keys:
            items[key] = 0
        self.assertEqual(hexlify(cbor.encode(items)), b"a60a0018640020" + b"00617a0062616100f400")

    def test_decode_at_leaves_the_rest(self):
        self.assertEqual(cbor.decode_at(b"\xff\x82\x01\x02\x03", 1), ([1, 2], 4))

    def test_reads_a_memoryview(self):
        buf = memoryview(cbor.encode({"a": [1, 2.5, b"x"]}))
        self.assertEqual(cbor.decode(buf), {"a": [1, 2.5, b"x"]})

    def test_a_decimal_fraction_has_a_value(self):
        self.assertAlmostEqual(Decimal(27315, -2).to_float(), 273.15, places=4)
        with self.assertRaises(FrameError):
            Decimal(1, 1 << 40).to_float()

    def test_what_has_no_cbor_is_refused(self):
        with self.assertRaises(TypeError):
            cbor.encode(object())
        with self.assertRaises(ValueError):
            cbor.encode(1 << 8 * cbor.MAX_BIGNUM_BYTES)
        with self.assertRaises(ValueError):
            cbor.encode(Simple(24))
