"""hedge.learn.model: every kind of .hgl equals scikit-learn's labels; hostile and broken files."""

import binascii
import json
import struct
import sys
import unittest

from hedge.core.errors import ModelError
from hedge.learn import portable
from hedge.learn.model import Predictor

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    heap_lock = None

MICROPYTHON = sys.implementation.name == "micropython"
HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
with open(HERE + "/learn_models.json") as _file:
    MODELS = json.load(_file)


def hgl(name):
    return binascii.a2b_base64(MODELS[name]["hgl"])


def sealed(data):
    """The file with its length and CRC made right again, as an attacker would."""
    data = bytearray(data)
    struct.pack_into("<I", data, 8, len(data))
    struct.pack_into("<I", data, 12, binascii.crc32(bytes(data[16:])) & 0xFFFFFFFF)
    return bytes(data)


def noise(seed):
    """Bytes of a linear congruential generator (Numerical Recipes)."""
    while True:
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        yield seed >> 24


class EqualTest(unittest.TestCase):
    def test_labels_equal_scikit_learn_and_scores_the_host(self):
        for name, made in MODELS.items():
            model = Predictor(hgl(name))
            for row, label, scores in zip(made["rows"], made["labels"], made["scores"]):
                model.quantise(row)
                got = model.predict()
                if name.endswith("_value"):
                    self.assertAlmostEqual(got * model.score_scale, label, delta=1e-4, msg=name)
                else:
                    self.assertEqual(got, label, name)
                self.assertEqual(list(model.scores), scores, name)

    @unittest.skipIf(not MICROPYTHON, "compares MicroPython's viper path with plain Python")
    def test_viper_equals_portable_on_noise(self):
        numbers = noise(1)
        for name in MODELS:
            data = hgl(name)
            model = Predictor(data)
            wanted = list(model.scores)
            for _ in range(200):
                for i in range(len(model.input)):
                    model.input[i] = ((next(numbers) << 8 | next(numbers)) - 32768) >> (
                        next(numbers) & 15
                    )
                index = portable.run(data, model.input, None, wanted)
                label = model.predict()
                self.assertEqual(list(model.scores), wanted, name)
                self.assertEqual(label, model.labels[index] if model.labels else wanted[0], name)

    @unittest.skipIf(not MICROPYTHON, "needs the MicroPython heap lock")
    def test_predict_does_not_allocate(self):
        for name in MODELS:
            model = Predictor(hgl(name))
            model.quantise(MODELS[name]["rows"][0])
            heap_lock()
            try:
                model.predict()
            finally:
                heap_unlock()

    def test_an_unaligned_file_runs(self):
        made = MODELS["forest"]
        model = Predictor(memoryview(b"x" + hgl("forest"))[1:])
        model.quantise(made["rows"][3])
        self.assertEqual(model.predict(), made["labels"][3])

    def test_probabilities(self):
        model = Predictor(hgl("forest"))
        model.quantise(MODELS["forest"]["rows"][0])
        model.predict()
        self.assertEqual(model.probabilities(), [1.0, 0.0, 0.0])
        with self.assertRaises(ModelError):
            Predictor(hgl("envelope")).probabilities()

    def test_wrong_number_of_values(self):
        with self.assertRaises(ModelError):
            Predictor(hgl("logistic")).quantise([1.0, 2.0])

    def test_int16_inputs_saturate(self):
        model = Predictor(hgl("logistic"))
        model.quantise([1e9, -1e9, 0.0, 0.0])
        self.assertEqual((model.input[0], model.input[1]), (32767, -32768))
        model.quantise([float("-inf"), float("inf"), 0.0, 0.0])
        self.assertEqual((model.input[0], model.input[1]), (-32768, 32767))

    def test_a_value_that_is_no_number_is_refused(self):
        for name in ("logistic", "forest"):
            model = Predictor(hgl(name))
            before = list(model.input)
            with self.assertRaises(ModelError):
                model.quantise([1.0, float("nan"), 0.0, 0.0])
            self.assertEqual(list(model.input), before)


class FloatKeyTest(unittest.TestCase):
    """float32 inputs are compared through their bits; see SPEC.md."""

    VALUES = (float("-inf"), -3e38, -1.5, -1e-40, -0.0, 0.0, 1e-40, 0.1, 1.5, 3e38, float("inf"))

    def leaf_of(self, threshold_key, value):
        """A tree of one branch: 1 if value goes right."""
        nodes = struct.pack("<IHH", threshold_key, 0, 2)
        nodes += struct.pack("<iHHiHH", 0, 0xFFFF, 1, 1, 0xFFFF, 1)
        sections = nodes + struct.pack("<IIi", 0, 3, 0)
        head = struct.pack("<4sIIIHBBHHIIIf", b"HGL1", 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 1.0)
        head += struct.pack("<IIIIIIIIIi", 0, 0, 1, 80, 104, 0, 112, 0, 0, 0)
        model = Predictor(sealed(head + sections))
        model.input[0] = value
        return model.predict()

    def test_order_of_bits_is_order_of_floats(self):
        for threshold in self.VALUES:
            bits = struct.unpack("<I", struct.pack("<f", threshold + 0.0))[0]
            key = bits ^ (0xFFFFFFFF if bits >> 31 else 0x80000000)
            for value in self.VALUES:
                wanted = 0 if value <= threshold else 1
                self.assertEqual(self.leaf_of(key, value), wanted, str((value, threshold)))


