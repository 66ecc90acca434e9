"""OSCORE: keys, counters, replays, changed messages, restarts (RFC 8613)."""

import os
import unittest
from binascii import unhexlify

from coap_pair import Pair, PairCase, Shelf, fault_of
from store_folder import clear, fresh
from waiting import soon

from hedge.core.errors import ConfigError, FrameError, StoreError
from hedge.net.coap import numbers as n
from hedge.net.coap.message import Message, decode
from hedge.net.coap.oscore import ccm, derive, header
from hedge.net.coap.oscore.client import Secured
from hedge.net.coap.oscore.context import Context
from hedge.net.coap.oscore.identity import GATEWAY_ID, device_id
from hedge.net.coap.oscore.sequence import Sequence
from hedge.net.coap.oscore.server import Keyring
from hedge.net.coap.oscore.window import Window
from hedge.store.kv import KV

SECRET = bytes(range(16))


class Folder:
    """A path for the time of a `with`."""

    def __enter__(self):
        self.path = fresh("oscore")
        return self.path

    def __exit__(self, *fault):
        clear(self.path)


class Counter:
    """Sequence numbers in RAM."""

    def __init__(self, first=0):
        self.number = first

    def next(self):
        self.number += 1
        return self.number - 1


def contexts(first=0, secret=SECRET, fresh=True):
    """(client's, server's) context."""
    client = Context(secret, b"salt", b"\x01", b"", Counter(first))
    server = Context(SECRET, b"salt", b"", b"\x01", Counter())
    server.fresh = fresh
    return client, server


class OscorePair(Pair):
    """Client and server that speak OSCORE."""

    def __init__(self, secret=SECRET, fresh=True, **options):
        super().__init__(**options)
        mine, theirs = contexts(0, secret, fresh)
        self.secured = Secured(mine)
        self.keyring = Keyring([theirs])
        self.context = theirs
        self.client._secure = self.secured
        self.server._keyring = self.keyring
        self.secret = Shelf(b"secret")
        self.server.add(self.secret.resource("s", secure=True))


