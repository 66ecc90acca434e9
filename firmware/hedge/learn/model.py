"""Predictor: reads a .hgl file (SPEC.md), checks all of it once, then predicts without allocating.

    trees = Predictor("leaf_wet.hgl")
    trees.input[0] = 5.1  # float32, or int16: what Predictor.quantise() makes
    label = trees.predict()

From -> to (DESIGN.md): features -> model is an array of inputs, model -> rule are int scores.
"""

import array
import struct
import sys

from ..core import mapped
from ..core.errors import ModelError
from ..core.once import forget
from . import layout as at


def _kernels(kind):
    """(run, is_aligned): viper where the firmware can compile or load it; else plain Python."""
    if sys.implementation.name == "micropython":
        try:
            from .viper_scores import is_aligned, run

            if kind in (at.DISTANCES, at.GAUSSIANS):
                from .viper_distances import run
            return run, is_aligned
        except SyntaxError:  # "invalid micropython decorator": built without native emitter
            pass
    from .portable import run

    return run, None


class Predictor:
    """One classical model, ready to run.

    source: path, or bytes/memoryview of a .hgl that the predictor keeps. Raises ModelError if the
    file is damaged, hostile or too new; OSError if it cannot be read.

    .link: how scores become probabilities (layout.py).
    .input: array("f") or array("h") of the features, the caller's to fill; a float32 must not be
    NaN. .scores: array("i") of the last predict(), real = int * .score_scale.
    """

    def __init__(self, source):
        from .check import check

        data = mapped.contents(source)
        head = check(data)
        self._run, is_aligned = _kernels(head[at.KIND])
        if is_aligned is not None and not is_aligned(data):
            data = bytes(data)
        self._data = data
        self._head = head
        self.score_scale = head[at.SCORE_SCALE]
        self.link = head[at.LINK]
        n = head[at.FEATURES]
        self.input = array.array("f" if head[at.INPUT] == at.FLOAT32 else "h", bytes(4 * n))[:n]
        self.scores = array.array("i", bytes(4 * head[at.SCORES]))
        work = n + 6 + 4 * head[at.NEIGHBOURS]
        self._work = array.array("i", bytes(4 * work))
        count, first = head[at.LABELS], head[at.LABELS_AT]
        labels = struct.unpack_from("<%di" % count, data, first) if count else ()
        self.labels = array.array("i", labels)
        for name in ("check", "check_scores", "check_distances"):
            forget("hedge.learn." + name)

    def predict(self):
        """The label (int) of .input; of a regression the score. viper does not allocate."""
        index = self._run(self._data, self.input, self._work, self.scores)
        if self.labels:
            return self.labels[index]
        return self.scores[0]

    def quantise(self, values):
        """Fill .input from real values, as floats; allocates on boards. Rounds, saturates.

        Raises ModelError if the number of values is wrong, or one is NaN; .input then stays as it
        was.
        """
        n = len(self.input)
        if len(values) != n:
            raise ModelError("%d values, the model has %d features" % (len(values), n))
        for i in range(n):
            if values[i] != values[i]:
                raise ModelError("value %d is not a number" % i)
        if self._head[at.INPUT] == at.FLOAT32:
            for i in range(n):
                self.input[i] = values[i]
            return
        for i in range(n):
            scale, offset = struct.unpack_from("<ff", self._data, self._head[at.QUANT_AT] + 8 * i)
            real = min(max((values[i] - offset) / scale, -32768), 32767)  # int(inf) raises
            self.input[i] = int(round(real))

    def probabilities(self):
        """Of the last predict(), one per label, as a list of floats; allocates.

        Raises ModelError if the model has none.
        """
        from .links import probabilities

        return probabilities(self.link, self.scores, self.score_scale)
