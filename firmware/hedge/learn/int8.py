"""Squared distances of int8 vectors: viper where MicroPython has it, else plain Python.

Vectors are stored as value + 128, so that no sign is needed; inputs x are int8.
"""

import sys

from ..core.errors import ModelError

MAX_FEATURES = 4096


def kernels():
    """The module with squares(), least() and nearest_mean()."""
    if sys.implementation.name == "micropython":
        try:
            from . import viper_int8

            return viper_int8
        except SyntaxError:  # "invalid micropython decorator": built without native emitter
            pass
    from . import portable_int8

    return portable_int8


def check_vector(x, features):
    """Raises ModelError unless x is `features` int8 in a buffer: array("b") or a memoryview."""
    if len(x) != features:
        raise ModelError("%d values, the learner has %d features" % (len(x), features))


def check_shape(features, rows, most):
    if not 0 < features <= MAX_FEATURES:
        raise ModelError("%r features, possible are 1 .. %d" % (features, MAX_FEATURES))
    if not 0 < rows <= most:
        raise ModelError("%r is none of 1 .. %d" % (rows, most))