class TestExchanges(PairCase):
    def test_nothing_readable_travels(self):
        async def scenario(pair):
            response = await pair.client.request(n.PUT, "s", b"new and secret")
            self.assertEqual(response.code, n.CHANGED)
            response = await pair.client.request(n.GET, "s?q=visible")
            self.assertEqual(response.payload, b"new and secret")
            self.assertEqual(response.uint(n.MAX_AGE), 30)
            for _, _, data in pair.net.sent:
                self.assertFalse(b"secret" in data or b"visible" in data)
            outer = pair.said_to("s")
            self.assertEqual([m.code for m in outer], [n.POST, n.POST])
            self.assertEqual([m.code for m in pair.said_to("c")], [n.CHANGED, n.CHANGED])

        self.play(scenario, OscorePair())

    def test_bodies_in_blocks(self):
        async def scenario(pair):
            body = bytes([i & 0xFF for i in range(900)])
            await pair.client.request(n.PUT, "s", body)
            self.assertEqual((await pair.client.request(n.GET, "s")).payload, body)

        pair = OscorePair(client={"block_bytes": 128}, server={"block_bytes": 64})
        self.play(scenario, pair)

    def test_observation_and_its_order(self):
        async def scenario(pair):
            observation = await pair.client.observe("s")
            self.assertEqual(pair.said_to("s")[0].code, n.FETCH)
            pair.net.sent.clear()
            for value in (b"1", b"2", b"3"):
                pair.secret.value = value
                pair.server.changed("s")
                self.assertEqual((await observation.next()).payload, value)
            old = [data for _, to, data in pair.net.sent if to == "c"][0]
            pair.net.carry("s", "c", old)  # a notification that was recorded
            pair.secret.value = b"4"
            pair.server.changed("s")
            self.assertEqual((await observation.next()).payload, b"4")
            self.assertEqual(pair.secured.rejected, 1)
            await observation.cancel()
            self.assertEqual(len(pair.server.observers), 0)

        self.play(scenario, OscorePair())

    def test_a_replayed_request_is_refused(self):
        async def scenario(pair):
            await pair.client.request(n.POST, "s", b"once")
            recorded = bytearray([d for _, to, d in pair.net.sent if to == "s"][0])
            recorded[2:4] = b"zz"  # another message id: not a mere duplicate
            pair.raw(recorded)
            await soon(lambda: pair.said_to("x"), "an answer")
            answer = pair.said_to("x")[0]
            self.assertEqual((answer.code, answer.payload), (n.UNAUTHORIZED, b"Replay detected"))
            self.assertEqual((pair.secret.calls, pair.keyring.replays), (1, 1))

        self.play(scenario, OscorePair())

    def test_the_last_number_of_a_peer(self):
        """2**40 - 1 is taken once; one with six bytes is no number (6.1)."""

        async def scenario(pair):
            top = (1 << 40) - 1
            pair.secured._context._sequence = Counter(top)
            self.assertEqual((await pair.client.request(n.POST, "s", b"last")).code, n.CHANGED)
            self.assertFalse(pair.context.window.is_new(top))
            self.assertTrue("4.02" in await fault_of(pair.client.request(n.POST, "s", b"more")))
            self.assertEqual((pair.secret.calls, pair.keyring.rejected), (1, 1))

        self.play(scenario, OscorePair())

    def test_every_changed_byte_is_noticed(self):
        async def scenario(pair):
            await pair.client.request(n.POST, "s", b"once")
            sent = [d for _, to, d in pair.net.sent if to == "s"][0]
            pair.context.window = Window()  # so that nothing counts as a replay
            begin = len(sent) - len(decode(sent).payload)  # a token may hold a 0xFF too
            for at in range(begin, len(sent)):
                changed = bytearray(sent)
                changed[at] ^= 1 << at % 8
                changed[2:4] = bytes((1, at))
                pair.raw(changed)
            size = len(sent) - begin
            await soon(lambda: len(pair.said_to("x")) == size, "the answers")
            self.assertEqual({m.code for m in pair.said_to("x")}, {n.BAD_REQUEST})
            self.assertEqual((pair.secret.calls, pair.keyring.rejected), (1, size))

        self.play(scenario, OscorePair())

    def test_a_restarted_server_asks_for_proof_once(self):
        """B.1.2: a recorded request gets no further than the challenge."""

        async def scenario(pair):
            for count in range(1, 4):
                response = await pair.client.request(n.POST, "s", b"x")
                self.assertEqual((response.code, pair.secret.calls), (n.CHANGED, count))
            self.assertEqual(len(pair.said_to("s")), 4)  # one challenge in all
            recorded = bytearray([d for _, to, d in pair.net.sent if to == "s"][0])
            pair.context.fresh = False
            recorded[2:4] = b"zz"
            pair.raw(recorded)
            await soon(lambda: pair.said_to("x"), "a challenge")
            self.assertEqual(pair.secret.calls, 3)

        self.play(scenario, OscorePair(fresh=False))

    def test_wrong_key_unknown_id_and_no_key(self):
        async def scenario(pair):
            fault = await fault_of(pair.client.request(n.GET, "s"))
            self.assertTrue("4.00 Decryption failed" in fault, fault)
            pair.secured._context.sender_id = b"\x09"
            fault = await fault_of(pair.client.request(n.GET, "s"))
            self.assertTrue("4.01 Security context not found" in fault, fault)
            pair.server._keyring = None
            fault = await fault_of(pair.client.request(n.GET, "s"))
            self.assertTrue("4.02 no keys here" in fault, fault)

        self.play(scenario, OscorePair(secret=bytes(reversed(SECRET))))

    def test_answers_in_clear_or_under_another_key_are_passed_over(self):
        async def scenario(pair):
            real = pair.net.carry

            def carry(sender, to, data):
                if to == "c":
                    true = decode(data)
                    forged = Message(n.ACK, n.CONTENT, true.mid, true.token, payload=b"forged")
                    real(sender, to, forged.encode())
                    forged.kind, forged.options = n.NON, [(n.OSCORE, b"")]
                    real(sender, to, forged.encode())
                    true.kind = n.CON  # separately, after the forged acknowledgement
                    data = true.encode()
                real(sender, to, data)

            pair.net.carry = carry
            response = await pair.client.request(n.GET, "s")
            self.assertEqual(response.payload, b"secret")
            self.assertTrue(pair.secured.rejected >= 1)

        self.play(scenario, OscorePair())

    def test_without_a_sequence_number_nothing_is_answered_in_clear(self):
        async def scenario(pair):
            def fail():
                raise StoreError("full")

            pair.context.next_piv = fail
            fault = await fault_of(pair.client.request(n.GET, "s", more=[(n.OBSERVE, 0)]))
            self.assertTrue("5.00" in fault, fault)

        self.play(scenario, OscorePair())


