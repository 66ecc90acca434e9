"""Records in LoRaWAN payloads: they come back byte for byte, in as few bytes as promised."""

import random
import unittest
from binascii import unhexlify

from hedge.core.errors import FrameError
from hedge.net.lorawan import parts, payload, skeleton
from hedge.wire import ack, frame, senml

_T = 1760000000


def _moisture(i):
    return senml.encode(_T + 900 * i, [("soil.vwc", "%", (2340 - 3 * i) / 100)])


def _summary(i):
    names = ("soil.vwc.min", "soil.vwc.mean", "soil.vwc.max")
    return senml.encode(_T + 3600 * i, [(names[n], "%", 20 + i * 0.25 + n / 10) for n in range(3)])


def _event(i):
    return senml.encode(_T + i, [("pump", None, i % 2 == 0), ("rule", None, "dry, %d" % i)])


def _known(*records):
    pairs = [skeleton.split(record)[0] for record in records]
    return {skeleton.digest(s): s for s in pairs}


def _through(records, room, known, key=None, backlog=False):
    """(records that came out, bytes that travelled, digests taught) of the first payload."""
    entry = payload.Entry(7, 1, 300, 290, records, backlog)
    data, count, whole = payload.compose(entry, room, known, "bed-3", key)
    if not count:
        return [], data, whole
    frames, learned = payload.expand(data, "bed-3", dict(known or {}))
    assert sorted(learned) == sorted(whole) or known is None
    got, seq = [], 300
    for one in frames:
        found = frame.unpack(one, key)
        assert (found.device, found.boot, found.stream, found.seq) == ("bed-3", 7, 1, seq)
        assert (found.oldest, found.backlog) == (290, backlog)
        seq += len(found.records)
        got += found.records
    assert got == records[:count]
    return got, data, whole


class TestSkeleton(unittest.TestCase):
    def test_names_stay_and_values_leave(self):
        inner, holes = skeleton.split(_moisture(0))
        self.assertEqual(len(holes), 2)
        self.assertEqual(inner, skeleton.split(_moisture(55))[0])
        self.assertNotEqual(inner, skeleton.split(_summary(0))[0])

    def test_what_is_no_plain_pack_is_left_alone(self):
        for data in (
            b"",
            b"\x80",
            b"abc",
            b"\x81\xa1\x02\xc2\x41\x00",
            _moisture(0)[:-1],
            b"\x81\xa1\x00\x61a",
        ):
            self.assertIsNone(skeleton.split(data))


class TestPayload(unittest.TestCase):
    def test_a_known_record_takes_few_bytes(self):
        records = [_moisture(i) for i in range(10)]
        got, data, _ = _through(records, 51, _known(records[0]))
        self.assertEqual(len(got), 7)
        self.assertTrue(len(data) <= 51)
        self.assertEqual(len(_through(records, 51, None)[0]), 1)

    def test_the_first_of_its_kind_travels_whole_and_teaches_the_next(self):
        records = [_moisture(i) for i in range(3)]
        got, _, whole = _through(records, 51, ())
        self.assertEqual(got, records)
        self.assertEqual(whole, [skeleton.digest(skeleton.split(records[0])[0])])

    def test_mixed_records_of_every_room(self):
        records = []
        for i in range(6):
            records += [_moisture(i), _summary(i), _event(i)]
        for room in range(243):
            got, data, _ = _through(records, room, _known(_moisture(0)))
            self.assertTrue(len(data) <= room or not got)

    def test_values_at_the_ends(self):
        values = [0, 0.0, -0.0, 0.001, -0.001, 127, 128, -129, 32767.5, 8e6, 1e30, -1e-7, 65504.0]
        values += [
            2**31,
            2**40,
            -(2**63),
            999.999,
            0.1,
            1 / 3,
            23.4,
            -40.0,
            5,
            5,
            6,
            -7,
            True,
            "x",
        ]
        for first in values:
            records = [senml.encode(_T, [("a", None, first)])]
            records += [senml.encode(_T + i, [("a", None, v)]) for i, v in enumerate(values)]
            self.assertEqual(
                _through(records, 242, ())[0], records[: len(_through(records, 242, ())[0])]
            )

    def test_a_clock_that_jumps_or_is_unknown(self):
        times = (0, _T, 5, 0xFFFFFFFF, 1, 0, _T - 1)
        records = [senml.encode(t, [("a", "V", 3.3)]) for t in times]
        self.assertEqual(_through(records, 242, ())[0], records)

    def test_random_bytes_as_records(self):
        random.seed(4)
        for _ in range(100):
            records = [
                bytes([random.getrandbits(8) for _ in range(1 + random.getrandbits(4))])
                for _ in range(4)
            ]
            self.assertEqual(_through(records, 242, ())[0], records)

    def test_damaged_records_come_back_too(self):
        random.seed(5)
        for i in range(100):
            record = bytearray(_summary(i % 3))
            record[random.getrandbits(16) % len(record)] ^= 1 << random.getrandbits(3)
            records = [_summary(0), bytes(record), _summary(1)]
            self.assertEqual(_through(records, 242, ())[0], records)

    def test_signed_frames_keep_their_mac(self):
        records = [_moisture(i) for i in range(20)]
        got, _, _ = _through(records, 242, _known(records[0]), key=bytes(range(32)), backlog=True)
        self.assertTrue(4 < len(got) < 10)  # one frame of at most 255 bytes

    def test_more_records_than_a_frame_holds_become_several(self):
        records = [_moisture(i) for i in range(40)]
        self.assertEqual(len(_through(records, 242, _known(records[0]))[0]), 40)

    def test_no_record_at_all_tells_what_is_oldest(self):
        entry = payload.Entry(7, 1, 300, 290, [])
        data = payload.compose(entry, 20, ())[0]
        frames, _ = payload.expand(data, "bed-3", {})
        found = frame.unpack(frames[0])
        self.assertEqual((found.seq, found.oldest, found.records), (300, 290, []))

    def test_the_example_of_the_spec(self):
        records = [
            senml.encode(_T + 900 * i, [("soil.vwc", "%", 23.4 + i * 0.1)]) for i in range(2)
        ]
        wanted = unhexlify("2107ac020affe73ee100ea80e0bb8e0dc1ed01880e89")
        self.assertEqual(_through(records, 51, _known(records[0]))[1], wanted)


