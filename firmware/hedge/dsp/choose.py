"""Which kernels a firmware runs: viper where it can, else plain Python with the same results."""

import sys

_HERE = __name__.rsplit(".", 1)[0]


def kernels(stem, package=_HERE):
    """The module viper_<stem>, or portable_<stem> on CPython and where there is no viper.

    package: where both are, hedge.dsp if not told otherwise.
    """
    if sys.implementation.name == "micropython":
        try:
            return _load(package + ".viper_" + stem)
        except SyntaxError:  # "invalid micropython decorator": built without native emitter
            pass
    return _load(package + ".portable_" + stem)


def _load(name):
    return __import__(name, None, None, (name.rsplit(".", 1)[1],))
