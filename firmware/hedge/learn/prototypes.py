"""Nearest class mean: teaches the last layer on the board, from a few examples a class.

    heads = Prototypes(features=64, classes=4)
    heads.add(model.output, 2)            # an int8 embedding and its class
    label = heads.predict(model.output)   # None before the first example

The network in front stays as it is; a class can be added or forgotten at any time.
"""

import array
import struct

from ..core.errors import ModelError
from ..dsp.choose import kernels
from . import saved
from .int8 import PACKAGE, check_shape, check_vector

_MAX_CLASSES = 1024
_MAX_MEMORY = 1 << 17  # so that 16 times a sum stays below 2**30


class Prototypes(saved.Saved):
    """Means of int8 vectors for up to `classes` labels, 0 .. classes - 1.

    Sums are int32; means are kept to 1/16. After `memory` examples of a class its sum and count
    are halved, so that older examples fade. .distance: squared distance of the last predict() to
    the nearest mean, in whole units, which tells what belongs to no class.
    add() and predict() do not allocate with viper. RAM: classes * (6 * features + 4) bytes.
    """

    _kind = saved.PROTOTYPES

    def __init__(self, features, classes, memory=4096):
        check_shape(features, classes, _MAX_CLASSES)
        if not 2 <= memory <= _MAX_MEMORY:
            raise ModelError("memory = %r, possible are 2 .. %d" % (memory, _MAX_MEMORY))
        self._nearest = kernels("int8", PACKAGE).nearest_mean
        self._n = features
        self._memory = memory
        self.distance = None
        self._counts = array.array("i", bytes(4 * classes))
        self._sums = array.array("i", bytes(4 * classes * features))  # of value + 128
        self._means = array.array("H", bytes(2 * classes * features))  # 16 * (value + 128)
        self._found = array.array("i", (0, 0))

    def examples(self, label):
        """How many examples of a class count."""
        return self._counts[label]

    def new_class(self):
        """The lowest label without examples. Raises ModelError if there is none."""
        for label in range(len(self._counts)):
            if not self._counts[label]:
                return label
        raise ModelError("all %d classes have examples" % len(self._counts))

    def add(self, x, label):
        """Learn one example. Raises ModelError if its length or the label is wrong."""
        check_vector(x, self._n)
        self._check_label(label)
        if self._counts[label] >= self._memory:
            self._fade(label)
        self._counts[label] += 1
        count = self._counts[label]
        start = label * self._n
        for i in range(self._n):
            total = self._sums[start + i] + x[i] + 128
            self._sums[start + i] = total
            self._means[start + i] = (16 * total + count // 2) // count

    def _fade(self, label):
        self._counts[label] >>= 1
        start = label * self._n
        for i in range(start, start + self._n):
            self._sums[i] = (self._sums[i] + 1) >> 1

    def forget(self, label):
        """A class without examples again."""
        self._check_label(label)
        self._counts[label] = 0
        for i in range(label * self._n, (label + 1) * self._n):
            self._sums[i] = 0
            self._means[i] = 0

    def _check_label(self, label):
        if not 0 <= label < len(self._counts):
            raise ModelError("label %r, there are %d classes" % (label, len(self._counts)))

    def predict(self, x):
        """Label of the nearest mean, the lowest of equals; None before the first example."""
        check_vector(x, self._n)
        classes = len(self._counts)
        label = self._nearest(self._means, self._counts, x, self._found, classes, self._n)
        if label < 0:
            return None
        self.distance = self._found[0] << 7 | self._found[1] >> 8
        return label

    def _size(self):
        return 12 + 4 * len(self._counts) + 4 * len(self._sums)

    def _store(self, buffer, at):
        struct.pack_into("<3i", buffer, at, self._n, len(self._counts), self._memory)
        at += 12
        for values in (self._counts, self._sums):
            for i in range(len(values)):
                struct.pack_into("<i", buffer, at + 4 * i, values[i])
            at += 4 * len(values)

    def _load(self, data, at):
        n, classes = self._n, len(self._counts)
        saved.need(
            struct.unpack_from("<3i", data, at) == (n, classes, self._memory), "other sizes"
        )
        at += 12
        sums = at + 4 * classes
        for c in range(classes):
            count = struct.unpack_from("<i", data, at + 4 * c)[0]
            saved.need(0 <= count <= self._memory, "count")
            for i in range(c * n, c * n + n):
                total = struct.unpack_from("<i", data, sums + 4 * i)[0]
                saved.need(0 <= total <= 256 * count, "sum")  # halves round up: not 255
        for c in range(classes):
            self._counts[c] = struct.unpack_from("<i", data, at + 4 * c)[0]
        for i in range(n * classes):
            self._sums[i] = struct.unpack_from("<i", data, sums + 4 * i)[0]
            count = self._counts[i // n]
            self._means[i] = (16 * self._sums[i] + count // 2) // count if count else 0
        self.distance = None
