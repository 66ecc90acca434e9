"""Every op of a .hgm on a small model: TFLM's outputs, no heap, hostile numbers.

infer_ops.json is written by tests/host/test_infer_vectors.py.
"""

import array
import binascii
import json
import struct
import sys
import unittest

from hedge.core.errors import ModelError
from hedge.infer import Model, ops, portable

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    heap_lock = None

MICROPYTHON = sys.implementation.name == "micropython"
FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
GUARD = 64  # bytes behind the arena that must stay as they are


def load():
    with open(FOLDER + "/infer_ops.json") as file:
        return json.load(file)


VECTORS = load()
FILE = binascii.unhexlify(VECTORS["hgm"])


def sealed(data):
    """The file with a right CRC, as an attacker would make it."""
    data = bytearray(data)
    struct.pack_into("<I", data, 12, binascii.crc32(bytes(data[16:])) & 0xFFFFFFFF)
    return bytes(data)


def records():
    """[(number, byte offset, words)] of the plan."""
    found, at = [], 64
    for _ in range(struct.unpack_from("<I", FILE, 20)[0]):
        number, words = struct.unpack_from("<HH", FILE, at)
        found.append((number, at, words))
        at += 4 * words
    return found


def record(number):
    return [(at, words) for found, at, words in records() if found == number][0]


def changed(number, word, value):
    """FILE with one word of the first record of this op set, sealed."""
    data = bytearray(FILE)
    struct.pack_into("<i", data, record(number)[0] + 4 * word, value)
    return sealed(data)


def fill(model, values):
    for i, value in enumerate(values):
        model.input[i] = value


def noise(seed):
    """Bytes of a linear congruential generator (Numerical Recipes)."""
    while True:
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        yield seed >> 24


class OpsTest(unittest.TestCase):
    def test_model_has_every_op(self):
        self.assertEqual({number for number, _, _ in records()}, set(ops.OPS))

    def test_equals_tflm(self):
        model = Model(FILE)
        for x, y in zip(VECTORS["input"], VECTORS["output"]):
            fill(model, x)
            model.invoke()
            self.assertEqual(list(model.output), y)

    def test_portable_equals_tflm(self):
        model = Model(FILE)
        for x, y in zip(VECTORS["input"][:3], VECTORS["output"]):
            fill(model, x)
            portable.run(FILE, model._arena, model._op_count)
            self.assertEqual(list(model.output), y)

    @unittest.skipIf(heap_lock is None, "needs the MicroPython heap lock")
    def test_invoke_does_not_allocate(self):
        model = Model(FILE)
        model.invoke()
        heap_lock()
        try:
            model.invoke()
        finally:
            heap_unlock()


class HostileTest(unittest.TestCase):
    def assert_refused(self, data, reason):
        with self.assertRaises(ModelError) as caught:
            Model(data)
        self.assertIn(reason, str(caught.exception))

    def test_image_reasons(self):
        for number, name in ((ops.CONV, "conv"), (ops.DEPTHWISE, "depthwise")):
            for word, value, reason in (
                (1, 1 << 20, "input outside"),
                (2, -1, "output outside"),
                (3, 0, "shape"),
                (5, 1 << 30, "weights outside"),
                (6, 2, "unaligned"),
                (7, len(FILE), "multipliers outside"),
                (9, 300, "clamp"),
                (12, 0, "window: image"),
                (13, 1 << 16, "window: image"),
                (14, 0, "channels"),
                (15, 256, "window: kernel"),
                (17, 0, "window: kernel"),
                (20, -1, "window: kernel"),
                (21, -1, "window: padding"),
                (23, 30000, "output outside"),
                (25, 128, "fill"),
                (26, -4, "scratch outside"),
                (27, 2, "fill"),
                (27, 0, "needs scratch"),
            ):
                self.assert_refused(changed(number, word, value), reason)
            self.assert_refused(changed(number, 15, 2), name + ": kernel")

    def test_scratch_may_not_lie_in_the_input(self):
        at = record(ops.CONV)[0]
        src = struct.unpack_from("<i", FILE, at + 4)[0]
        self.assert_refused(changed(ops.CONV, 26, src), "scratch overlaps")

    def test_pool_reasons(self):
        for word, value, reason in (
            (1, -1, "input outside"),
            (3, 2, "shape"),
            (7, 0, "window: kernel"),
            (11, 2, "nothing under the kernel"),
            (13, 4, "nothing under the kernel"),
            (16, -200, "clamp"),
            (17, 1, "shape"),
        ):
            self.assert_refused(changed(ops.POOL, word, value), reason)

    def test_add_reasons(self):
        for word, value, reason in (
            (3, 1 << 20, "input outside"),
            (4, 0, "shape"),
            (5, 6, "unaligned"),
            (6, len(FILE) & ~3, "table outside"),
            (7, 5, "multiplier"),
            (8, 31, "shift"),
        ):
            self.assert_refused(changed(ops.ADD, word, value), reason)

    def test_softmax_reasons(self):
        for word, value, reason in (
            (3, 0, "shape"),
            (4, 512, "shape"),
            (4, 500, "input outside"),
            (5, 64, "table"),
        ):
            self.assert_refused(changed(ops.SOFTMAX, word, value), reason)

    def test_softmax_of_a_zero_table_is_refused(self):
        """Its sum would be 0, and the kernel's search for the leading bit would not end."""
        data = bytearray(FILE)
        at = struct.unpack_from("<i", FILE, record(ops.SOFTMAX)[0] + 20)[0]
        struct.pack_into("<i", data, at, 0)
        self.assert_refused(sealed(data), "softmax: table")

    def test_sealed_mutations_are_refused_or_run_in_bounds(self):
        """Wrong words under a right CRC: a ModelError, or guard bytes stay as they are."""
        numbers = noise(11)
        plan = [at + 4 * word for _, at, words in records() for word in range(1, words)]
        refused = 0
        rounds = 1500 if MICROPYTHON else 150
        for _ in range(rounds):
            data = bytearray(FILE)
            for _ in range(1 + next(numbers) % 2):
                at = plan[(next(numbers) << 8 | next(numbers)) % len(plan)]
                byte = at + (0, 0, 0, 1, 2, 3)[next(numbers) % 6]
                data[byte] = (0, 1, 2, 127, 128, 255, next(numbers))[next(numbers) % 7]
            refused += self.run_guarded(sealed(data))
        self.assertGreater(refused, rounds // 4)
        self.assertLess(refused, rounds)

    def run_guarded(self, data):
        """1 if refused; else runs the model and looks at the guard."""
        size = struct.unpack_from("<I", data, 16)[0]
        arena = array.array("b", bytes(size + GUARD))
        try:
            model = Model(data, arena)
        except ModelError:
            return 1
        model.invoke()
        for i in range(size, size + GUARD):
            self.assertEqual(arena[i], 0)
        return 0


if __name__ == "__main__":
    unittest.main()
