"""hedge.infer.Model: the committed model and its vectors, small files by hand, hostile files."""

import array
import binascii
import json
import struct
import sys
import unittest

from hedge.core.errors import ModelError
from hedge.infer import Model, portable

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    heap_lock = None

MICROPYTHON = sys.implementation.name == "micropython"
ROOT = __file__.rsplit("/tests/", 1)[0] if "/tests/" in __file__ else "."
FOLDER = ROOT + "/models/soil_dry/"


def read(name):
    with open(FOLDER + name, "rb") as file:
        return file.read()


def sealed(data):
    """The file with its length and CRC made right again, as an attacker would."""
    data = bytearray(data)
    struct.pack_into("<I", data, 8, len(data))
    struct.pack_into("<I", data, 12, binascii.crc32(bytes(data[16:])) & 0xFFFFFFFF)
    return bytes(data)


def tiny(weights=(1, 2, 3, -4), bias=0, multiplier=1 << 30, shift=1, table=False):
    """A file of one DENSE op: one output, len(weights) inputs; with table, x -> -x after it."""
    n = len(weights)
    plan = 64 + 48 + 24 * table
    packed = b"".join(bytes([w + 128, 128, 128, 128]) for w in weights)
    folded = bias - 128 * sum(weights)
    consts = packed + struct.pack("<iiiiii", folded, 0, 0, 0, multiplier, shift)
    op = struct.pack(
        "<12i",
        1 | 12 << 16,
        0,
        n,
        n,
        1,
        plan,
        plan + 4 * n,
        plan + 4 * n + 16,
        0,
        0,
        -128,
        127,
    )
    if table:
        op += struct.pack("<6i", 2 | 6 << 16, n, n, 1, plan + len(consts), 0)
        consts += bytes((-(i - 128)) & 255 for i in range(256))
    head = struct.pack("<4sIII", b"HGM1", 1, 0, 0)
    head += struct.pack("<IIIIIfiIIfiI", n + 1, 1 + table, 64, 0, n, 0.5, -3, n, 1, 0.25, 7, 0)
    return sealed(head + op + consts)


def noise(seed):
    """Bytes of a linear congruential generator (Numerical Recipes)."""
    while True:
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        yield seed >> 24


class SoilDryTest(unittest.TestCase):
    def test_equals_the_vectors(self):
        model = Model(FOLDER + "soil_dry.hgm")
        vectors = json.loads(read("vectors.json"))
        self.assertGreater(len(vectors["input"]), 50)
        for x, y in zip(vectors["input"], vectors["output"]):
            for i, value in enumerate(x):
                model.input[i] = value
            model.invoke()
            self.assertEqual(list(model.output), y)

    def test_speaks_probabilities(self):
        model = Model(FOLDER + "soil_dry.hgm")
        self.assertEqual((model.output_scale, model.output_zero_point), (1 / 256, -128))
        self.assertEqual((model.input_scale, model.input_zero_point), (1 / 32, 0))
        self.assertEqual((len(model.input), len(model.output)), (7, 3))


class DenseTest(unittest.TestCase):
    def run_tiny(self, x, **more):
        model = Model(tiny(**more))
        for i, value in enumerate(x):
            model.input[i] = value
        model.invoke()
        return model.output[0]

    def test_dot_product(self):
        self.assertEqual(self.run_tiny((1, 2, 3, 4)), 1 + 4 + 9 - 16)
        self.assertEqual(self.run_tiny((-128, 127, 0, 0), weights=(1, 1, 1, 1)), -1)

    def test_clamps(self):
        self.assertEqual(self.run_tiny((127, 127, 127, -128)), 127)
        self.assertEqual(self.run_tiny((-128, -128, -128, 127)), -128)

    def test_double_rounding_half_away_from_zero(self):
        # acc * 2**30 * 2**(shift - 31) = acc / 2**(1 - shift); 2.5 -> 3, -2.5 -> -3
        for acc, shift, expected in ((5, 0, 3), (-5, 0, -2), (10, -1, 3), (-10, -1, -3)):
            got = self.run_tiny((0, 0, 0, 0), bias=acc, shift=shift)
            self.assertEqual(got, expected, str((acc, shift)))

    def test_large_accumulators_and_shifts(self):
        multiplier = 1518500249
        for acc in (2000000000, -2000000000, 1 << 30, -(1 << 31) + 5, 123456789):
            for shift in (-31, -30, -25, -24, 0):
                expected = portable.requantize(acc, multiplier, shift)
                settings = {"bias": acc, "multiplier": multiplier, "shift": shift}
                got = self.run_tiny((0,) * 4, weights=(0,) * 4, **settings)
                self.assertEqual(got, max(min(expected, 127), -128), str(settings))

    def test_table_works_in_place(self):
        self.assertEqual(self.run_tiny((1, 2, 3, 4), table=True), 2)

    def test_requantize_of_extremes(self):
        self.assertEqual(portable.requantize(-(1 << 31), (1 << 31) - 1, 0), -(1 << 31) + 1)
        self.assertEqual(portable.requantize((1 << 31) - 1, 1 << 30, 0), 1 << 30)
        self.assertEqual(portable.requantize(12345, 0, -31), 0)

    @unittest.skipIf(not MICROPYTHON, "compares MicroPython's viper path with plain Python")
    def test_viper_equals_portable_on_noise(self):
        data = read("soil_dry.hgm")
        model = Model(data)
        arena = array.array("b", bytes(model.arena_bytes))
        numbers = noise(1)
        for _ in range(500):
            for i in range(len(model.input)):
                model.input[i] = next(numbers) - 128
            for i in range(model.arena_bytes):
                arena[i] = model._arena[i]
            model.invoke()
            portable.run(data, arena, model._op_count)
            self.assertEqual(list(model._arena), list(arena))

    @unittest.skipIf(not MICROPYTHON, "needs the MicroPython heap lock")
    def test_invoke_does_not_allocate(self):
        model = Model(FOLDER + "soil_dry.hgm")
        heap_lock()
        try:
            model.invoke()
        finally:
            heap_unlock()


