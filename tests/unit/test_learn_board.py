"""Learners of hedge.learn: statistics, neighbours, prototypes, half-space trees; resets."""

import array
import binascii
import math
import struct
import sys
import unittest

import store_folder

from hedge.core.errors import ModelError
from hedge.learn.halfspaces import HalfSpaces
from hedge.learn.neighbours import Neighbours
from hedge.learn.prototypes import Prototypes
from hedge.learn.running import EwmaStats, RunningStats
from hedge.store import KV

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    heap_lock = None

MICROPYTHON = sys.implementation.name == "micropython"


def noise(seed):
    """Bytes of a linear congruential generator (Numerical Recipes)."""
    while True:
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        yield seed >> 24


def vectors(count, features, seed):
    """Lists of int8."""
    numbers = noise(seed)
    return [array.array("b", [next(numbers) - 128 for _ in range(features)]) for _ in range(count)]


def squared(a, b):
    return sum([(p - q) ** 2 for p, q in zip(a, b)])


class RunningTest(unittest.TestCase):
    def taught(self, values):
        stats = RunningStats()
        for value in values:
            stats.update(value)
        return stats

    def test_equals_the_definition(self):
        numbers = noise(3)
        values = [(next(numbers) << 8 | next(numbers)) - 20000 for _ in range(400)]
        stats = self.taught(values)
        mean = sum(values) / 400
        variance = sum([(v - mean) ** 2 for v in values]) / 400
        self.assertAlmostEqual(stats.mean(), mean, delta=1e-6 * abs(mean))
        self.assertAlmostEqual(stats.variance(), variance, delta=1e-6 * variance)
        self.assertAlmostEqual(stats.deviation(), math.sqrt(variance), delta=1.0)
        self.assertEqual((stats.count, stats.least, stats.most), (400, min(values), max(values)))

    def test_sums_are_exact_at_the_limits(self):
        most = (1 << 29) - 1
        values = [most, -most, 3, -most, most, most, 0, -7] * 40
        stats = self.taught(values)
        shifted = [v - most for v in values]
        self.assertEqual(stats._exact(), (sum(shifted), sum([d * d for d in shifted])))

    def test_a_large_offset_costs_no_precision(self):
        stats = self.taught([100000000 + v for v in (4, 7, 13, 16)])  # a naive variance is wrong
        self.assertEqual(stats.variance(), 22.5)

    def test_missing_samples_and_none_at_all(self):
        stats = self.taught([None, 5, None, 7])
        self.assertEqual((stats.count, stats.mean(), stats.variance()), (2, 6.0, 1.0))
        empty = RunningStats()
        self.assertEqual((empty.mean(), empty.variance(), empty.deviation()), (None, None, None))
        self.assertFalse(empty.is_far(3, 1))

    def test_is_far_is_decided_exactly(self):
        stats = self.taught([9, 11])  # mean 10, deviation 1
        self.assertFalse(stats.is_far(14, 4))
        self.assertTrue(stats.is_far(15, 4))
        self.assertTrue(stats.is_far(5, 4))

    def test_merging_is_as_if_all_had_been_one(self):
        values = [value * 977 for vector in vectors(9, 20, 5) for value in vector]
        whole = self.taught(values)
        for cut in (0, 1, 77, 180):
            first, second = self.taught(values[:cut]), self.taught(values[cut:])
            first.merge(second)
            self.assertEqual(
                (first.count, first.least, first.most), (180, min(values), max(values))
            )
            self.assertEqual(first.variance(), whole.variance())
            self.assertAlmostEqual(first.mean(), whole.mean(), delta=1e-9 * max(values))

    def test_ewma_follows_and_knows_its_spread(self):
        stats, numbers, values = EwmaStats(4), noise(8), []
        mean, variance = 0.0, 0.0
        for i in range(600):
            x = 1000 + (next(numbers) - 128) * 2
            d = x - mean if i else 0.0
            mean = mean + d / 16 if i else float(x)
            variance = 15 / 16 * (variance + d * d / 16)  # West 1979
            stats.update(x)
            values.append(x)
        self.assertAlmostEqual(stats.mean, mean, delta=2)
        self.assertAlmostEqual(stats.variance, variance, delta=variance * 0.01)
        self.assertFalse(stats.is_far(1200, 4))
        self.assertTrue(stats.is_far(2200, 4))
        stats.update(None)
        self.assertAlmostEqual(stats.mean, mean, delta=2)

    def test_ewma_waits_until_it_has_settled(self):
        stats = EwmaStats(3)
        for _ in range(7):
            stats.update(50)
        self.assertFalse(stats.is_far(5000, 3))
        stats.update(50)
        self.assertTrue(stats.is_far(5000, 3))

    def test_ewma_stays_in_small_ints(self):
        for shift in (1, 4, 10):
            stats, most = EwmaStats(shift), (1 << (29 - shift)) - 1
            for i in range(3000):
                stats.update(most if i & 1 else -most)
                self.assertLess(abs(stats._mean), 1 << 30)
                self.assertLess(stats._variance, 1 << 30)

    def test_bad_shift(self):
        with self.assertRaises(ModelError):
            EwmaStats(11)


