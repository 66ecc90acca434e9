"""hedge.infer.Model: the committed model and its vectors, small files by hand, hostile files."""

import array
import binascii
import json
import struct
import sys
import unittest

from hedge.core.errors import ModelError
from hedge.infer import Model, fixed

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
    """A file of one CONV, fully connected: one output of len(weights) inputs (an even number).

    Wide channel table. With table, x -> -x after it. Output at 8, output of the table as well.
    """
    n = len(weights)
    consts_at = 60 + 48 + 20 * table
    packed = b""
    for t in range(0, n, 2):
        packed += bytes([weights[t] + 128, 128, weights[t + 1] + 128, 128, 128, 128, 128, 128])
    consts = packed + struct.pack("<iiii", bias - 128 * sum(weights), 0, 0, 0)
    consts += struct.pack("<iiiiiiii", multiplier, 0, 0, 0, shift, 0, 0, 0)
    sizes = (1 | 1 << 16, n | 1 << 16, 1 | 1 << 16, 0x01010101, 0x00000101)
    last = 0 | 0x80 << 8 | 0x7F << 16 | 0 << 24
    words = (1 | 12 << 8 | 3 << 16, 0, 8, consts_at, consts_at + 4 * n) + sizes + (last, 0)
    op = struct.pack("<12i", *words)
    if table:
        op += struct.pack("<5i", 7 | 5 << 8, 8, 8, 1, consts_at + len(consts))
        consts += bytes((-(i - 128)) & 255 for i in range(256))
    head = struct.pack("<4sHHII", b"HGM2", 2, 60, 0, 0)
    head += struct.pack(
        "<IHHIIfIIfbbBBII", 12, 1 + table, 0, 0, n, 0.5, 8, 1, 0.25, -3, 7, 1, 1, 0, 0
    )
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
                expected = fixed.requantize(acc, multiplier, shift)
                settings = {"bias": acc, "multiplier": multiplier, "shift": shift}
                got = self.run_tiny((0,) * 4, weights=(0,) * 4, **settings)
                self.assertEqual(got, max(min(expected, 127), -128), str(settings))

    def test_table_works_in_place(self):
        self.assertEqual(self.run_tiny((1, 2, 3, 4), table=True), 2)

    def test_requantize_of_extremes(self):
        self.assertEqual(fixed.requantize(-(1 << 31), (1 << 31) - 1, 0), -(1 << 31) + 1)
        self.assertEqual(fixed.requantize((1 << 31) - 1, 1 << 30, 0), 1 << 30)
        self.assertEqual(fixed.requantize(12345, 0, -31), 0)

    @unittest.skipIf(not MICROPYTHON, "compares MicroPython's viper path with plain Python")
    def test_viper_equals_portable_on_noise(self):
        fast = Model(FOLDER + "soil_dry.hgm", kernels="viper")
        slow = Model(FOLDER + "soil_dry.hgm", kernels="portable")
        self.assertEqual((fast.kernels, slow.kernels), ("viper", "portable"))
        numbers = noise(1)
        for _ in range(500):
            for i in range(len(fast.input)):
                fast.input[i] = slow.input[i] = next(numbers) - 128
            fast.invoke()
            slow.invoke()
            self.assertEqual(list(fast.output), list(slow.output))

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

    def test_a_model_with_state_refuses(self):
        data = bytearray(tiny())
        struct.pack_into("<I", data, 16, 16)  # room for a state behind input and output
        struct.pack_into("<II", data, 52, 12, 4)
        data = sealed(data)
        with self.assertRaises(ModelError) as caught:
            Model(data, array.array("b", bytes(200)))
        self.assertIn("has state", str(caught.exception))
        self.assertEqual(len(Model(data).arena), 16)

    @unittest.skipIf(not MICROPYTHON, "needs a heap with an end")
    def test_an_arena_that_no_heap_has(self):
        data = bytearray(tiny())
        struct.pack_into("<I", data, 16, 1 << 24)
        with self.assertRaises(ModelError) as caught:
            Model(sealed(data))
        self.assertIn("arena of 16777216 bytes does not fit in the heap", str(caught.exception))

    def test_an_arena_begins_as_zeros(self):
        self.assertEqual(list(Model(tiny()).arena), [0] * 12)

    def test_unaligned_file_runs(self):
        data = memoryview(b"x" + tiny())[1:]
        model = Model(data)
        model.input[0] = 9
        model.invoke()
        self.assertEqual(model.output[0], 9)


class QuantizeTest(unittest.TestCase):
    def test_rounds_halves_away_from_zero_and_saturates(self):
        model = Model(tiny())  # input: scale 0.5, zero point -3
        model.quantize_into((0.25, -0.25, 0.24, -0.75))
        self.assertEqual(list(model.input), [-2, -4, -3, -5])
        model.quantize_into((1e30, -1e30, 65.0, 65.3))
        self.assertEqual(list(model.input), [127, -128, 127, 127])
        model.quantize_into((float("inf"), -float("inf"), 0.0, 62.5))
        self.assertEqual(list(model.input), [127, -128, -3, 122])

    def test_refuses_what_is_no_number_and_another_length(self):
        model = Model(tiny())
        with self.assertRaises(ModelError):
            model.quantize_into((0.0, float("nan"), 0.0, 0.0))
        with self.assertRaises(ModelError):
            model.quantize_into((0.0,) * 5)

    def test_dequantize(self):
        model = Model(tiny())
        model.output[0] = -93
        self.assertEqual(model.dequantize(0), -25.0)
        self.assertEqual((model.output_scale, model.output_zero_point), (0.25, 7))


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
        self.assert_refused(b"HGM1\x01\0\0\0" + good[8:], "version 1, this firmware reads 2")
        self.assert_refused(self.word(good, 4, 3 | 60 << 16), "version 3")
        self.assert_refused(self.word(good, 16, 0), "arena")
        self.assert_refused(self.word(good, 16, 1 << 25), "arena")
        self.assert_refused(self.word(good, 16, 14), "arena of 14 bytes")
        self.assert_refused(self.word(good, 20, 0), "0 ops")
        self.assert_refused(self.word(good, 20, 2), "op")
        self.assert_refused(self.word(good, 20, 1 | 65 << 16), "65 resets")
        self.assert_refused(self.word(good, 24, 12), "input outside")
        self.assert_refused(self.word(good, 24, 2), "multiple of 4")
        self.assert_refused(self.word(good, 32, 0x7FC00000), "scale")
        self.assert_refused(self.word(good, 48, 0x0103), "input type")
        self.assert_refused(self.word(good, 56, 8), "input lies in the state")
        self.assert_refused(self.word(good, 60, 14 | 12 << 8), "unknown op 14")
        self.assert_refused(self.word(good, 60, 1 | 13 << 8), "13 words")
        for word, value, reason in (
            (0, 1 | 12 << 8 | 8 << 16, "flags"),
            (0, 1 | 12 << 8 | 1 << 16, "needs scratch"),
            (1, -4, "input outside"),
            (2, 0, "output overlaps"),
            (2, 12, "output outside"),
            (3, 1 << 30, "weights outside"),
            (3, 110, "multiple of 4"),
            (4, 1 << 20, "table outside"),
            (5, 0, "of 0"),
            (6, 1 << 16, "of 0"),
            (8, 0x01010001, "of 0"),
            (8, 0x01010201, "not 1x1"),
            (10, 0x00007F80, "clamp"),
            (11, 4, "scratch without"),
        ):
            self.assert_refused(self.word(good, 60 + 4 * word, value), reason)

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
