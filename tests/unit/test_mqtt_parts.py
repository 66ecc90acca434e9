"""The small pure parts of the MQTT client: packet ids in flight, keepalive, back-off, PEM."""

import binascii
import unittest

from hedge.net import mqtt_codec as codec
from hedge.net.backoff import Backoff
from hedge.net.mqtt_state import Inflight, KeepAlive
from hedge.net.tls_context import der_blocks


class TestInflight(unittest.TestCase):
    def test_ids_wrap_past_65535_and_never_are_0(self):
        flight = Inflight()
        for expected in (1, 2, 3):
            self.assertEqual(flight.new_id(), expected)
        for _ in range(65531):
            flight.new_id()
        self.assertEqual([flight.new_id(), flight.new_id()], [65535, 1])

    def test_ids_in_use_are_skipped(self):
        flight = Inflight()
        flight.add(flight.new_id(), b"one")
        reserved = flight.reserve()
        for _ in range(65533):
            flight.new_id()
        self.assertEqual((reserved, flight.new_id()), (2, 3))
        flight.release(reserved)
        self.assertFalse(flight.in_use(2))

    def test_order_is_kept_and_a_stray_puback_changes_nothing(self):
        flight = Inflight(3)
        for name in (b"a", b"b", b"c"):
            flight.add(flight.new_id(), name)
        self.assertTrue(flight.full)
        self.assertFalse(flight.acked(99))
        self.assertTrue(flight.acked(2))
        self.assertFalse(flight.acked(2))
        self.assertEqual(flight.packets(), [(1, b"a"), (3, b"c")])
        self.assertFalse(flight.full)

    def test_which_answer_is_due(self):
        flight = Inflight()
        for packet_id, first in ((1, 0x33), (2, 0x3C)):
            flight.add(packet_id, bytearray((first, 0)))
        due = [flight.due(i) for i in (1, 2, 3)]
        self.assertEqual(due, [codec.PUBACK, codec.PUBREC, None])
        flight.replace(2, b"\x62\x02\x00\x02")
        self.assertEqual(flight.due(2), codec.PUBCOMP)
        self.assertEqual([i for i, _ in flight.packets()], [1, 2])


class TestKeepAlive(unittest.TestCase):
    def setUp(self):
        self.keep = KeepAlive(60000, 10000)
        self.keep.start(1000)

    def test_pings_after_three_quarters_without_sending(self):
        self.assertFalse(self.keep.should_ping(45999, False))
        self.assertTrue(self.keep.should_ping(46000, False))
        self.keep.sent(46000)
        self.assertFalse(self.keep.should_ping(46001, False))

    def test_pings_early_a_peer_that_owes_an_answer(self):
        self.keep.sent(5000)
        self.assertFalse(self.keep.should_ping(5999, True))
        self.assertTrue(self.keep.should_ping(6000, True))

    def test_dead_only_after_an_unanswered_ping(self):
        self.assertFalse(self.keep.is_dead(500000))
        self.keep.pinged(46000)
        self.assertFalse(self.keep.should_ping(50000, True))
        self.assertFalse(self.keep.is_dead(55999))
        self.assertTrue(self.keep.is_dead(56000))
        self.keep.heard(56000)
        self.assertFalse(self.keep.is_dead(70000))

    def test_keepalive_0_never_pings_an_idle_line(self):
        keep = KeepAlive(0, 10000)
        keep.start(0)
        self.assertFalse(keep.should_ping(3600000, False))
        self.assertTrue(keep.should_ping(3600000, True))


class TestBackoff(unittest.TestCase):
    def test_doubles_up_to_the_limit_and_starts_again(self):
        backoff = Backoff(500, 4000, lambda: 65535)
        self.assertEqual([backoff.next_ms() for _ in range(5)], [499, 999, 1999, 3999, 3999])
        backoff.reset()
        self.assertEqual(backoff.next_ms(), 499)

    def test_jitter_takes_off_up_to_half(self):
        backoff = Backoff(1000, 1000, lambda: 0)
        self.assertEqual(backoff.next_ms(), 500)
        waits = [Backoff(1000, 1000).next_ms() for _ in range(100)]
        self.assertTrue(500 <= min(waits) and max(waits) < 1000)
        self.assertGreater(len(set(waits)), 10)


class TestDerBlocks(unittest.TestCase):
    def test_pem_with_two_certificates_and_text_between(self):
        block = b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n"
        first, second = bytes(range(48, 120)), b"0two"
        pem = b"CN=x\n" + block % binascii.b2a_base64(first)
        pem += b"note\n" + block % binascii.b2a_base64(second)
        self.assertEqual(der_blocks(pem, "CERTIFICATE"), [first, second])

    def test_the_label_chooses(self):
        block = b"-----BEGIN %s-----\n%s-----END %s-----\n"
        pem = b""
        for label, content in ((b"CERTIFICATE", b"0cert"), (b"EC PRIVATE KEY", b"0key")):
            pem += block % (label, binascii.b2a_base64(content), label)
        self.assertEqual(der_blocks(pem, "PRIVATE KEY"), [b"0key"])

    def test_der_passes_as_it_is(self):
        self.assertEqual(der_blocks(b"\x30\x82abc", "CERTIFICATE"), [b"\x30\x82abc"])

    def test_nothing_usable_raises(self):
        for data in (b"", b"hello", b"-----BEGIN CERTIFICATE-----\nMIIB"):
            self.assertRaises(ValueError, der_blocks, data, "CERTIFICATE")