class NeighboursTest(unittest.TestCase):
    def test_equals_the_definition(self):
        rows = vectors(20, 6, 1)
        knn = Neighbours(6, 20, 3, k=5)
        for j, row in enumerate(rows):
            knn.add(row, j % 3)
        for x in vectors(60, 6, 2):
            order = sorted([(squared(x, row), j) for j, row in enumerate(rows)])[:5]
            votes = [sum([1 for _, j in order if j % 3 == label]) for label in range(3)]
            self.assertEqual(knn.predict(x), votes.index(max(votes)))
            self.assertEqual(knn.distance, order[0][0])

    def test_nothing_stored(self):
        self.assertIsNone(Neighbours(4, 5, 2).predict(array.array("b", bytes(4))))

    def test_fewer_than_k(self):
        knn = Neighbours(2, 5, 2, k=3)
        knn.add(array.array("b", (1, 1)), 1)
        self.assertEqual(knn.predict(array.array("b", (9, 9))), 1)

    def test_a_full_memory_drops_the_oldest_of_the_largest_class(self):
        knn = Neighbours(1, 4, 2, k=1)
        for value, label in ((10, 1), (20, 0), (30, 0), (40, 0), (50, 0)):
            knn.add(array.array("b", (value,)), label)
        kept = sorted([knn._rows[j] - 128 for j in range(4)])
        self.assertEqual(kept, [10, 30, 40, 50])
        knn.add(array.array("b", (60,)), 1)
        self.assertEqual(sorted([knn._rows[j] - 128 for j in range(4)]), [10, 40, 50, 60])

    def test_ages_survive_renumbering(self):
        knn = Neighbours(1, 3, 1, k=1)
        knn._now = (1 << 29) - 2
        for value in (1, 2, 3, 4):
            knn.add(array.array("b", (value,)), 0)
        self.assertEqual(sorted([knn._rows[j] - 128 for j in range(3)]), [2, 3, 4])
        self.assertLess(knn._now, 10)

    def test_bad_input(self):
        knn = Neighbours(2, 5, 2)
        for wrong in (lambda: knn.add(array.array("b", (1,)), 0), lambda: knn.predict(b"")):
            with self.assertRaises(ModelError):
                wrong()
        for label in (-1, 2):
            with self.assertRaises(ModelError):
                knn.add(array.array("b", (1, 2)), label)
        for sizes in ((0, 1, 1, 1), (2, 5, 2, 6), (2, 5, 256, 1), (5000, 5, 2, 1)):
            with self.assertRaises(ModelError):
                Neighbours(*sizes)


