"""The learners of hedge.learn beside definitions that are not ours or are plain NumPy; and their
viper kernels on 32-bit words."""

import array
import importlib

import numpy as np
import pytest
from sklearn import datasets
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from viper_words import Machine, Word, Word64, copies

from hedge.learn.halfspaces import HalfSpaces
from hedge.learn.neighbours import Neighbours
from hedge.learn.prototypes import Prototypes
from hedge.learn.running import RunningStats


def int8_set(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A scikit-learn data set, each feature spread over int8."""
    rows, classes = getattr(datasets, f"load_{name}")(return_X_y=True)
    low, high = rows.min(axis=0), rows.max(axis=0)
    spread = (rows - low) / np.where(high > low, high - low, 1)
    return np.round(spread * 255 - 128).astype(np.int8), classes


def vector(row: np.ndarray) -> array.array:
    return array.array("b", row.tobytes())


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_neighbours_equal_scikit_learn(name: str) -> None:
    rows, classes = int8_set(name)
    kept, asked = slice(0, None, 2), rows[1::2]
    board = Neighbours(rows.shape[1], len(rows[kept]), 3, k=3)
    for row, label in zip(rows[kept], classes[kept], strict=True):
        board.add(vector(row), int(label))
    peer = KNeighborsClassifier(3, algorithm="brute").fit(rows[kept].astype(float), classes[kept])
    distances, _ = peer.kneighbors(asked.astype(float), 4)
    clear = distances[:, 3] > distances[:, 2]  # the fourth ties with the third: either may count
    got = np.array([board.predict(vector(row)) for row in asked])
    assert clear.mean() > 0.9
    assert np.array_equal(got[clear], peer.predict(asked.astype(float))[clear])


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_prototypes_equal_nearest_centroid(name: str) -> None:
    rows, classes = int8_set(name)
    board = Prototypes(rows.shape[1], int(classes.max()) + 1)
    for row, label in zip(rows, classes, strict=True):
        board.add(vector(row), int(label))
    got = np.array([board.predict(vector(row)) for row in rows])
    wanted = NearestCentroid().fit(rows.astype(float), classes).predict(rows.astype(float))
    assert np.array_equal(got, wanted)


def test_running_stats_equal_numpy() -> None:
    samples = np.random.default_rng(4).normal(101_325, 40, 5000).astype(int)  # pressure, Pa
    stats = RunningStats()
    for sample in samples:
        stats.update(int(sample))
    assert stats.mean() == pytest.approx(samples.mean(), rel=1e-14)
    assert stats.variance() == pytest.approx(samples.var(), rel=1e-12)


class PlainTrees:
    """Half-space trees as Tan, Ting and Liu define them, in NumPy; nodes breadth first.

    The random numbers are the board's generator, here with long ints.
    """

    def __init__(self, ranges, trees: int, depth: int, window: int, small: int, seed: int) -> None:
        self.depth, self.window, self.small, self.count = depth, window, small, 0
        self.state = seed % 2147483646 + 1
        nodes = 2 ** (depth + 1) - 1
        self.q = np.zeros((trees, nodes), dtype=int)
        self.p = np.zeros((trees, nodes), dtype=int)
        self.r, self.latest = np.zeros((trees, nodes), int), np.zeros((trees, nodes), int)
        for t in range(trees):
            work = []
            for low, high in ranges:
                s = low + self.below(high - low + 1)
                wide = 2 * max(s - low, high - s)
                work.append((max(s - wide, -32768), min(s + wide, 32767)))
            self.grow(t, 0, 0, work)

    def below(self, limit: int) -> int:
        self.state = 16807 * self.state % 2147483647
        return (self.state >> 8) % limit

    def grow(self, t: int, node: int, level: int, work: list) -> None:
        if level == self.depth:
            return
        q = self.below(len(work))
        low, high = work[q]
        self.q[t, node], self.p[t, node] = q, np.floor((low + high) / 2)
        for child, side in ((1, (low, self.p[t, node])), (2, (self.p[t, node], high))):
            self.grow(t, 2 * node + child, level + 1, [*work[:q], side, *work[q + 1 :]])

    def path(self, t: int, x) -> list[int]:
        nodes = [0]
        for _ in range(self.depth):
            node = nodes[-1]
            nodes.append(2 * node + (1 if x[self.q[t, node]] < self.p[t, node] else 2))
        return nodes

    def update(self, x) -> None:
        for t in range(len(self.q)):
            self.latest[t, self.path(t, x)] += 1
        self.count += 1
        if self.count == self.window:
            self.r, self.latest, self.count = self.latest, np.zeros_like(self.r), 0

    def score(self, x) -> int:
        total = 0
        for t in range(len(self.q)):
            masses = self.r[t, self.path(t, x)]
            level = int(np.argmax(np.append(masses[:-1] <= self.small, True)))
            total += masses[level] * 2**level
        return int(total)


@pytest.mark.parametrize("seed", [1, 77, 123_456_789])
def test_half_spaces_equal_the_plain_definition(seed: int) -> None:
    chance = np.random.default_rng(seed)
    ranges = [(-500, 4500), (0, 10_000), (-32_000, 32_000)]
    board = HalfSpaces(ranges, trees=6, depth=5, window=40, seed=seed)
    plain = PlainTrees(ranges, 6, 5, 40, 4, seed)
    for _ in range(130):
        x = [int(chance.normal(high / 3, high / 12)) for _, high in ranges]
        x = np.clip(x, -32_768, 32_767).tolist()
        if board.ready:
            assert board.score(array.array("h", x)) == plain.score(x)
        board.update(array.array("h", x))
        plain.update(x)


def test_half_spaces_find_malignant_cells() -> None:
    """One class that comes in a stream of benign ones; the ranking separates them."""
    rows, benign = datasets.load_breast_cancer(return_X_y=True)
    low, high = rows.min(axis=0), rows.max(axis=0)
    ints = np.round((rows - low) / (high - low) * 1000).astype(int)
    board = HalfSpaces([(0, 1000)] * rows.shape[1], trees=25, depth=7, window=200, seed=3)
    for row in ints[benign == 1][:200]:
        board.update(array.array("h", row.tolist()))
    shown = np.concatenate([ints[benign == 1][200:], ints[benign == 0][:40]])
    truth = np.arange(len(shown)) >= (benign == 1).sum() - 200
    scores = [board.score(array.array("h", row.tolist())) for row in shown]
    assert roc_auc_score(truth, -np.array(scores)) > 0.9


def kernel_calls(seed: int) -> list[tuple[str, str, tuple]]:
    """(file, function, arguments), extremes among them."""
    chance = np.random.default_rng(seed)
    n, count = 9, 7
    rows = array.array("B", chance.integers(0, 256, count * n, dtype=np.uint8).tobytes())
    x = array.array("b", chance.choice([-128, 127, -1, 5], n).astype(np.int8).tobytes())
    out = array.array("i", chance.integers(0, 1 << 29, count).tolist())
    means = array.array("H", chance.choice([0, 4096, 2048, 77], count * n).tolist())
    counts = array.array("i", chance.integers(0, 2, count).tolist())
    trees = HalfSpaces([(-32_767, 32_767)] * 3, trees=3, depth=3, window=60_000, small=5)
    masses = array.array("H", chance.integers(0, 60_000, len(trees._latest)).tolist())
    sample = array.array("h", chance.choice([-32_768, 32_767, 0, -9], 3).tolist())
    walk = (array.array("B", trees._features), trees._thresholds, masses, sample, trees._shape)
    return [
        ("int8", "squares", (rows, x, out, count, n)),
        ("int8", "least", (out, count, -1, -1)),
        ("int8", "least", (out, count, out[2], 2)),
        ("int8", "nearest_mean", (means, counts, x, out, count, n)),
        ("path", "path", (*walk, 0)),
        ("path", "path", (*walk, 1)),
    ]


@pytest.mark.parametrize("word", [Word, Word64])
@pytest.mark.parametrize("seed", range(8))
def test_kernels_equal_portable_on_both_word_sizes(seed: int, word: type[Word]) -> None:
    for file, name, args in kernel_calls(seed):
        mine, theirs = copies(args), copies(args)
        portable = getattr(importlib.import_module(f"hedge.learn.portable_{file}"), name)
        wanted = portable(*mine)
        got = Machine(word, f"hedge/learn/viper_{file}.py").call(name, *theirs)
        assert (got, theirs) == (wanted, mine), name