class TestExpandRefuses(unittest.TestCase):
    def setUp(self):
        self.known = _known(_moisture(0))
        entry = payload.Entry(7, 1, 300, 290, [_moisture(i) for i in range(4)])
        self.data = payload.compose(entry, 51, self.known)[0]

    def test_a_skeleton_that_it_does_not_know(self):
        with self.assertRaises(payload.UnknownSkeleton):
            payload.expand(self.data, "bed-3", {})

    def test_another_skeleton_of_the_same_digest(self):
        wrong = {digest: skeleton.split(_summary(0))[0] for digest in self.known}
        with self.assertRaises(FrameError):
            payload.expand(self.data, "bed-3", wrong)

    def test_every_cut_and_every_flipped_bit_is_an_error_or_a_frame(self):
        for i in range(len(self.data)):
            for bit in range(8):
                damaged = bytearray(self.data)
                damaged[i] ^= 1 << bit
                for data in (bytes(damaged), self.data[:i], bytes(damaged[:i])):
                    try:
                        for one in payload.expand(data, "bed-3", self.known)[0]:
                            frame.unpack(one, None if not data[0] & 0x80 else b"k" * 16)
                    except FrameError:
                        pass

    def test_an_empty_payload_and_another_version(self):
        for data in (b"", b"\x08\x01\x01\x00", b"\x01", b"\x81\x01\x01\x00"):
            with self.assertRaises(FrameError):
                payload.expand(data, "bed-3", {})


class TestAck(unittest.TestCase):
    def test_an_ack_is_the_same_at_the_other_end(self):
        for key in (None, b"k" * 16):
            full = ack.pack(0xDEADBEEF, _T, [(7, 1, 300), (7, 0, 2)], "bed-3", key)
            data = payload.pack_ack(full)
            self.assertTrue(len(data) < len(full))
            self.assertEqual(payload.unpack_ack(data), (full, False))

    def test_resync_alone_and_with_an_ack(self):
        full = ack.pack(1, 0, [(1, 1, 1)])
        self.assertEqual(payload.unpack_ack(payload.pack_ack(b"", True)), (b"", True))
        self.assertEqual(payload.unpack_ack(payload.pack_ack(full, True)), (full, True))

    def test_what_is_no_ack(self):
        for data in (b"", b"\x01\x02"):
            with self.assertRaises(FrameError):
                payload.unpack_ack(data)


class TestParts(unittest.TestCase):
    def test_any_order_and_twice(self):
        message = bytes([i * 7 & 0xFF for i in range(250)])
        for room in (11, 51, 242):
            cut = parts.cut(message, room)
            self.assertTrue(all([len(part) <= room for part in cut]))
            together = parts.Assembler()
            got = [together.add(part) for part in cut[1:] + cut[1:] + cut[:1]]
            self.assertEqual([g for g in got if g], [message])

    def test_parts_of_a_repeat_complete_the_first(self):
        cut = parts.cut(bytes(100), 11)
        together = parts.Assembler()
        for part in cut[::2]:
            self.assertIsNone(together.add(part))
        self.assertEqual(
            [got for got in [together.add(p) for p in cut[1::2]] if got], [bytes(100)]
        )

    def test_memory_is_bounded(self):
        together = parts.Assembler()
        for name in range(200):
            together.add(bytes((name, 0, 1)))
        self.assertEqual(len(together._open), 4)

    def test_mixed_up_parts_are_refused(self):
        together = parts.Assembler()
        together.add(b"\x01\x00abcdef")
        with self.assertRaises(FrameError):
            together.add(b"\x01\x81ghijkl")
        for short in (b"", b"\x01", b"\x01\x80"):
            with self.assertRaises(FrameError):
                together.add(short)

    def test_too_large(self):
        with self.assertRaises(ValueError):
            parts.cut(bytes(2000), 11)


if __name__ == "__main__":
    unittest.main()