class PrototypesTest(unittest.TestCase):
    def test_equals_nearest_means(self):
        rows = vectors(40, 8, 3)
        heads = Prototypes(8, 4)
        for j, row in enumerate(rows):
            heads.add(row, j % 4)
        means = []
        for c in range(4):
            own = rows[c::4]
            means.append([sum([row[i] for row in own]) / len(own) for i in range(8)])
        for x in vectors(80, 8, 4):
            distances = [squared(x, mean) for mean in means]
            best = heads.predict(x)
            self.assertLess(distances[best] - min(distances), 0.02 * min(distances))
            self.assertAlmostEqual(
                heads.distance, distances[best], delta=distances[best] * 0.02 + 1
            )

    def test_a_class_comes_and_goes_at_run_time(self):
        heads = Prototypes(2, 3)
        x = array.array("b", (50, -50))
        self.assertIsNone(heads.predict(x))
        heads.add(array.array("b", (-60, 60)), heads.new_class())
        self.assertEqual(heads.predict(x), 0)
        label = heads.new_class()
        heads.add(x, label)
        self.assertEqual((label, heads.predict(x), heads.distance), (1, 1, 0))
        heads.forget(label)
        self.assertEqual((heads.predict(x), heads.new_class(), heads.examples(0)), (0, 1, 1))

    def test_old_examples_fade(self):
        heads = Prototypes(1, 1, memory=8)
        for value in (-100,) * 8 + (100,) * 60:
            heads.add(array.array("b", (value,)), 0)
        self.assertGreater(heads._means[0] / 16 - 128, 95)
        self.assertLess(heads.examples(0), 9)

    def test_extremes_stay_in_small_ints(self):
        heads = Prototypes(3, 1, memory=1 << 17)
        heads._counts[0] = (1 << 17) - 1
        for i in range(3):
            heads._sums[i] = 255 * heads._counts[0]
        for _ in range(3):
            heads.add(array.array("b", (127,) * 3), 0)
        self.assertEqual(heads.predict(array.array("b", (127,) * 3)), 0)
        self.assertLess(heads.distance, 2)

    def test_bad_input(self):
        heads = Prototypes(2, 2)
        with self.assertRaises(ModelError):
            heads.add(array.array("b", (1, 2)), 2)
        with self.assertRaises(ModelError):
            heads.predict(array.array("b", (1, 2, 3)))
        heads.add(array.array("b", (1, 2)), 0)
        heads.add(array.array("b", (1, 2)), 1)
        with self.assertRaises(ModelError):
            heads.new_class()


class HalfSpacesTest(unittest.TestCase):
    def stream(self, seed, count):
        """Two features around (100, 1000)."""
        numbers = noise(seed)
        return [
            array.array("h", (100 + next(numbers) % 20, 1000 + next(numbers) % 64))
            for _ in range(count)
        ]

    def taught(self):
        trees = HalfSpaces([(0, 1000), (0, 4000)], trees=8, depth=5, window=50)
        for x in self.stream(1, 60):
            trees.update(x)
        return trees

    def test_anomalies_score_low(self):
        trees = self.taught()
        usual = min([trees.score(x) for x in self.stream(2, 30)])
        for strange in ((800, 1000), (100, 3500), (900, 3900)):
            self.assertLess(trees.score(array.array("h", strange)), usual)

    def test_no_score_before_the_first_window(self):
        trees = HalfSpaces([(0, 1000), (0, 4000)], window=50)
        for x in self.stream(1, 49):
            self.assertIsNone(trees.score(x))
            trees.update(x)
        trees.update(x)
        self.assertTrue(trees.ready)
        self.assertGreater(trees.score(x), 0)

    def test_it_follows_a_change(self):
        trees = self.taught()
        new = array.array("h", (700, 3000))
        before = trees.score(new)
        for _ in range(100):
            trees.update(new)
        self.assertGreater(trees.score(new), 10 * before + 1)

    def test_bad_input(self):
        for ranges, depth, window in (
            ([], 5, 50),
            ([(5, 5)], 5, 50),
            ([(0, 40000)], 5, 50),
            ([(0, 5)], 13, 50),
            ([(0, 5)], 5, 9),
            ([(0, 5)], 12, 65535),
        ):
            with self.assertRaises(ModelError):
                HalfSpaces(ranges, 10, depth, window)
        with self.assertRaises(ModelError):
            self.taught().update(array.array("h", (1,)))


