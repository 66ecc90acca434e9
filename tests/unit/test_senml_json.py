"""SenML in JSON: both ways, the same packs as in CBOR, and refusal of what is wrong."""

import unittest

from hedge.core.errors import FrameError
from hedge.wire import cbor, senml, senml_json

_NOW_S = 1760000000
_ENTRIES = [
    ("n", "%", 23),
    ("x", "Cel", -1.5),
    ("pump", None, True),
    ("why", None, 'water: "dry_2d"\n\u6c34'),
    ("raw", None, b"\x00\xff\xfe"),
]

_WRONG = (
    "",
    "{}",
    "1",
    "[1]",
    "[]",
    "[",
    '[{"n":"a","v":1}',
    '[{"n":"a","v":01x}]',
    '[{"n":"a"}]',  # no value
    '[{"v":1}]',  # no name
    '[{"n":"a","v":"1"}]',
    '[{"n":"a","v":true}]',
    '[{"n":"a","v":null}]',
    '[{"n":"a","v":1e999}]',
    '[{"n":"a","v":NaN}]',
    '[{"n":"a","vd":"@@"}]',
    '[{"n":"a","vd":"A"}]',  # 6 bits are no byte
    '[{"n":"a","vd":"ab+/"}]',  # not the URL's alphabet
    '[{"n":"a","vd":5}]',
    '[{"n":"a","v":1,"must_":1}]',
    '[{"n":"a b","v":1}]',
    '[{"bver":11,"n":"a","v":1}]',
    '[{"n":"a","v":%s}]' % ("9" * 4000),
    '[{"n":"a","vs":"\\ud83d"}]',  # half a character
    '[{"n":"a","vs":"\\ude00\\ud83d"}]',
    '[{"n":"a","vs":"\\ud83dx"}]',
    '[{"n":"a","v":1,"x":{"\\udc00":[]}}]',
    "[" * 2000,
    '[{"n":"a","v":1,"x":' + "[" * 20 + "]" * 20 + "}]",
    '[{"n":"a","v":1,"x":"' + "y" * senml_json.MAX_TEXT_BYTES + '"}]',
    b'[{"n":"a","vs":"\xff"}]',
)


class TestSenmlJson(unittest.TestCase):
    def test_every_kind_of_value_comes_back(self):
        got = senml_json.decode(senml_json.encode(_NOW_S, _ENTRIES))
        self.assertEqual(got, [(n, u, v, _NOW_S) for n, u, v in _ENTRIES])
        self.assertIs(got[2][2], True)
        self.assertIsInstance(got[0][2], int)

    def test_the_text_is_that_of_the_rfc(self):
        # RFC 8428 section 5.1.1, its time added.
        text = senml_json.encode(5, [("urn:dev:ow:10e2073a01080063", "Cel", 23.1)])
        self.assertEqual(text, '[{"bt":5,"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]')

    def test_a_cbor_pack_becomes_json_and_comes_back(self):
        pack = cbor.decode(senml.encode(_NOW_S, [("a.bcd", "%", 1), ("a.bce", "%", 2.5)]))
        again = senml_json.loads(senml_json.dumps(pack))
        self.assertEqual(cbor.encode(again), cbor.encode(pack))

    def test_numbers_take_the_digits_they_need(self):
        for x, text in (
            (0.1, "0.1"),
            (23.399999618530273, "23.4"),
            (1276020076.001, "1276020076.001"),
        ):
            self.assertEqual(senml_json.dumps([{2: x}]), '[{"v":%s}]' % text)

    def test_what_is_no_number_of_json_is_refused(self):
        for value in (float("nan"), float("inf")):
            with self.assertRaises(ValueError):
                senml_json.dumps([{0: "a", 2: value}])

    def test_reads_bytes_and_keeps_fields_it_does_not_know(self):
        pack = senml_json.loads(b'[{"n":"a","v":1,"l":"x","q":"[[[[[[[[[[\\""}]')
        self.assertEqual(pack, [{0: "a", 2: 1, "l": "x", "q": '[[[[[[[[[["'}])

    def test_an_escaped_pair_is_one_character(self):
        """RFC 8259 section 7; MicroPython's json leaves the halves."""
        text = '[{"n":"a","vs":"\\u00fc\\ud83d\\ude00\U0001f600"}]'
        self.assertEqual(senml_json.decode(text)[0][2], "\u00fc\U0001f600\U0001f600")
        data = cbor.encode(senml_json.loads(text))
        self.assertEqual(data[-10:], b"\xc3\xbc" + 2 * b"\xf0\x9f\x98\x80")

    def test_base64url_without_padding(self):
        for data in (b"", b"\xfb", b"\xfb\xff", b"\xfb\xff\xfe", b"hi \n"):
            text = senml_json.dumps([{0: "a", 8: data}])
            self.assertNotIn("=", text)
            self.assertEqual(senml_json.loads(text)[0][8], data)

    def test_wrong_texts_are_frame_errors(self):
        for text in _WRONG:
            try:
                got = senml_json.decode(text)
            except FrameError:
                continue
            self.fail("%r gave %r" % (text[:60], got))