class TestParts(unittest.TestCase):
    def test_ccm_both_ways_at_each_length(self):
        key, nonce, aad = bytes(range(16)), bytes(13), b"additional"
        for size in (0, 1, 15, 16, 17, 31, 32, 33, 200):
            plain = bytes([i & 0xFF for i in range(size)])
            sealed = ccm.seal(key, nonce, aad, plain)
            self.assertEqual(len(sealed), size + ccm.TAG_BYTES)
            self.assertEqual(bytes(ccm.open(key, nonce, aad, sealed)), plain)
            for wrong in (
                (bytes(reversed(key)), nonce, aad),
                (key, b"1" * 13, aad),
                (key, nonce, b"other"),
            ):
                self.assertRaises(FrameError, ccm.open, *(wrong + (sealed,)))
        self.assertRaises(FrameError, ccm.open, key, nonce, aad, bytes(7))

    def test_ccm_packet_vector_1_of_rfc_3610(self):
        """M = 8 and L = 2 there as here."""
        sealed = ccm.seal(
            unhexlify("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"),
            unhexlify("00000003020100a0a1a2a3a4a5"),
            bytes(range(8)),
            bytes(range(8, 31)),
        )
        expected = "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0"
        self.assertEqual(bytes(sealed), unhexlify(expected))

    def test_hkdf_case_1_of_rfc_5869(self):
        found = derive.hkdf_sha256(
            b"\x0b" * 22,
            bytes(range(13)),
            unhexlify("f0f1f2f3f4f5f6f7f8f9"),
            42,
        )
        expected = (
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        )
        self.assertEqual(found, unhexlify(expected))

    def test_option_both_ways_and_broken(self):
        for piv, kid, kid_context in (
            (None, None, None),
            (b"\x14", b"", None),
            (b"\x01\x02\x03\x04\x05", b"client", None),
            (b"\x14", b"\x01", b"context"),
            (b"\x00", None, b""),
        ):
            found = header.decode(header.Header(piv, kid, kid_context).encode())
            self.assertEqual((found.piv, found.kid, found.kid_context), (piv, kid, kid_context))
        for text in ("00", "06", "07", "20", "0214", "111405aa", "01", "0114aa", "19"):
            self.assertRaises(FrameError, header.decode, unhexlify(text))

    def test_window(self):
        window = Window()
        for number in (5, 0, 4, 40, 39, 11):
            self.assertTrue(window.is_new(number), number)
            window.mark(number)
            self.assertFalse(window.is_new(number), number)
        for number in (0, 5, 10):  # too far below 40
            self.assertFalse(window.is_new(number), number)
        window.mark(1 << 39)
        self.assertFalse(window.is_new(40))
        window.begin_at(7)
        self.assertEqual([window.is_new(i) for i in (6, 7, 8)], [False, False, True])

    def test_what_makes_no_context(self):
        for secret, mine, theirs in (
            (bytes(15), b"\x01", b""),
            (SECRET, bytes(8), b""),
            (SECRET, b"\x01", bytes(8)),
            (SECRET, b"\x01", b"\x01"),
        ):
            self.assertRaises(ConfigError, Context, secret, b"", mine, theirs, Counter())

    def test_ids_of_devices(self):
        self.assertEqual(len(device_id("bed-3")), 4)
        self.assertFalse(device_id("bed-3") == device_id("bed-4"))
        self.assertEqual(GATEWAY_ID, b"")


class _OldKV:
    """A KV in a region that found damage."""

    damaged, may_be_old = False, True

    def __init__(self):
        self._values = {}
        self.get, self.set = self._values.get, self._values.__setitem__

    def save(self):
        pass


class TestSequence(PairCase):
    def test_no_number_twice_over_restarts(self):
        with Folder() as path:
            seen = set()
            for uses in (1, 5, 0, 70, 3):
                sequence = Sequence(KV(path + "/n.kv"), "bed-3", block=8)
                for _ in range(uses):
                    number = sequence.next()
                    self.assertFalse(number in seen)
                    seen.add(number)
            self.assertTrue(max(seen) < 150)

    def test_reserved_before_use(self):
        with Folder() as path:
            sequence = Sequence(KV(path + "/n.kv"), "bed-3", block=8)
            for i in range(20):
                number = sequence.next()
                self.assertTrue(KV(path + "/n.kv").get("bed-3") > number, i)

    def test_a_disk_that_refuses_gives_no_number(self):
        with Folder() as path:
            kv = KV(path + "/no/such/n.kv")
            self.assertRaises(StoreError, Sequence(kv, "bed-3").next)

    def test_a_damaged_file_stops_instead_of_starting_anew(self):
        with Folder() as path:
            name = path + "/n.kv"
            Sequence(KV(name), "bed-3").next()
            with open(name, "r+b") as file:
                file.seek(os.stat(name)[6] - 1)
                file.write(b"\xff")
            self.assertRaises(StoreError, Sequence, KV(name), "bed-3")

    def test_where_flash_may_have_lost_a_save_numbers_are_skipped(self):
        kv = _OldKV()
        first = Sequence(kv, "bed-3").next()
        self.assertTrue(1 << 38 <= first < 1 << 39)
        self.assertEqual(Sequence(kv, "bed-3").next(), first + 64 + (1 << 16))
        self.assertFalse(Sequence(_OldKV(), "bed-3").next() == first)

    def test_the_last_number(self):
        with Folder() as path:
            kv = KV(path + "/n.kv")
            kv.set("bed-3", (1 << 40) - 70)
            sequence = Sequence(kv, "bed-3")
            for _ in range(64):
                sequence.next()
            self.assertRaises(StoreError, sequence.next)


if __name__ == "__main__":
    unittest.main()