class Learners:
    """Name -> function that makes an empty one, and one that teaches it."""

    @staticmethod
    def all():
        return {
            "running": (RunningStats, lambda a: [a.update(v) for v in (5, -70000, 12345678, 3)]),
            "ewma": (lambda: EwmaStats(4), lambda a: [a.update(v * v) for v in range(40)]),
            "neighbours": (lambda: Neighbours(6, 7, 3), Learners.label),
            "prototypes": (lambda: Prototypes(6, 3), Learners.label),
            "halfspaces": (
                lambda: HalfSpaces([(-50, 50)] * 2, trees=3, depth=3, window=12),
                lambda a: [a.update(array.array("h", (i % 7, -i))) for i in range(20)],
            ),
        }

    @staticmethod
    def label(learner):
        for j, x in enumerate(vectors(10, 6, 9)):
            learner.add(x, j % 2)


def answers(learner):
    """What a learner says: equal before and after a reset."""
    if isinstance(learner, RunningStats):
        return (learner.count, learner.mean(), learner.variance(), learner.least, learner.most)
    if isinstance(learner, EwmaStats):
        return (learner.mean, learner.variance, learner.count)
    if isinstance(learner, HalfSpaces):
        return [learner.score(array.array("h", (i, -2 * i))) for i in range(10)]
    return [(learner.predict(x), learner.distance) for x in vectors(10, 6, 4)]


