"""MQTT 3.1.1 packets byte for byte, and what the parser refuses.

Expected bytes: OASIS MQTT 3.1.1, figures and tables of sections 2 and 3.
"""

import unittest

from fake_mqtt import packets_in
from micropython import heap_lock, heap_unlock  # does nothing under CPython

from hedge.core.errors import LinkError
from hedge.net import mqtt5_codec
from hedge.net import mqtt_codec as codec


def _parse(data, limit=256, piece=None):
    return packets_in(codec.Parser(limit), data, piece)


class TestEncode(unittest.TestCase):
    def test_connect_of_the_specification(self):
        # 3.1.2.3 example: user, password, will QoS 1, clean session, keepalive 10
        packet = codec.connect("a", 10, True, ("w", b"x", 1, False), "u", "p")
        body = b"\x00\x04MQTT\x04\xce\x00\x0a\x00\x01a\x00\x01w\x00\x01x\x00\x01u\x00\x01p"
        self.assertEqual(bytes(packet), b"\x10" + bytes((len(body),)) + body)

    def test_connect_without_extras_keeps_the_session(self):
        packet = codec.connect("bed-3", 60)
        self.assertEqual(bytes(packet), b"\x10\x11\x00\x04MQTT\x04\x00\x00\x3c\x00\x05bed-3")

    def test_will_retain_and_qos_2_bits(self):
        packet = codec.connect("a", 0, False, ("w", b"", 2, True))
        self.assertEqual(packet[9], 0x04 | 2 << 3 | 0x20)

    def test_what_no_connect_may_say(self):
        """MQTT-1.5.3-2, 3.1.2.10."""
        for what in (("a\0", 60), ("a", 65536), ("a", -1)):
            with self.assertRaises(ValueError):
                codec.connect(*what)

    def test_a_password_needs_a_user(self):
        self.assertRaises(ValueError, codec.connect, "a", 0, True, None, None, "p")

    def test_publish_qos_0_and_1(self):
        self.assertEqual(bytes(codec.publish("a/b", b"hi")), b"\x30\x07\x00\x03a/bhi")
        packet = codec.publish("a/b", b"hi", 1, True, 10)
        self.assertEqual(bytes(packet), b"\x33\x09\x00\x03a/b\x00\x0ahi")

    def test_dup_is_marked_in_place(self):
        packet = codec.publish("a", b"", 1, False, 1)
        codec.mark_dup(packet, True)
        self.assertEqual(packet[0], 0x3A)
        codec.mark_dup(packet, False)
        self.assertEqual(packet[0], 0x32)

    def test_subscribe_unsubscribe_puback(self):
        self.assertEqual(codec.subscribe(10, "a/b", 1), b"\x82\x08\x00\x0a\x00\x03a/b\x01")
        self.assertEqual(codec.unsubscribe(10, "a/b"), b"\xa2\x07\x00\x0a\x00\x03a/b")
        self.assertEqual(codec.ack(codec.PUBACK, 0x1234), b"\x40\x02\x12\x34")
        self.assertEqual(codec.ack(codec.PUBREL, 0x1234), b"\x62\x02\x12\x34")

    def test_remaining_length_of_table_2_4(self):
        for size, digits in (
            (127, b"\x7f"),
            (128, b"\x80\x01"),
            (16383, b"\xff\x7f"),
            (16384, b"\x80\x80\x01"),
        ):
            packet = codec.publish("a", bytes(size - 3))
            self.assertEqual(bytes(packet[1 : 1 + len(digits)]), digits)
            self.assertEqual(len(packet), 1 + len(digits) + size)

    def test_a_string_of_64_kib_does_not_fit(self):
        self.assertRaises(ValueError, codec.publish, "a" * 65536, b"")


