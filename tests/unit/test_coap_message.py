"""CoAP messages, options and blocks against examples of the RFCs and broken bytes."""

import unittest
from binascii import unhexlify

from hedge.core.errors import FrameError
from hedge.net.coap import block, linkformat, options
from hedge.net.coap import numbers as n
from hedge.net.coap.message import MAX_OPTIONS, Message, decode, option_bytes
from hedge.net.coap.resource import Resource


def fails(data):
    try:
        decode(data)
    except FrameError:
        return True
    return False


class TestMessage(unittest.TestCase):
    def test_get_of_rfc_7252_figure_16(self):
        data = unhexlify("40017d34") + b"\xbbtemperature"
        message = decode(data)
        self.assertEqual((message.kind, message.code, message.mid), (n.CON, n.GET, 0x7D34))
        self.assertEqual(message.path(), "temperature")
        self.assertEqual(bytes(message.encode()), data)

    def test_response_of_rfc_7252_figure_17(self):
        data = unhexlify("61457d3520") + b"\xff22.3 C"
        message = decode(data)
        self.assertEqual((message.kind, message.code, message.token), (n.ACK, n.CONTENT, b"\x20"))
        self.assertEqual(message.payload, b"22.3 C")
        self.assertEqual(bytes(message.encode()), data)

    def test_option_deltas_and_lengths_of_every_width(self):
        numbers = (1, 12, 13, 14, 268, 269, 270, 2000, 65535)
        sizes = (0, 12, 13, 268, 269, 300)
        for number in numbers:
            for size in sizes:
                message = Message(n.CON, n.GET, 1, b"", [(number, bytes(size)), (5, b"x")])
                self.assertEqual(decode(message.encode()).all(number)[-1], bytes(size))

    def test_options_are_sorted_and_repeated_ones_keep_their_order(self):
        message = Message(n.CON, n.GET)
        for part in ("b", "a", "d", "c"):
            message.add(n.URI_PATH, part)
        message.add(n.ETAG, b"e")
        message.set(n.URI_QUERY, "x=1")
        message.set(n.URI_QUERY, "x=2")
        back = decode(message.encode())
        self.assertEqual(back.path(), "b/a/d/c")
        self.assertEqual(back.query(), ["x=2"])
        self.assertEqual(back.options[0], (n.ETAG, b"e"))

    def test_uints_take_as_few_bytes_as_hold_them(self):
        for number, expected in ((0, b""), (1, b"\1"), (256, b"\1\0"), (2**32 - 1, b"\xff" * 4)):
            self.assertEqual(option_bytes(number), expected)
            message = Message(n.CON, n.GET, options=[(n.MAX_AGE, expected)])
            self.assertEqual(message.uint(n.MAX_AGE), number)
        self.assertEqual(message.uint(n.ACCEPT, 7), 7)

    def test_malformed(self):
        for text in (
            "",
            "40",
            "400100",
            "80010001",  # version 2
            "49010001" + "00" * 9,  # token of 9 bytes
            "42010001aa",  # token cut short
            "40000001ff",  # an empty message with more behind it
            "4100000155",  # or with a token
            "40010001ff",  # payload marker, no payload
            "40010001d0",  # delta cut short
            "40010001e000",
            "400100010d",  # length cut short
            "40010001f0",  # reserved delta
            "400100010f",  # reserved length
            "4001000144616263",  # value cut short
            "40010001e0ffff",  # number past 65535
            "40200001",  # code class 1
            "40e00001",  # code class 7
            "60010001",  # a request in an ACK
            "70450001",  # a response in a RST
        ):
            self.assertTrue(fails(unhexlify(text)), text)

    def test_a_datagram_of_empty_options_is_bounded(self):
        self.assertFalse(fails(unhexlify("40010001") + bytes(MAX_OPTIONS)))
        self.assertTrue(fails(unhexlify("40010001") + bytes(MAX_OPTIONS + 1)))

    def test_what_does_not_fit_is_not_encoded(self):
        for message in (
            Message(n.CON, n.GET, token=bytes(9)),
            Message(n.CON, n.GET, options=[(11, bytes(66000))]),
        ):
            self.assertRaises(ValueError, message.encode)

    def test_path_that_is_not_text(self):
        message = Message(n.CON, n.GET, options=[(n.URI_PATH, b"\xff\xfe")])
        self.assertRaises(FrameError, message.path)


