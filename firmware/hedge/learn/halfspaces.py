"""Half-space trees: finds anomalies in a stream, learns as it goes, keeps no samples.

    trees = HalfSpaces([(-500, 4500), (0, 10000)], seed=1)    # range of every feature
    trees.update(sample)          # array("h") of ints; None never
    score = trees.score(sample)   # None until the first window is full; low is anomalous

Source: Tan, Ting, Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011: algorithms 1 to 3.
The board differs in three places: ints, thresholds rounded down; random numbers of the generator
below, so that trees need not be saved; a work range kept within int16.
"""

import array
import struct

from ..core.errors import ModelError
from ..dsp.choose import kernels
from . import saved
from .int8 import PACKAGE

_LIMIT = 32767
_MAX_DEPTH = 12
_MAX_MASS = 65535


class HalfSpaces(saved.Saved):
    """trees half-space trees of the given depth over features with `ranges` [(low, high)].

    update() counts the sample in every node that it passes; after `window` samples these counts
    become the reference that score() reads: the sum over trees of count * 2**depth at the first
    node with at most `small` samples, or at the leaf. Neither allocates with viper.
    RAM: trees * 2**depth * 11 bytes.
    """

    _kind = saved.HALF_SPACES

    def __init__(self, ranges, trees=10, depth=6, window=250, small=None, seed=1):
        _check(ranges, trees, depth, window)
        self._path = kernels("path", PACKAGE).path
        self._n = len(ranges)
        small = window // 10 if small is None else max(small, 0)
        self._shape = array.array("i", (trees, depth, small))
        self._window = window
        self._seed = seed & 0x7FFFFFFF
        inner, nodes = (1 << depth) - 1, (2 << depth) - 1
        self._features = bytearray(trees * inner)
        self._thresholds = array.array("h", bytes(2 * trees * inner))
        self._reference = array.array("H", bytes(2 * trees * nodes))
        self._latest = array.array("H", bytes(2 * trees * nodes))
        self.count = 0  # samples in the open window
        self.ready = False  # there is a reference
        self._grow(ranges)

    def _grow(self, ranges):
        """Features and thresholds of all inner nodes, breadth first: node i has 2i + 1, 2i + 2."""
        trees, depth, _ = self._shape
        inner = (1 << depth) - 1
        random = _Random(self._seed)
        for t in range(trees):
            box = [_work_range(low, high, random) for low, high in ranges]
            self._split(t * inner, 0, inner, box, random)

    def _split(self, start, i, inner, box, random):
        if i >= inner:
            return
        q = random.below(self._n)
        low, high = box[q]
        middle = (low + high) >> 1
        self._features[start + i] = q
        self._thresholds[start + i] = middle
        for child, side in ((2 * i + 1, (low, middle)), (2 * i + 2, (middle, high))):
            box[q] = side
            self._split(start, child, inner, box, random)
        box[q] = (low, high)

    def update(self, x):
        """Learn one sample, array("h"). Raises ModelError if its length is wrong."""
        self._check_sample(x)
        self._run(x, 1)
        self.count += 1
        if self.count >= self._window:
            for i in range(len(self._latest)):
                self._reference[i] = self._latest[i]
                self._latest[i] = 0
            self.count = 0
            self.ready = True

    def score(self, x):
        """Int, large where many samples of the last window were; None until ready."""
        self._check_sample(x)
        return self._run(x, 0) if self.ready else None

    def _run(self, x, learn):
        masses = self._latest if learn else self._reference
        return self._path(self._features, self._thresholds, masses, x, self._shape, learn)

    def _check_sample(self, x):
        if len(x) != self._n:
            raise ModelError("%d values, there are %d features" % (len(x), self._n))

    def _size(self):
        return 24 + 4 * len(self._latest)

    def _head(self):
        return (self._n, self._shape[0], self._shape[1], self._window, self._seed)

    def _store(self, buffer, at):
        state = self.count << 1 | (1 if self.ready else 0)
        struct.pack_into("<6i", buffer, at, *(self._head() + (state,)))
        at += 24
        for masses in (self._reference, self._latest):
            for i in range(len(masses)):
                struct.pack_into("<H", buffer, at + 2 * i, masses[i])
            at += 2 * len(masses)

    def _load(self, data, at):
        head = struct.unpack_from("<6i", data, at)
        saved.need(head[:5] == self._head(), "of other trees")
        saved.need(0 <= head[5] >> 1 < self._window, "count")
        at += 24
        size = len(self._latest)
        for i in range(2 * size):
            mass = struct.unpack_from("<H", data, at + 2 * i)[0]
            saved.need(mass <= (self._window if i < size else head[5] >> 1), "count of a node")
        for i in range(size):
            self._reference[i] = struct.unpack_from("<H", data, at + 2 * i)[0]
            self._latest[i] = struct.unpack_from("<H", data, at + 2 * (size + i))[0]
        self.count, self.ready = head[5] >> 1, bool(head[5] & 1)


def _check(ranges, trees, depth, window):
    if not 0 < len(ranges) <= 256:
        raise ModelError("half-space trees: %d features, possible are 1 .. 256" % len(ranges))
    for low, high in ranges:
        if not -_LIMIT <= low < high <= _LIMIT:
            raise ModelError("half-space trees: range (%r, %r)" % (low, high))
    if not (0 < depth <= _MAX_DEPTH and trees > 0 and 10 <= window <= _MAX_MASS):
        raise ModelError("half-space trees: depth 1 .. 12, window 10 .. 65535, at least one tree")
    if trees * window << depth >= 1 << 30:
        raise ModelError("half-space trees: trees * window * 2**depth reaches 2**30")


def _work_range(low, high, random):
    """The range around a random point s, 2 * max(s - low, high - s) to either side (section 3)."""
    s = low + random.below(high - low + 1)
    wide = 2 * max(s - low, high - s)
    return max(s - wide, -_LIMIT - 1), min(s + wide, _LIMIT)


class _Random:
    """Park and Miller's minimal standard generator (1988), by Schrage's method: no long ints."""

    def __init__(self, seed):
        self._state = seed % 2147483646 + 1

    def below(self, limit):
        """0 .. limit - 1; limit up to 65535."""
        high, low = self._state // 127773, self._state % 127773
        state = 16807 * low - 2836 * high
        self._state = state if state > 0 else state + 2147483647
        return (self._state >> 8) % limit
