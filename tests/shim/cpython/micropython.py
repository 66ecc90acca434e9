"""MicroPython's `micropython` module for CPython: constants and decorators that do nothing.

Importing it also adds the MicroPython names of `time` and `asyncio`.
"""

import asyncio
import time

_WRAP = 1 << 30  # the Unix port's ticks wrap at 2**62; a short one shows misuse sooner


def const(value):
    return value


def native(function):
    return function


def viper(function):
    return function


def heap_lock():
    return 0


def heap_unlock():
    return 0


def _ticks_diff(later, earlier):
    return (later - earlier + _WRAP // 2) % _WRAP - _WRAP // 2


time.ticks_ms = lambda: time.monotonic_ns() // 1_000_000 % _WRAP
time.ticks_us = lambda: time.monotonic_ns() // 1_000 % _WRAP
time.ticks_add = lambda ticks, delta: (ticks + delta) % _WRAP
time.ticks_diff = _ticks_diff
time.sleep_ms = lambda ms: time.sleep(ms / 1000)
time.sleep_us = lambda us: time.sleep(us / 1_000_000)
asyncio.sleep_ms = lambda ms: asyncio.sleep(ms / 1000)
asyncio.wait_for_ms = lambda awaitable, ms: asyncio.wait_for(awaitable, ms / 1000)
