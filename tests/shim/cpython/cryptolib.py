"""MicroPython's `cryptolib` for CPython: the host tools' own stand-in."""

from hedgerow.lns.cryptolib_host import aes  # noqa: F401
