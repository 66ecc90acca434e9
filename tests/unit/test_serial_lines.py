"""Messages on a line that also carries a log, a REPL and noise."""

import random
import unittest

from hedge.net.serial_lines import LONGEST_TO_BOARD, MARK, Lines, pack, unpack


class _Case(unittest.TestCase):
    def setUp(self):
        self.texts = []
        self.lines = Lines(LONGEST_TO_BOARD, lambda text: self.texts.append(bytes(text)))


class PackTest(unittest.TestCase):
    def test_the_bytes_of_the_spec(self):
        # base64 of RFC 4648, section 10: "foobar"; CRC-32 of b"UZm9vYmFy" by zlib
        self.assertEqual(pack("U", b"foobar"), b"#~UZm9vYmFydc5ca8f6\n")

    def test_any_body_comes_back_and_no_byte_of_a_line_is_special(self):
        for n in (0, 1, 2, 3, 255):
            body = bytes((i * 7 + n) & 255 for i in range(n))
            line = pack("a", body)
            self.assertEqual(unpack(line[:-1]), ("a", body))
            self.assertTrue(all(32 < byte < 127 for byte in line[:-1]))

    def test_the_longest_ack_fits_a_board(self):
        self.assertEqual(len(pack("a", bytes(257))), LONGEST_TO_BOARD + 1)

    def test_each_changed_byte_is_noticed(self):
        line = pack("U", b"some frame")[:-1]
        for at in range(len(MARK), len(line)):
            for flip in (1, 32, 128):
                changed = line[:at] + bytes((line[at] ^ flip,)) + line[at + 1 :]
                self.assertTrue(unpack(changed) is None, (at, flip))


class LinesTest(_Case):
    def test_messages_and_log_lines_are_told_apart(self):
        said = b"1 I node: ready\r\n" + pack("U", b"one") + b"more\n" + pack("P", b"") + b"half"
        self.assertEqual(self.lines.feed(said), [("U", b"one"), ("P", b"")])
        self.assertEqual(self.texts, [b"1 I node: ready", b"more"])

    def test_it_does_not_matter_how_the_bytes_are_cut(self):
        said = b"log\n" + pack("U", b"one") + b">>> " + pack("U", b"two")
        for size in (1, 2, 3, 5, 11):
            found = []
            lines = Lines(LONGEST_TO_BOARD)
            for at in range(0, len(said), size):
                found += lines.feed(said[at : at + size])
            self.assertEqual(found, [("U", b"one"), ("U", b"two")], size)

    def test_a_message_after_text_without_an_end(self):
        self.assertEqual(self.lines.feed(b">>> " + pack("w", b"hi")), [("w", b"hi")])
        self.assertEqual(self.texts, [b">>> "])

    def test_half_a_message_costs_nothing_but_itself(self):
        half = pack("U", b"the first frame")[:12]
        self.assertEqual(self.lines.feed(half + pack("U", b"two")), [("U", b"two")])
        self.assertEqual(self.texts, [half])

    def test_a_damaged_one_is_text_and_counted(self):
        damaged = pack("U", b"frame").replace(b"U", b"V")
        self.assertEqual(self.lines.feed(damaged + pack("U", b"next")), [("U", b"next")])
        self.assertEqual((self.lines.damaged, self.texts), (1, [damaged[:-1]]))

    def test_a_carriage_return_before_the_end_is_none_of_it(self):
        self.assertEqual(self.lines.feed(pack("a", b"x")[:-1] + b"\r\n"), [("a", b"x")])

    def test_an_endless_line_is_not_kept(self):
        for _ in range(100):
            self.assertEqual(self.lines.feed(b"z" * 50), [])
        self.assertTrue(sum(map(len, self.texts)) >= 5000 - LONGEST_TO_BOARD)
        self.assertEqual(self.lines.feed(b"\n" + pack("a", b"x")), [("a", b"x")])

    def test_a_message_that_begins_in_an_endless_line_is_found(self):
        for filler in (LONGEST_TO_BOARD - 1, LONGEST_TO_BOARD, LONGEST_TO_BOARD + 1):
            lines = Lines(LONGEST_TO_BOARD)
            line = pack("a", bytes(200))
            found = lines.feed(b"z" * filler + line[:1])
            found += lines.feed(line[1:20])
            found += lines.feed(line[20:])
            self.assertEqual(found, [("a", bytes(200))], filler)


class NoiseTest(_Case):
    def test_among_noise_what_is_found_was_sent(self):
        dice = random.Random(5) if hasattr(random, "Random") else random
        if dice is random:
            random.seed(5)
        sent, said = [], b""
        for i in range(60):
            body = b"frame %d" % i
            noise = bytes(dice.getrandbits(8) for _ in range(dice.getrandbits(5)))
            sent.append(("U", body))
            said += noise + (b"\n" if i % 2 else b"") + pack("U", body)
        found = self.lines.feed(said)
        self.assertEqual([message for message in found if message not in sent], [])
        # Noise that ends in "#" directly before a mark is the only way to lose one here.
        self.assertTrue(len(found) >= 58, len(found))


if __name__ == "__main__":
    unittest.main()
