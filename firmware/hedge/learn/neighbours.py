"""k nearest neighbours that learns on the board, with a bounded memory.

knn = Neighbours(features=24, capacity=60, classes=3, k=3)
knn.add(vector, label)           # array("b") or a memoryview of int8
label = knn.predict(vector)      # None while nothing is stored
"""

import array
import struct

from ..core.errors import ModelError
from ..dsp.choose import kernels
from . import saved
from .int8 import PACKAGE, check_shape, check_vector

_MAX_CAPACITY = 4096
_MAX_CLASSES = 255
_OLD = 1 << 29  # stamps are made small again from here on


class Neighbours(saved.Saved):
    """Stores up to `capacity` int8 vectors with labels 0 .. classes - 1.

    When it is full, the oldest vector of the class that has most of them goes (of the lowest such
    class): rare classes keep theirs, and what drifts is followed. .distance: squared distance of
    the last predict() to the nearest vector, which tells what was never seen.
    add() and predict() do not allocate with viper. RAM: capacity * (features + 9) bytes.
    """

    _kind = saved.NEIGHBOURS

    def __init__(self, features, capacity, classes, k=3):
        check_shape(features, capacity, _MAX_CAPACITY)
        check_shape(features, classes, _MAX_CLASSES)
        if not 0 < k <= capacity:
            raise ModelError("k = %r, possible are 1 .. %d" % (k, capacity))
        kernel = kernels("int8", PACKAGE)
        self._squares, self._least = kernel.squares, kernel.least
        self._n = features
        self._k = k
        self.count = 0
        self.distance = None
        self._rows = bytearray(capacity * features)  # value + 128
        self._labels = bytearray(capacity)
        self._stamps = array.array("i", bytes(4 * capacity))
        self._now = 0
        self._work = array.array("i", bytes(4 * max(capacity, classes)))
        self._votes = bytearray(classes)

    def add(self, x, label):
        """Store one vector. Raises ModelError if its length or the label is wrong."""
        check_vector(x, self._n)
        if not 0 <= label < len(self._votes):
            raise ModelError("label %r, there are %d classes" % (label, len(self._votes)))
        place = self._place()
        start = place * self._n
        for i in range(self._n):
            self._rows[start + i] = x[i] + 128
        self._labels[place] = label
        self._stamps[place] = self._now
        self._now += 1
        if self._now >= _OLD:
            self._renumber()

    def _place(self):
        """A free place, or that of the vector that goes."""
        if self.count < len(self._labels):
            self.count += 1
            return self.count - 1
        crowd = self._crowded()
        oldest = -1
        for j in range(self.count):
            if self._labels[j] == crowd and (oldest < 0 or self._stamps[j] < self._stamps[oldest]):
                oldest = j
        return oldest

    def _crowded(self):
        """The class with most vectors."""
        sizes, classes = self._work, len(self._votes)
        for label in range(classes):
            sizes[label] = 0
        for j in range(self.count):
            sizes[self._labels[j]] += 1
        best = 0
        for label in range(1, classes):
            if sizes[label] > sizes[best]:
                best = label
        return best

    def _renumber(self):
        order = sorted([(self._stamps[j], j) for j in range(self.count)])
        for now, (_, j) in enumerate(order):
            self._stamps[j] = now
        self._now = self.count

    def predict(self, x):
        """Label of most of the k nearest, the lowest of equals; None while nothing is stored."""
        check_vector(x, self._n)
        if not self.count:
            return None
        self._squares(self._rows, x, self._work, self.count, self._n)
        votes = self._votes
        for label in range(len(votes)):
            votes[label] = 0
        after, place = -1, -1
        for i in range(min(self._k, self.count)):
            place = self._least(self._work, self.count, after, place)
            after = self._work[place]
            if not i:
                self.distance = after
            votes[self._labels[place]] += 1
        best = 0
        for label in range(1, len(votes)):
            if votes[label] > votes[best]:
                best = label
        return best

    def _size(self):
        return 20 + len(self._labels) * (self._n + 5)

    def _store(self, buffer, at):
        capacity = len(self._labels)
        sizes = (self._n, capacity, len(self._votes), self.count, self._now)
        struct.pack_into("<5i", buffer, at, *sizes)
        at += 20
        for j in range(capacity):
            struct.pack_into("<iB", buffer, at + 5 * j, self._stamps[j], self._labels[j])
        at += 5 * capacity
        buffer[at : at + len(self._rows)] = self._rows

    def _load(self, data, at):
        capacity = len(self._labels)
        features, places, classes, count, now = struct.unpack_from("<5i", data, at)
        same = (features, places, classes) == (self._n, capacity, len(self._votes))
        saved.need(same, "of a learner of another size")
        saved.need(0 <= count <= capacity and 0 <= now < _OLD, "count")
        at += 20
        for j in range(capacity):
            stamp, label = struct.unpack_from("<iB", data, at + 5 * j)
            saved.need(0 <= stamp < _OLD and label < classes, "label or age of a vector")
        for j in range(capacity):
            self._stamps[j], self._labels[j] = struct.unpack_from("<iB", data, at + 5 * j)
        at += 5 * capacity
        self._rows[:] = data[at : at + len(self._rows)]
        self.count, self._now, self.distance = count, now, None
