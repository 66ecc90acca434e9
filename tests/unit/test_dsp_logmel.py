"""LogMel on a small front end made by hand: streaming, ring of frames, hostile files, no heap."""

import array
import binascii
import struct
import sys
import unittest

from hedge.core.errors import ConfigError, ModelError
from hedge.dsp import logmel, portable_mel, tables
from hedge.dsp.logmel import LogMel

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    heap_lock = None

MICROPYTHON = sys.implementation.name == "micropython"
WINDOW, HOP, FRAMES, BANDS = 24, 10, 3, 4


def sealed(data):
    data = bytearray(data)
    struct.pack_into("<I", data, 8, len(data))
    struct.pack_into("<I", data, 12, binascii.crc32(bytes(data[16:])) & 0xFFFFFFFF)
    return bytes(data)


def small(flags=0, features=None, **more):
    """32-point front end of 4 bands of 3 bins, weights 1; with a matrix: sums and differences."""
    rows = (16000, 16000, 16000, 16000, 32000, -32000, 0, 0) if flags & 4 else ()
    features = features or (2 if flags & 4 else BANDS)
    bands = []
    for band in range(BANDS):
        bands += [3 * band, 3, -14 * 1024]
    sections = (
        tables.sine_q15(32),
        tables.sqrt_table(),
        tables.log2_table(),
        tables.window_q15("hann", WINDOW),
        array.array("h", bands),
        array.array("H", [16384] * 12),
        array.array("h", rows),
        array.array("h", [8192] * features),
    )
    offsets, body = [], b""
    for section in sections:
        offsets.append((76 + len(body)) // 4)
        body += bytes(section) + bytes(-2 * len(section) % 4)
    fields = {"n_fft": 32, "window": WINDOW, "hop": HOP, "first_bin": 1, "bins": 12, "base": 0}
    fields.update(more)
    head = struct.pack("<4sHHII", b"HFE1", 1, 76, 0, 0)
    head += struct.pack(
        "<9HhiBBhif4H",
        fields["n_fft"],
        fields["window"],
        fields["hop"],
        FRAMES,
        BANDS,
        features,
        fields["first_bin"],
        fields["bins"],
        flags,
        -2048,  # floor
        fields["base"],
        16 if flags & 4 else 0,
        10,
        -100,  # zero point
        4,  # factor: 4 steps per doubling
        1 / 1024,
        16000,
        0,
        12,
        0,
    )
    return sealed(head + struct.pack("<8H", *offsets) + body)


def tone(n):
    return array.array("h", [12000 if i % 8 < 4 else -12000 for i in range(n)])


def vector(mel):
    out = array.array("b", bytes(mel.frames * mel.features))
    mel.vector_into(out)
    return list(out)


class LogMelTest(unittest.TestCase):
    def test_frames_come_with_window_and_hop(self):
        mel = LogMel(small())
        x = tone(WINDOW + 3 * HOP)
        self.assertEqual(mel.push(x, WINDOW - 1), 0)
        self.assertEqual(mel.push(x, 1), 1)
        self.assertEqual(mel.push(x, HOP), 1)
        self.assertFalse(mel.ready)
        self.assertEqual(mel.push(x, 2 * HOP), 2)
        self.assertTrue(mel.ready)
        self.assertEqual(mel.seen, 4)

    def test_any_cut_of_the_stream_gives_the_same(self):
        x = tone(200)
        whole = LogMel(small(flags=2))
        whole.push(x)
        for cut in (1, 7, HOP, 33):
            mel = LogMel(small(flags=2))
            for at in range(0, len(x), cut):
                mel.push(x[at : at + cut])
            self.assertEqual((mel.seen, vector(mel)), (whole.seen, vector(whole)))

    def test_loudest_band_is_the_tones(self):
        mel = LogMel(small())
        mel.push(tone(WINDOW))
        out = array.array("b", bytes(BANDS))
        mel.frame_into(out)
        self.assertEqual(list(out).index(max(out)), 1)  # bin 4 of 32: the second band

    def test_twice_as_loud_is_one_doubling(self):
        quiet, loud, power = LogMel(small()), LogMel(small()), LogMel(small(flags=1, base=-20480))
        x = tone(WINDOW)
        quiet.push(array.array("h", [v // 4 for v in x]))
        loud.push(x)
        self.assertEqual([b - a for a, b in zip(quiet._store, loud._store)][:2], [2048, 2048])
        power.push(x)
        first = [power._store[0]]
        power.reset()
        power.push(array.array("h", [v // 4 for v in x]))
        self.assertTrue(abs(first[0] - power._store[0] - 4096) < 8)

    def test_silence_and_frames_not_seen_are_the_floor(self):
        mel = LogMel(small())
        floor = -100 - 2 * 4
        self.assertEqual(vector(mel), [floor] * (FRAMES * BANDS))
        mel.push(array.array("h", bytes(2 * WINDOW)))
        self.assertEqual(vector(mel), [floor] * (FRAMES * BANDS))

    def test_oldest_frame_comes_first(self):
        mel = LogMel(small())
        mel.push(tone(WINDOW))
        out = vector(mel)
        self.assertEqual(out[: 2 * BANDS], [-108] * (2 * BANDS))
        self.assertTrue(max(out[2 * BANDS :]) > -60)

    def test_normalise_takes_the_level_out(self):
        vectors = []
        for divide in (1, 4):
            mel = LogMel(small(flags=8))
            mel.push(array.array("h", [v // divide for v in tone(WINDOW + 2 * HOP)]))
            vectors.append(vector(mel))
            self.assertTrue(abs(mel.gain_q10() - 1024 * (1.449 + divide // 2)) < 3)
        self.assertEqual(vectors[0], vectors[1])

    def test_matrix(self):
        mel = LogMel(small(flags=4))
        mel.push(tone(WINDOW))
        plain = LogMel(small())
        plain.push(tone(WINDOW))
        levels = list(plain._store)[:BANDS]
        self.assertTrue(abs(mel._store[0] - sum(levels) * 16000 / 65536) <= 0.5)
        self.assertTrue(abs(mel._store[1] - (levels[0] - levels[1]) * 32000 / 65536) <= 0.5)

    def test_refuses_short_buffers(self):
        mel = LogMel(small())
        with self.assertRaises(ConfigError):
            mel.vector_into(array.array("b", bytes(FRAMES * BANDS - 1)))
        with self.assertRaises(ConfigError):
            mel.frame_into(array.array("b", bytes(BANDS)))  # no frame yet
        with self.assertRaises(ConfigError):
            mel.push(tone(4), 5)

    def test_refuses_bad_files(self):
        good = small()
        bad = [b"", good[:-1], good + b"\0", b"HGM1" + good[4:], good[:40] + b"x" + good[41:]]
        bad.append(sealed(good[:4] + b"\2\0" + good[6:]))
        for wrong in ({"n_fft": 33}, {"hop": 25}, {"bins": 11}, {"first_bin": 9}, {"window": 33}):
            bad.append(small(**wrong))
        for data in bad:
            with self.assertRaises(ModelError):
                LogMel(data)

    def test_mutated_files_are_refused_or_run(self):
        good, seed = small(flags=4 | 8), 7
        refused = 0
        for _ in range(300):
            data = bytearray(good)
            for _ in range(3):
                seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
                at = 16 + (seed >> 8) % 60 if seed & 1 else 772 + (seed >> 8) % (len(data) - 772)
                data[at] = seed >> 24
            try:
                mel = LogMel(sealed(data))
            except ModelError:
                refused += 1
                continue
            mel.push(tone(WINDOW))
            mel.vector_into(array.array("b", bytes(mel.frames * mel.features)))
        self.assertTrue(50 < refused < 300, refused)

    @unittest.skipIf(not MICROPYTHON, "viper needs MicroPython")
    def test_viper_equals_portable(self):
        for flags in range(16):
            vectors, kernels = [], logmel._K
            for logmel._K in (kernels, portable_mel):
                mel = LogMel(small(flags=flags))
                mel.push(tone(100))
                vectors.append((vector(mel), list(mel._store), mel.gain_q10()))
            logmel._K = kernels
            self.assertEqual(vectors[0], vectors[1])

    @unittest.skipIf(heap_lock is None or not MICROPYTHON, "needs the MicroPython heap lock")
    def test_does_not_allocate(self):
        mel, x = LogMel(small(flags=14)), tone(100)
        out = array.array("b", bytes(mel.frames * mel.features))
        heap_lock()
        try:
            mel.push(x)
            mel.vector_into(out)
            mel.frame_into(out)
        finally:
            heap_unlock()


if __name__ == "__main__":
    unittest.main()