class ArenaTest(unittest.TestCase):
    def test_models_share_an_arena(self):
        arena = array.array("b", bytes(200))
        big, small = Model(FOLDER + "soil_dry.hgm", arena), Model(tiny(), arena)
        small.input[0] = 77
        self.assertEqual(arena[0], 77)
        self.assertLess(big.arena_bytes, 200)

    def test_small_arena_is_refused(self):
        with self.assertRaises(ModelError):
            Model(tiny(), array.array("b", bytes(4)))

    def test_unaligned_file_runs(self):
        data = memoryview(b"x" + tiny())[1:]
        model = Model(data)
        model.input[0] = 9
        model.invoke()
        self.assertEqual(model.output[0], 9)


class BadFileTest(unittest.TestCase):
    def assert_refused(self, data, reason=""):
        with self.assertRaises(ModelError) as caught:
            Model(bytes(data))
        self.assertIn(reason, str(caught.exception))

    def word(self, data, at, value):
        data = bytearray(data)
        struct.pack_into("<I", data, at, value & 0xFFFFFFFF)
        return sealed(data)

    def test_truncated_anywhere(self):
        data = read("soil_dry.hgm")
        for length in range(len(data)):
            self.assert_refused(data[:length])

    def test_every_flipped_bit_is_seen(self):
        data = bytearray(tiny(table=True))
        for i in range(len(data)):
            for bit in range(8):
                data[i] ^= 1 << bit
                self.assert_refused(data)
                data[i] ^= 1 << bit

    def test_reasons(self):
        good = tiny()
        self.assert_refused(b"", "shorter")
        self.assert_refused(b"TFL3" + good[4:], "not a .hgm")
        self.assert_refused(self.word(good, 4, 2), "version 2")
        self.assert_refused(self.word(good, 16, 0), "arena")
        self.assert_refused(self.word(good, 16, 1 << 25), "arena")
        self.assert_refused(self.word(good, 20, 2), "op")
        self.assert_refused(self.word(good, 28, 4), "outside")
        self.assert_refused(self.word(good, 36, 0x7FC00000), "scale")
        self.assert_refused(self.word(good, 40, 300), "zero point")
        self.assert_refused(self.word(good, 64, 8 | 12 << 16), "unknown op 8")
        self.assert_refused(self.word(good, 64, 1 | 13 << 16), "13 words")
        self.assert_refused(self.word(good, 68, -1), "input outside")
        self.assert_refused(self.word(good, 72, 3), "overlaps")
        self.assert_refused(self.word(good, 72, 5), "output outside")
        self.assert_refused(self.word(good, 76, 0), "shape")
        self.assert_refused(self.word(good, 84, 1 << 30), "weights outside")
        self.assert_refused(self.word(good, 88, 129), "unaligned")
        self.assert_refused(self.word(good, 92, 0x7FFFFFFC), "multipliers outside")
        self.assert_refused(self.word(good, 96, 1), "step")
        self.assert_refused(self.word(good, 100, 128), "clamp")
        self.assert_refused(self.word(good, 104, 128), "clamp")

    def test_bad_multiplier_and_shift(self):
        self.assert_refused(tiny(multiplier=5), "multiplier")
        self.assert_refused(tiny(multiplier=-(1 << 30)), "multiplier")
        self.assert_refused(tiny(shift=31), "shift")
        self.assert_refused(tiny(shift=-32), "shift")

    def test_sealed_mutations_are_refused_or_run_in_bounds(self):
        """3000 files with right CRCs and wrong numbers: a ModelError, or a run that touches only
        its arena (guard bytes behind it stay as they are)."""
        good = tiny(table=True)
        numbers = noise(7)
        refused = 0
        for _ in range(3000):
            data = bytearray(good)
            for _ in range(1 + next(numbers) % 3):
                at = 16 + (next(numbers) << 8 | next(numbers)) % (len(data) - 16)
                data[at] = (0, 1, 127, 128, 255, next(numbers))[next(numbers) % 6]
            arena = array.array("b", bytes(600))
            try:
                model = Model(sealed(data), arena)
            except ModelError:
                refused += 1
                continue
            model.invoke()
            for i in range(model.arena_bytes, 600):
                self.assertEqual(arena[i], 0)
        self.assertGreater(refused, 500)
        self.assertLess(refused, 2990)


if __name__ == "__main__":
    unittest.main()
