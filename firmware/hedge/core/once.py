"""Code that is needed once, at start, gives its memory back."""

import sys


def forget(name):
    """Drop the module `name` ("hedge.infer.plan"), on MicroPython; importing it loads it anew.

    For modules of plain functions that nobody else holds on to.
    """
    if sys.implementation.name != "micropython" or name not in sys.modules:
        return
    package, _, short = name.rpartition(".")
    del sys.modules[name]
    delattr(sys.modules[package], short)


def later(function, *args):
    """A call without arguments of function(*args). A lambda would keep its whole module alive."""
    return lambda: function(*args)
