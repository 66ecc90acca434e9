"""Wrong numbers under a right CRC, in every field of every op: a ModelError, or a run in bounds.

The models are those of infer_ops.json.
"""

import array
import binascii
import gc
import json
import struct
import sys
import unittest

from hedge.core.errors import ModelError
from hedge.infer import Model, plan

MICROPYTHON = sys.implementation.name == "micropython"
FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
GUARD = 64  # bytes before and behind the arena that must stay as they are
GARBAGE = 2000  # bytes that a record's checks may leave on average, in 64-bit words; measured 1508
CHECKS = 2000 if MICROPYTHON else 20000  # files that only load
RUNS = 1500 if MICROPYTHON else 300  # files that also run
MOST_WORK = 3000  # bytes of arena of a file that runs: plain Python is slow
BYTES = (0, 1, 2, 3, 4, 127, 128, 255)


def load():
    with open(FOLDER + "/infer_ops.json") as file:
        cases = json.load(file)
    return [binascii.unhexlify(cases[name]["hgm"]) for name in sorted(cases)]


FILES = load()


def seal(data):
    """A right CRC in place, as an attacker would make it."""
    struct.pack_into("<I", data, 12, binascii.crc32(memoryview(data)[16:]) & 0xFFFFFFFF)


def noise(seed):
    """Bytes of a linear congruential generator (Numerical Recipes)."""
    while True:
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        yield seed >> 24


def plan_bytes(data):
    """Byte offsets of the header from 16 on and of the whole plan."""
    header = plan.check(data)
    end = plan.HEADER_BYTES
    for _, at, words in plan.records(data, header[plan.OP_COUNT] + header[plan.RESET_COUNT]):
        end = at + 4 * words
    return 16, end


def mutants(count, seed):
    """Yields files, in turn, with one or two wrong bytes or one wrong word in header or plan."""
    numbers = noise(seed)
    spans = [plan_bytes(data) for data in FILES]
    for i in range(count):
        data = bytearray(FILES[i % len(FILES)])
        first, last = spans[i % len(FILES)]
        for _ in range(1 + next(numbers) % 2):
            at = first + (next(numbers) << 8 | next(numbers)) % (last - first)
            kind = next(numbers) % 10
            if kind == 9:
                struct.pack_into("<I", data, at & ~3, 0xFFFFFFFF >> next(numbers) % 32)
            else:
                data[at] = next(numbers) if kind == 8 else BYTES[kind]
        seal(data)
        yield data


class HostileTest(unittest.TestCase):
    def test_every_mutant_is_checked_without_another_error(self):
        refused = 0
        for data in mutants(CHECKS, 3):
            try:
                plan.check(data)
            except ModelError:
                refused += 1
        self.assertGreater(refused, CHECKS // 3)
        self.assertLess(refused, CHECKS)

    def test_what_is_accepted_runs_in_bounds(self):
        ran = 0
        for data in mutants(RUNS, 5):
            try:
                size = plan.check(data)[plan.ARENA_BYTES]
            except ModelError:
                continue
            if size < MOST_WORK:
                ran += 1
                self.run_guarded(data, size)
        self.assertGreater(ran, RUNS // 20)

    def run_guarded(self, data, size):
        """With guards before and behind the arena, also where the model has state."""
        whole = array.array("b", bytes(size + 2 * GUARD))
        model = Model(data)
        model.arena = memoryview(whole)[GUARD : GUARD + size]
        model.reset()
        model.invoke()
        for i in range(GUARD):
            self.assertEqual((whole[i], whole[GUARD + size + i]), (0, 0))

    def test_sound_files_keep_their_guards(self):
        for data in FILES:
            self.run_guarded(data, plan.check(data)[plan.ARENA_BYTES])

    @unittest.skipIf(not MICROPYTHON, "needs MicroPython's gc.mem_alloc")
    def test_checks_leave_little_garbage(self):
        """4,745 bytes a record while checks that pass made texts: no piece for an arena."""
        count = garbage = 0
        for data in FILES:
            header = plan.check(data)  # the checks are loaded now
            count += header[plan.OP_COUNT] + header[plan.RESET_COUNT]
            gc.collect()
            gc.disable()
            before = gc.mem_alloc()
            plan.check(data)
            garbage += gc.mem_alloc() - before
            gc.enable()
        self.assertLess(garbage, count * GARBAGE)

    def test_truncated_and_flipped(self):
        for data in FILES:
            for cut in range(0, len(data), 41):
                self.assertRaises(ModelError, plan.check, data[:cut])
            for at in range(0, len(data), 13):
                flipped = bytearray(data)
                flipped[at] ^= 1 << at % 8
                self.assertRaises(ModelError, plan.check, flipped)


if __name__ == "__main__":
    unittest.main()
