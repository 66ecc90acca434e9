"""Which kernels a firmware runs: viper where it can, else plain Python with the same results."""

import sys


def kernels(stem):
    """The module viper_<stem>, or portable_<stem> on CPython and where there is no viper."""
    if sys.implementation.name == "micropython":
        try:
            return _load("viper_" + stem)
        except SyntaxError:  # "invalid micropython decorator": built without native emitter
            pass
    return _load("portable_" + stem)


def _load(name):
    return __import__(__name__.rsplit(".", 1)[0] + "." + name, None, None, (name,))