class TestOptions(unittest.TestCase):
    def test_unknown_elective_ones_are_dropped_and_critical_ones_named(self):
        message = Message(n.CON, n.GET, options=[(n.URI_PATH, b"a"), (2000, b"x")])
        self.assertTrue(options.sift(message) is None)
        self.assertEqual(message.options, [(n.URI_PATH, b"a")])
        message.options.append((2001, b"x"))
        self.assertEqual(options.sift(message), 2001)

    def test_a_wrong_length_or_repetition_counts_as_unknown(self):
        for number, value in ((n.URI_HOST, b""), (n.BLOCK1, b"1234"), (n.IF_NONE_MATCH, b"x")):
            self.assertEqual(options.sift(Message(0, 1, options=[(number, value)])), number)
        twice = Message(0, 1, options=[(n.MAX_AGE, b"\1"), (n.MAX_AGE, b"\2")])
        self.assertTrue(options.sift(twice) is None)
        self.assertEqual(twice.options, [(n.MAX_AGE, b"\1")])
        twice = Message(0, 1, options=[(n.ACCEPT, b"\1"), (n.ACCEPT, b"\2")])
        self.assertEqual(options.sift(twice), n.ACCEPT)


class TestBlock(unittest.TestCase):
    def test_both_ways(self):
        for num, more, szx in ((0, False, 0), (0, True, 6), (15, True, 2), (0xFFFFF, False, 5)):
            found = block.decode(block.Block(num, more, szx).encode())
            self.assertEqual((found.num, found.more, found.szx), (num, more, szx))

    def test_reserved_size_and_too_many_blocks(self):
        self.assertRaises(FrameError, block.decode, b"\x07")
        self.assertRaises(ValueError, block.Block(1 << 20, False, 0).encode)

    def test_cut_and_sizes(self):
        body = bytes(range(40))
        pieces = [block.Block(i, False, 0).cut(body) for i in range(3)]
        self.assertEqual(b"".join([p for p, _ in pieces]), body)
        self.assertEqual([b.more for _, b in pieces], [True, True, False])
        sizes = [16 << block.szx_of(size) for size in (1, 16, 31, 32, 1024, 5000)]
        self.assertEqual(sizes, [16, 16, 16, 32, 1024, 1024])


class TestLinkFormat(unittest.TestCase):
    def setUp(self):
        self.resources = [
            Resource("s/t", {}, observable=True, links={"rt": "temp-c air", "ct": 112}),
            Resource("s/l", {}, links={"rt": "light", "title": "a, b; c"}),
            Resource("hidden", {}),
        ]

    def test_listing_and_filters(self):
        text = linkformat.listing(self.resources, [])
        expected = '</s/t>;ct=112;rt="temp-c air";obs,</s/l>;rt="light";title="a, b; c"'
        self.assertEqual(text, expected)
        for query, count in (
            (["rt=air"], 1),
            (["rt=temp*"], 1),
            (["rt=temp"], 0),
            (["href=/s/*"], 2),
            (["rt=light", "title=x"], 0),
            (["title=a, b; c"], 1),  # several only in rt, if, rel (RFC 6690 4.1)
            (["title=b;"], 0),
        ):
            self.assertEqual(linkformat.listing(self.resources, query).count("</"), count, query)

    def test_parse_both_ways(self):
        found = linkformat.parse(linkformat.listing(self.resources, []).encode())
        self.assertEqual(found[0], ("/s/t", {"rt": "temp-c air", "ct": "112", "obs": ""}))
        self.assertEqual(found[1], ("/s/l", {"rt": "light", "title": "a, b; c"}))
        self.assertEqual(linkformat.parse(b""), [])

    def test_parse_of_what_is_none(self):
        for data in (b"/s/t", b"<a", b'<a>;t="x', b"\xff", b"<a>," * 70, b",<a>"):
            self.assertRaises(FrameError, linkformat.parse, data)


if __name__ == "__main__":
    unittest.main()
