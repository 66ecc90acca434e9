"""Int8 vectors: what is checked of them, and where their kernels are (viper_int8, portable_int8).

Vectors are stored as value + 128, so that no sign is needed; inputs x are int8.
"""

from ..core.errors import ModelError

MAX_FEATURES = 4096
PACKAGE = __name__.rsplit(".", 1)[0]  # for hedge.dsp.choose.kernels(stem, PACKAGE)


def check_vector(x, features):
    """Raises ModelError unless x is `features` int8 in a buffer: array("b") or a memoryview."""
    if len(x) != features:
        raise ModelError("%d values, the learner has %d features" % (len(x), features))


def check_shape(features, rows, most):
    if not 0 < features <= MAX_FEATURES:
        raise ModelError("%r features, possible are 1 .. %d" % (features, MAX_FEATURES))
    if not 0 < rows <= most:
        raise ModelError("%r is none of 1 .. %d" % (rows, most))