class ResetTest(unittest.TestCase):
    def test_knowledge_survives_a_reset_and_goes_on(self):
        folder = store_folder.fresh("learn")
        for name, (make, teach) in Learners.all().items():
            learner = make()
            teach(learner)
            kv = KV(folder + "/learn.kv")
            kv.set(name, learner.to_bytes())
            kv.save()
            again = make()
            again.restore(KV(folder + "/learn.kv").get(name))
            self.assertEqual(answers(again), answers(learner), name)
            teach(learner)
            teach(again)
            self.assertEqual(again.to_bytes(), learner.to_bytes(), name)
        store_folder.clear(folder)

    def test_an_empty_learner_survives_too(self):
        for name, (make, _) in Learners.all().items():
            again = make()
            again.restore(make().to_bytes())
            self.assertEqual(again.to_bytes(), make().to_bytes(), name)

    def test_save_into_takes_a_larger_buffer(self):
        stats = EwmaStats(4)
        buffer = bytearray(100)
        size = stats.save_into(buffer)
        self.assertEqual(bytes(buffer[:size]), stats.to_bytes())
        with self.assertRaises(ModelError):
            stats.save_into(bytearray(10))

    def test_torn_or_flipped_state_changes_nothing(self):
        for name, (make, teach) in Learners.all().items():
            learner = make()
            teach(learner)
            good = learner.to_bytes()
            fresh = make()
            for length in range(0, len(good), 1 + len(good) // 90):
                with self.assertRaises(ModelError):
                    fresh.restore(good[:length])
            data = bytearray(good)
            for i in range(0, len(data), 1 + len(data) // 150):
                data[i] ^= 1 << i % 8
                with self.assertRaises(ModelError):
                    fresh.restore(bytes(data))
                data[i] ^= 1 << i % 8
            with self.assertRaises(ModelError):
                fresh.restore(good + b"\0")
            self.assertEqual(fresh.to_bytes(), make().to_bytes(), name)

    def test_state_of_another_learner(self):
        made = Learners.all()
        for name, (make, _) in made.items():
            for other, (foreign, _) in made.items():
                if other != name:
                    with self.assertRaises(ModelError):
                        make().restore(foreign().to_bytes())
        for wrong, right in (
            (EwmaStats(5), EwmaStats(4)),
            (Neighbours(5, 6, 2), Neighbours(6, 5, 2)),
            (Prototypes(2, 3), Prototypes(3, 2)),
            (HalfSpaces([(0, 9)], seed=1), HalfSpaces([(0, 9)], seed=2)),
        ):
            with self.assertRaises(ModelError):
                right.restore(wrong.to_bytes())

    def test_resealed_state_is_refused_or_safe_to_use(self):
        """A right CRC proves nothing: whatever restores must predict and learn without a fault."""
        numbers = noise(6)
        refused, ran = 0, 0
        for make, teach in Learners.all().values():
            learner = make()
            teach(learner)
            good = learner.to_bytes()
            for _ in range(120):
                data = bytearray(good)
                for _ in range(1 + next(numbers) % 3):
                    at = 16 + (next(numbers) << 8 | next(numbers)) % (len(data) - 16)
                    data[at] = (0, 1, 127, 128, 255, next(numbers))[next(numbers) % 6]
                crc = binascii.crc32(bytes(data[16:]), binascii.crc32(bytes(data[:12])))
                struct.pack_into("<I", data, 12, crc & 0xFFFFFFFF)
                again = make()
                try:
                    again.restore(bytes(data))
                except ModelError:
                    refused += 1
                    continue
                teach(again)
                answers(again)
                ran += 1
        self.assertGreater(refused, 50)
        self.assertGreater(ran, 50)


@unittest.skipIf(not MICROPYTHON, "needs the MicroPython heap lock and viper")
class ViperTest(unittest.TestCase):
    def locked(self, work, a, b=None):
        """work(a) or work(a, b); a call with *args would allocate itself."""
        heap_lock()
        try:
            if b is None:
                work(a)
            else:
                work(a, b)
        finally:
            heap_unlock()

    def test_learning_and_predicting_do_not_allocate(self):
        x, sample = vectors(1, 6, 1)[0], array.array("h", (3, -4))
        for name, (make, teach) in Learners.all().items():
            learner = make()
            teach(learner)
            if name in ("neighbours", "prototypes"):
                self.locked(learner.add, x, 1)
                self.locked(learner.predict, x)
            elif name == "halfspaces":
                self.locked(learner.update, sample)
                self.locked(learner.score, sample)
            else:
                self.locked(learner.update, -123456)

    def test_kernels_equal_portable(self):
        from hedge.learn import portable_int8, portable_path, viper_int8, viper_path

        numbers = noise(4)
        rows = bytearray([next(numbers) for _ in range(60)])
        means = array.array("H", [next(numbers) << 4 for _ in range(60)])
        counts = array.array("i", [next(numbers) % 3 for _ in range(10)])
        a, b = array.array("i", bytes(40)), array.array("i", bytes(40))
        for x in vectors(50, 6, 7):
            portable_int8.squares(rows, x, a, 10, 6)
            viper_int8.squares(rows, x, b, 10, 6)
            self.assertEqual(a, b)
            for after, place in ((-1, -1), (a[3], 3), (a[9], 2)):
                wanted = portable_int8.least(a, 10, after, place)
                self.assertEqual(viper_int8.least(a, 10, after, place), wanted)
            wanted = portable_int8.nearest_mean(means, counts, x, a, 10, 6)
            self.assertEqual(viper_int8.nearest_mean(means, counts, x, b, 10, 6), wanted)
            self.assertEqual(a[:2], b[:2])
        trees = HalfSpaces([(-99, 99)] * 3, trees=4, depth=4, window=20, small=1)
        parts = (trees._features, trees._thresholds)
        mass, mass2 = array.array("H", bytes(248)), array.array("H", bytes(248))
        for i in range(60):
            x = array.array("h", [next(numbers) - 128 for _ in range(3)])
            for learn in (0, 1):
                wanted = portable_path.path(*parts, mass, x, trees._shape, learn)
                self.assertEqual(viper_path.path(*parts, mass2, x, trees._shape, learn), wanted)
            self.assertEqual(mass, mass2, str(i))


if __name__ == "__main__":
    unittest.main()