class BadFileTest(unittest.TestCase):
    def assert_refused(self, data, reason=""):
        with self.assertRaises(ModelError) as caught:
            Predictor(bytes(data))
        self.assertIn(reason, str(caught.exception))

    def word(self, name, at, value):
        data = bytearray(hgl(name))
        struct.pack_into("<I", data, at, value & 0xFFFFFFFF)
        return sealed(data)

    def at(self, name, place):
        """File offset that the header word at `place` holds."""
        return struct.unpack_from("<I", hgl(name), place)[0]

    def test_truncated_anywhere(self):
        for name in ("forest", "bayes"):
            data = hgl(name)
            for length in range(len(data)):
                self.assert_refused(data[:length])

    def test_every_flipped_bit_is_seen(self):
        data = bytearray(hgl("envelope"))
        for i in range(len(data)):
            data[i] ^= 1 << i % 8
            self.assert_refused(data)
            data[i] ^= 1 << i % 8

    def test_reasons(self):
        self.assert_refused(b"", "shorter")
        self.assert_refused(b"HGM1" + hgl("forest")[4:], "not a .hgl")
        for name, place, value, reason in (
            ("forest", 4, 2, "version 2"),
            ("forest", 16, 9, "unknown kind"),
            ("forest", 16, 1 | 5 << 24, "decision"),
            ("forest", 24, 0, "features"),
            ("forest", 24, 1, "feature 3"),
            ("forest", 28, 0, "scores"),
            ("forest", 32, 2, "labels"),
            ("forest", 36, 0x7FC00000, "scale"),
            ("forest", 44, 82, "labels outside"),
            ("forest", 52, 0, "nodes outside"),
            ("forest", 56, 1 << 31, "roots outside"),
            ("forest", 68, 1 << 30, "leaf rows"),
            ("forest", self.at("forest", 52) + 4, 0 | 1 << 16, "branch"),
            ("forest", self.at("forest", 52) + 4, 0 | 999 << 16, "branch"),
            ("forest", self.at("forest", 64), 1 << 30, "overflow"),
            ("logistic", 16, 2 | 1 << 24, "int16"),
            ("logistic", 48, 2, "rows"),
            ("logistic", self.at("logistic", 56), 1 << 30, "overflow"),
            ("logistic", self.at("logistic", 40), 0, "input scale 0"),
            ("neighbours", 20, 1, "neighbours"),
            ("neighbours", 20, 1 | 255 << 16, "neighbours"),
            ("neighbours", 68, 29, "shift"),
            ("neighbours", self.at("neighbours", 52), 0x8000, "centre"),
            ("neighbours", self.at("neighbours", 56), 3 << 30, "weight"),
            ("neighbours", self.at("neighbours", 64), 3, "class"),
            ("bayes", 72, 1, "weight step"),
            ("bayes", self.at("bayes", 56), 0xBFFFFFFF, "overflow"),
            ("bayes", self.at("bayes", 60) + 4, 1 << 30, "constant"),
            ("mixture", self.at("mixture", 52), 1 << 30, "overflow"),
            ("mixture_outliers", self.at("mixture_outliers", 64), 1 << 20, "softplus"),
        ):
            self.assert_refused(self.word(name, place, value), reason)

    def test_sealed_mutations_are_refused_or_run(self):
        """Right CRCs and wrong numbers: a ModelError, or a prediction without a crash."""
        numbers = noise(7)
        refused, ran = 0, 0
        for name in MODELS:
            good = hgl(name)
            for _ in range(100):
                data = bytearray(good)
                for _ in range(1 + next(numbers) % 3):
                    at = 16 + (next(numbers) << 8 | next(numbers)) % (len(data) - 16)
                    data[at] = (0, 1, 127, 128, 255, next(numbers))[next(numbers) % 6]
                try:
                    model = Predictor(sealed(data))
                except ModelError:
                    refused += 1
                    continue
                model.predict()
                ran += 1
        self.assertGreater(refused, 200)
        self.assertGreater(ran, 200)


if __name__ == "__main__":
    unittest.main()