class TestDecode(unittest.TestCase):
    def test_each_packet_a_server_sends(self):
        stream = (
            b"\x20\x02\x01\x00"
            b"\x32\x08\x00\x03a/b\x00\x07!"
            b"\x3b\x06\x00\x01c\x00\x08x"
            b"\x30\x03\x00\x01d"
            b"\x34\x05\x00\x01e\x00\x0e"
            b"\x40\x02\x00\x09"
            b"\x50\x02\x00\x0c"
            b"\x62\x02\x00\x0e"
            b"\x70\x02\x00\x0c"
            b"\x90\x04\x00\x0a\x01\x80"
            b"\xb0\x02\x00\x0b"
            b"\xd0\x00"
        )
        expected = [
            (codec.CONNACK, True, 0),
            (codec.PUBLISH, "a/b", b"!", 1, False, False, 7),
            (codec.PUBLISH, "c", b"x", 1, True, True, 8),
            (codec.PUBLISH, "d", b"", 0, False, False, 0),
            (codec.PUBLISH, "e", b"", 2, False, False, 14),
            (codec.PUBACK, 9),
            (codec.PUBREC, 12),
            (codec.PUBREL, 14),
            (codec.PUBCOMP, 12),
            (codec.SUBACK, 10, b"\x01\x80"),
            (codec.UNSUBACK, 11),
            (codec.PINGRESP,),
        ]
        for piece in (1, 2, 3, 5, 7, None):
            self.assertEqual(_parse(stream, 64, piece), expected)

    def test_malformed_packets_raise(self):
        for data in (
            b"\x00\x00",  # type 0
            b"\xf0\x00",  # type 15
            b"\x10\x00",  # CONNECT from a server
            b"\x20\x02\x02\x00",  # reserved flag
            b"\x20\x03\x00\x00\x00",
            b"\x20\x02\x01\x05",  # session present on a refusal
            b"\x21\x02\x00\x00",  # flags in the fixed header
            b"\x36\x06\x00\x01a\x00\x01x",  # QoS 3
            b"\x38\x03\x00\x01a",  # DUP at QoS 0
            b"\x30\x01\x00",
            b"\x30\x02\x00\x00",  # empty topic
            b"\x30\x03\x00\x05a",  # topic longer than the packet
            b"\x32\x03\x00\x01a",  # no packet id
            b"\x32\x05\x00\x01a\x00\x00",  # packet id 0
            b"\x30\x03\x00\x01+",
            b"\x30\x03\x00\x01#",
            b"\x30\x03\x00\x01\x00",
            b"\x30\x03\x00\x01\xff",  # not UTF-8
            b"\x30\x05\x00\x03\xed\xa0\x80",  # a surrogate
            b"\x30\x04\x00\x02\xc0\x80",  # needless bytes
            b"\x30\x05\x00\x03\xe0\x9f\xbf",
            b"\x30\x06\x00\x04\xf0\x8f\xbf\xbf",
            b"\x30\x06\x00\x04\xf4\x90\x80\x80",  # past the last code point
            b"\x30\x06\x00\x04\xf5\x80\x80\x80",
            b"\x40\x02\x00\x00",
            b"\x60\x02\x00\x01",  # PUBREL without its flag
            b"\x52\x02\x00\x01",
            b"\x70\x03\x00\x01\x00",
            b"\x40\x01\x00",
            b"\x90\x02\x00\x01",
            b"\x90\x03\x00\x01\x03",
            b"\xb0\x03\x00\x01\x00",
            b"\xd0\x01\x00",
            b"\xd1\x00",
            b"\x30\xff\xff\xff\xff\x01",  # five bytes of length
        ):
            self.assertRaises(LinkError, _parse, data)

    def test_every_length_of_utf_8_is_read(self):
        for topic in ("é", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"):
            data = b"\x30" + bytes((2 + len(topic.encode()),)) + codec.string(topic)
            self.assertEqual(_parse(data)[0][1], topic)

    def test_refusals_are_in_words(self):
        self.assertEqual(codec.refusal(4), "bad user name or password")
        self.assertEqual(codec.refusal(77), "code 77")


class TestParserBounds(unittest.TestCase):
    def test_a_packet_of_exactly_the_limit_passes(self):
        packet = bytes(codec.publish("a", bytes(59)))
        self.assertEqual(len(packet), 64)
        self.assertEqual(_parse(packet * 3, 64), [(3, "a", bytes(59), 0, False, False, 0)] * 3)

    def test_a_larger_publish_is_drained_and_reported(self):
        big = bytes(codec.publish("a/b", bytes(1000), 1, False, 513))
        for piece in (1, 3, 64, None):
            found = _parse(big + b"\xd0\x00", 64, piece)
            self.assertEqual(found, [(codec.OVERSIZED, len(big), 1, 513), (codec.PINGRESP,)])

    def test_a_larger_packet_of_another_type_raises(self):
        self.assertRaises(LinkError, _parse, b"\x90\xff\x7f\x00\x01" + bytes(100), 64)

    def test_space_is_never_empty_and_memory_stays_one_buffer(self):
        parser = codec.Parser(32)
        data = bytes(codec.publish("t", b"12345"))
        for _ in range(50):
            for byte in data:
                parser.space()[0] = byte
                parser.feed(1)
            self.assertEqual(parser.next()[2], b"12345")
            self.assertIsNone(parser.next())
            self.assertGreater(len(parser.space()), 0)

    def test_an_acknowledgement_takes_no_memory_to_check(self):
        """No text for an error that has not happened, no new view of an empty buffer."""
        for parser in (codec.Parser(64), mqtt5_codec.Parser(64)):
            parser.feed(0)
            heap_lock()
            try:
                for first in (0x40, 0x50, 0x62, 0x70):
                    parser.check(first, 2, 4)
                parser.check(0x32, 40, 42)
                size = len(parser.space())
            finally:
                heap_unlock()
            self.assertEqual(size, 64)

    def test_wanted_never_asks_past_the_packet(self):
        data = bytes(codec.publish("t", bytes(200), 1, False, 7)) + b"\xd0\x00"
        parser = codec.Parser(64)
        found = []
        while len(found) < 2:
            n = parser.wanted()
            self.assertLessEqual(n, len(data))
            parser.space()[:n] = data[:n]
            data = data[n:]
            parser.feed(n)
            packet = parser.next()
            if packet:
                found.append(packet[0])
        self.assertEqual(found, [codec.OVERSIZED, codec.PINGRESP])

    def test_reset_forgets_half_a_packet(self):
        parser = codec.Parser(32)
        parser.space()[:1] = b"\x20"
        parser.feed(1)
        parser.reset()
        parser.space()[:2] = b"\xd0\x00"
        parser.feed(2)
        self.assertEqual(parser.next(), (codec.PINGRESP,))
